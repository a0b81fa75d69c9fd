"""Meltano's plugin definitions, made from the settings the plugins declare themselves.

    python scripts/definitions.py            write plugins/
    python scripts/definitions.py --check    fail if a file there is out of date

For each plugin there are two files of one content: the definition as `meltano add --from-ref` and
Meltano Hub take it, and the lock file by which this repository's own `meltano.yml` finds it.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from click.testing import CliRunner

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # also when run as a script

from tap_marketo_bulk.tap import TapMarketoBulk  # noqa: E402  # needs the line above
from target_marketo_bulk.target import TargetMarketoBulk  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk import Tap, Target

    Plugin = type[Tap | Target]

VARIANT = "tap-target-marketo-bulk"
URLS = dict(line.split(", ", 1) for line in metadata(VARIANT).get_all("Project-URL", failobj=()))
"""As pyproject.toml has them."""

CREDENTIALS = ("client_id", "client_secret")
ADDRESSES = ("munchkin_id", "base_url")

MELTANO_CAPABILITIES = {
    "extractors": {
        "about",
        "activate-version",
        "batch",
        "catalog",
        "discover",
        "schema-flattening",
        "state",
        "stream-maps",
        "structured-logging",
        "test",
    },
    "loaders": {"about", "batch", "schema-flattening", "stream-maps", "structured-logging"},
}
"""Those Meltano's schema has a word for; the SDK announces more."""

KINDS = {"integer": "integer", "boolean": "boolean", "array": "array", "object": "object"}

SELECT = (
    "programs.*",
    *(
        f"program_members.{name}"
        for name in (
            "acquiredBy",
            "attendanceLikelihood",
            "createdAt",
            "isExhausted",
            "leadId",
            "membershipDate",
            "nurtureCadence",
            "program",
            "programId",
            "reachedSuccess",
            "reachedSuccessDate",
            "registrationCode",
            "registrationLikelihood",
            "statusName",
            "statusReason",
            "trackName",
            "updatedAt",
            "waitlistPriority",
            "webinarUrl",
        )
    ),
)
"""Marketo's standard member fields. Meltano's own default selects every lead field as well."""


def definition(plugin: Plugin, kind: str) -> dict[str, Any]:
    """Return the definition of a plugin; `kind` is "extractors" or "loaders"."""
    about = json.loads(CliRunner().invoke(plugin.cli, ["--about", "--format=json"]).stdout)
    capabilities = [c for c in about["capabilities"] if c in MELTANO_CAPABILITIES[kind]]
    groups = [[address, *CREDENTIALS] for address in ADDRESSES]
    if "dry_run_path" in about["settings"]["properties"]:
        groups.append(["dry_run_path"])
    made = {
        "name": plugin.name,
        "namespace": plugin.name.replace("-", "_"),
        "variant": VARIANT,
        "label": "Marketo (bulk)",
        "description": about["description"],
        "docs": URLS["Documentation"],
        "repo": URLS["Repository"],
        "pip_url": VARIANT,
        "executable": plugin.name,
        "capabilities": capabilities,
        "settings_group_validation": groups,
        "settings": list(_settings(about["settings"]["properties"])),
    }
    return {**made, "select": list(SELECT)} if kind == "extractors" else made


def files() -> dict[Path, str]:
    """Return each file and its content."""
    made: dict[Path, str] = {}
    plugins: Sequence[tuple[Plugin, str]] = (
        (TapMarketoBulk, "extractors"),
        (TargetMarketoBulk, "loaders"),
    )
    for plugin, kind in plugins:
        found = definition(plugin, kind)
        folder = ROOT / "plugins" / kind
        text = yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=100)
        made[folder / f"{plugin.name}.yml"] = (
            f"# Made by scripts/definitions.py from the settings of {plugin.name}.\n{text}"
        )
        # `select` of a lock file is as little heeded as that of a reference.
        locked = {"plugin_type": kind, **found}
        made[folder / f"{plugin.name}--{VARIANT}.lock"] = f"{json.dumps(locked, indent=2)}\n"
    return made


def main() -> int:
    """Write the files, or with `--check` name those that are out of date."""
    stale = {path: text for path, text in files().items() if not _says(path, text)}
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run python scripts/definitions.py")
        return int(bool(stale))
    for path, text in stale.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


def _says(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


def _settings(properties: Mapping[str, Any], above: str = "") -> Iterator[dict[str, Any]]:
    """Yield a setting for each property; those within an object follow it, by dotted names."""
    for name, declared in properties.items():
        yield _setting(f"{above}{name}", declared)
        inside = {} if name == "stream_maps" else declared.get("properties", {})
        yield from _settings(inside, f"{above}{name}.")


def _setting(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "label": declared.get("title", name)}
    if "description" in declared:
        made["description"] = declared["description"]
    types = set(declared.get("type", ())) - {"null"}
    if "enum" in declared:
        choices = [choice for choice in declared["enum"] if choice is not None]
        made["kind"] = "options"
        made["options"] = [{"label": str(choice), "value": choice} for choice in choices]
    elif declared.get("format") == "date-time":
        made["kind"] = "date_iso8601"
    else:
        # Meltano cannot read fractions (`kind: decimal`), so a number is passed on as text.
        made["kind"] = KINDS.get(next(iter(types), ""), "string") if len(types) == 1 else "string"
    if "default" in declared:
        made["value"] = declared["default"]
    if declared.get("secret"):
        made["sensitive"] = True
    return made


if __name__ == "__main__":
    sys.exit(main())
