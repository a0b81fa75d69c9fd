"""The page of settings, made from what the plugins declare.

python scripts/settings_page.py            write docs/settings.md
python scripts/settings_page.py --check    fail if it is out of date
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # also when run as a script

from tap_marketo_bulk.tap import TapMarketoBulk  # noqa: E402  # needs the line above
from target_marketo_bulk.target import TargetMarketoBulk  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk import Tap, Target

PAGE = ROOT / "docs" / "settings.md"
PLUGINS: tuple[type[Tap | Target], ...] = (TapMarketoBulk, TargetMarketoBulk)
REQUIRED = ("client_id", "client_secret")
FROM_THE_SDK = (
    "validate_records",
    "stream_maps",
    "stream_map_config",
    "faker_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_max_key_length",
    "flattening_separator",
)
"""Settings that singer-sdk gives every plugin."""

HEAD = """\
# Settings

This page is made by `python scripts/settings_page.py` from what the plugins declare.
Each setting is also an environment variable, `TAP_MARKETO_BULK_<NAME>` or
`TARGET_MARKETO_BULK_<NAME>`.
An empty variable is a setting that is not set.
"""


def declared(plugin: type[Tap | Target]) -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each setting of a plugin, as `--about` shows it."""
    about = CliRunner().invoke(plugin.cli, ["--about", "--format=json"]).stdout
    return dict(json.loads(about)["settings"]["properties"])


def page() -> str:
    """Return the text of the page."""
    return HEAD + "".join(_section(plugin) for plugin in PLUGINS)


def main() -> int:
    """Write the page, or with `--check` say whether it is out of date."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text)
    elif PAGE.read_text() != text:
        print("docs/settings.md is out of date: run python scripts/settings_page.py")
        return 1
    return 0


def _section(plugin: type[Tap | Target]) -> str:
    settings = declared(plugin)
    own = {name: schema for name, schema in settings.items() if name not in FROM_THE_SDK}
    sdk = {name: schema for name, schema in settings.items() if name in FROM_THE_SDK}
    return (
        f"\n## {plugin.name}\n\n{_table(own)}\n"
        f"\nFrom the SDK, as every plugin has them:\n\n{_table(sdk)}\n"
    )


def _table(settings: Mapping[str, Mapping[str, Any]]) -> str:
    return "\n".join(("| Setting | Default | |", "| --- | --- | --- |", *_rows(settings)))


def _rows(settings: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, schema in settings.items():
        default = f"`{_text(schema['default'])}`" if "default" in schema else ""
        default = "required" if name in REQUIRED else default
        what = schema.get("description") or schema.get("title", "")
        yield f"| `{name}` | {default} | {what} |"


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    sys.exit(main())
