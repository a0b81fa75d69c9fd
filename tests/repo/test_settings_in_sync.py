"""A setting is declared in code, in meltano.yml and in the README; all three say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tap_marketo_bulk.tap import TapMarketoBulk
from target_marketo_bulk.target import TargetMarketoBulk

ROOT = Path(__file__).parents[2]
MELTANO = yaml.safe_load((ROOT / "meltano.yml").read_text())["plugins"]
README = (ROOT / "README.md").read_text()
PLUGINS = [
    pytest.param(TapMarketoBulk, "extractors", id="tap"),
    pytest.param(TargetMarketoBulk, "loaders", id="target"),
]
KINDS = {"integer": "integer", "boolean": "boolean", "array": "array", "string": "string"}
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

Plugin = "type[Tap | Target]"


def about(plugin: Plugin) -> dict[str, Any]:
    """Return our own settings as `--about --format=json` shows them."""
    done = CliRunner().invoke(plugin.cli, ["--about", "--format=json"])
    settings = json.loads(done.stdout)["settings"]
    required = set(settings.get("required", ()))
    return {
        name: {**declared, "required": name in required}
        for name, declared in settings["properties"].items()
        if name not in BUILT_IN
    }


def meltano(plugin: Plugin, kind: str) -> dict[str, Any]:
    """Return the settings that meltano.yml declares for a plugin."""
    (declared,) = (p for p in MELTANO[kind] if p["name"] == plugin.name)
    return {setting["name"]: setting for setting in declared["settings"]}


def table(plugin: Plugin) -> str:
    """Return the README's settings table of a plugin."""
    lines = ["| Setting | Default | |", "| --- | --- | --- |"]
    for name, declared in about(plugin).items():
        default = "required" if declared["required"] else ""
        if "default" in declared:
            default = f"`{declared['default']}`"
        lines.append(f"| `{name}` | {default} | {declared['description']} |")
    return "\n".join(lines)


@pytest.mark.parametrize(("plugin", "kind"), PLUGINS)
def test_meltano_yml_declares_each_setting_once(plugin: Plugin, kind: str) -> None:
    """Names, order, labels and secrets are those of the code."""
    code, yml = about(plugin), meltano(plugin, kind)
    assert list(yml) == list(code)
    assert {n: s.get("label") for n, s in yml.items()} == {n: s["title"] for n, s in code.items()}
    assert {n for n, s in yml.items() if s.get("sensitive")} == {
        n for n, s in code.items() if s.get("secret")
    }


@pytest.mark.parametrize(("plugin", "kind"), PLUGINS)
def test_meltano_yml_knows_the_kind_and_the_choices(plugin: Plugin, kind: str) -> None:
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
        elif len(types) == 1 and types != {"string"}:
            assert setting["kind"] == KINDS[types.pop()]
        else:
            assert setting.get("kind", "string") == "string"


@pytest.mark.parametrize(("plugin", "kind"), PLUGINS)
def test_readme_table_is_what_about_says(plugin: Plugin, kind: str) -> None:
    """The table in the README is the one this module makes."""
    assert table(plugin) in README


@pytest.mark.parametrize(("plugin", "kind"), PLUGINS)
def test_about_in_markdown_lists_each_setting(plugin: Plugin, kind: str) -> None:
    """`--about --format=markdown` works and names every setting."""
    text = CliRunner().invoke(plugin.cli, ["--about", "--format=markdown"]).stdout
    assert all(f"| {name} |" in text for name in about(plugin))
