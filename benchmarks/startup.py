"""Measures what a command costs before it does anything: `python benchmarks/startup.py`.

Prints a table of processor time, user and system, as medians; modules are compiled before. What the
SDK itself takes is the floor: an empty tap of its own, with the same command.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path

from measurement import ENVIRONMENT, FOLDER, measure

sys.path.insert(0, str(FOLDER.parent))

from marketo_emulator import Emulator

ROUNDS = 9
EMPTY_TAP = """\
from singer_sdk import Tap

class EmptyTap(Tap):
    name = "tap-empty"
    config_jsonschema = {"properties": {}}
    def discover_streams(self):
        return []

EmptyTap.cli()
"""


def main() -> None:
    """Measure and print."""
    print("                                  ms    above the SDK")
    with tempfile.TemporaryDirectory() as name, Emulator(programs=1, members=1) as emulator:
        ENVIRONMENT["PYTHONPYCACHEPREFIX"] = name
        empty, config = Path(name) / "empty.py", Path(name) / "config.json"
        empty.write_text(EMPTY_TAP, encoding="utf-8")
        login = {
            "base_url": emulator.base_url,
            "client_id": emulator.client_id,
            "client_secret": emulator.client_secret,
        }
        config.write_text(json.dumps(login), encoding="utf-8")
        for command in (["--version"], ["--help"], ["--discover"]):
            floor = [str(empty), *command]
            for plugin in ("tap_marketo_bulk", "target_marketo_bulk"):
                if plugin.startswith("target") and command == ["--discover"]:
                    continue
                ours = ["-m", plugin, *command]
                if command == ["--discover"]:
                    ours += ["--config", str(config)]
                _print(" ".join([plugin, *command]), floor, ours)


def _print(what: str, floor: list[str], ours: list[str]) -> None:
    measure([sys.executable, *floor])
    measure([sys.executable, *ours])
    pairs = [
        (
            measure([sys.executable, *floor]).cpu_seconds,
            measure([sys.executable, *ours]).cpu_seconds,
        )
        for _ in range(ROUNDS)
    ]
    total = statistics.median(own for _, own in pairs)
    above = statistics.median(own - least for least, own in pairs)
    print(f"{what:<30} {total * 1000:>5.0f} {above * 1000:>8.0f}", flush=True)


if __name__ == "__main__":
    main()
