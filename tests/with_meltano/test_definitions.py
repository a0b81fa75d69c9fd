"""The definitions in `plugins/` are those of the code, and such as Meltano takes."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from scripts import definitions

ROOT = Path(__file__).parents[2]
KINDS = ("extractors", "loaders")
PLUGINS = [
    pytest.param(kind, path, id=path.stem)
    for kind in KINDS
    for path in sorted((ROOT / "plugins" / kind).glob("*.yml"))
]


def test_files_are_up_to_date() -> None:
    """Repaired by `python scripts/definitions.py`."""
    stale = [path.name for path, text in definitions.files().items() if path.read_text() != text]
    assert not stale


@pytest.mark.parametrize(("kind", "path"), PLUGINS)
def test_meltanos_own_schema_accepts_the_definition(kind: str, path: Path) -> None:
    """Meltano checks `meltano.yml` by this schema; a definition is an entry of it."""
    definition = yaml.safe_load(path.read_text())
    jsonschema.validate({"version": 1, "plugins": {kind: [definition]}}, meltano_schema())


@pytest.mark.parametrize(("kind", "path"), PLUGINS)
def test_no_setting_is_of_a_kind_that_ends_meltano(kind: str, path: Path) -> None:
    """`kind: decimal` is in the schema, and ends `meltano run` with a traceback."""
    settings = yaml.safe_load(path.read_text())["settings"]
    assert "decimal" not in {setting["kind"] for setting in settings}
    assert all(setting["label"] for setting in settings)


@pytest.mark.parametrize(("kind", "path"), PLUGINS)
def test_lock_file_says_the_same(kind: str, path: Path) -> None:
    """By it the repository's own `meltano.yml` finds the definition."""
    (lock,) = path.parent.glob(f"{path.stem}--*.lock")
    locked = json.loads(lock.read_text())
    assert locked.pop("plugin_type") == kind
    assert locked == yaml.safe_load(path.read_text())


def meltano_schema() -> dict[str, Any]:
    """Return the schema that the installed Meltano has of `meltano.yml`."""
    text = files("meltano").joinpath("schemas/meltano.schema.json").read_text()
    return dict(json.loads(text))
