"""A setting is declared in code, in Meltano's definitions and in the docs; all three agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml
from click.testing import CliRunner

from scripts import settings_page
from singer_marketo.settings import CREDENTIALS
from tap_marketo_bulk.tap import TapMarketoBulk
from target_marketo_bulk.target import TargetMarketoBulk

ROOT = Path(__file__).parents[2]
PLUGINS = [
    pytest.param(TapMarketoBulk, "extractors", id="tap"),
    pytest.param(TargetMarketoBulk, "loaders", id="target"),
]
KINDS = {"integer": "integer", "boolean": "boolean", "array": "array", "string": "string"}
KINDS["object"] = "object"
BUILT_IN = {
    "stream_maps",
    "stream_map_config",
    "faker_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_separator",
    "flattening_max_key_length",
    "add_record_metadata",
    "load_method",
    "batch_size_rows",
    "validate_records",
}
"""What the SDK adds to every plugin."""

Plugin: TypeAlias = "type[TapMarketoBulk | TargetMarketoBulk]"


def about(plugin: Plugin) -> dict[str, Any]:
    """Return our own settings as `--about --format=json` shows them."""
    done = CliRunner().invoke(plugin.cli, ["--about", "--format=json"])
    settings = json.loads(done.stdout)["settings"]
    return {
        name: {**declared, "required": name in CREDENTIALS}
        for name, declared in settings["properties"].items()
        if name not in BUILT_IN
    }


def meltano(plugin: Plugin, kind: str) -> dict[str, Any]:
    """Return the settings of our own that the definition of a plugin declares."""
    declared = yaml.safe_load((ROOT / "plugins" / kind / f"{plugin.name}.yml").read_text())
    own = about(plugin)
    return {setting["name"]: setting for setting in declared["settings"] if setting["name"] in own}


@pytest.mark.parametrize(("plugin", "kind"), PLUGINS)
def test_definition_declares_each_setting_once(plugin: Plugin, kind: str) -> None:
    """Names, order, labels and secrets are those of the code."""
    code, yml = about(plugin), meltano(plugin, kind)
    assert list(yml) == list(code)
    assert {n: s.get("label") for n, s in yml.items()} == {n: s["title"] for n, s in code.items()}
    assert {n for n, s in yml.items() if s.get("sensitive")} == {
        n for n, s in code.items() if s.get("secret")
    }


@pytest.mark.slow
@pytest.mark.parametrize(("plugin", "kind"), PLUGINS)
def test_definition_knows_the_kind_and_the_choices(plugin: Plugin, kind: str) -> None:
    """A list is an array, a choice lists the values the code accepts."""
    for name, declared in about(plugin).items():
        setting = meltano(plugin, kind)[name]
        types = set(declared["type"]) - {"null"}
        if "enum" in declared:
            choices = [value for value in declared["enum"] if value is not None]
            assert (setting["kind"], [o["value"] for o in setting["options"]]) == (
                "options",
                choices,
            )
        elif declared.get("format") == "date-time":
            assert setting["kind"] == "date_iso8601"
        elif len(types) == 1 and types <= KINDS.keys() - {"string"}:
            assert setting["kind"] == KINDS[types.pop()]
        else:
            assert setting.get("kind", "string") == "string"


def test_page_of_settings_is_what_about_says() -> None:
    """Repaired by `python scripts/settings_page.py`."""
    assert settings_page.PAGE.read_text() == settings_page.page()


@pytest.mark.parametrize(("plugin", "kind"), PLUGINS)
def test_about_in_markdown_lists_each_setting(plugin: Plugin, kind: str) -> None:
    """`--about --format=markdown` works and names every setting."""
    text = CliRunner().invoke(plugin.cli, ["--about", "--format=markdown"]).stdout
    assert all(f"| {name} |" in text for name in about(plugin))
