"""Project: a Meltano project that runs the tap of this environment, without installing anything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.with_meltano import rows_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketo_emulator import Emulator

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
TAP = "tap-marketo-bulk"
TARGET = "target-rows"
FIELDS = ("leadId", "programId", "statusName", "updatedAt")


class Project:
    """A project with the tap and a target that writes rows into a file."""

    def __init__(self, folder: Path, emulator: Emulator, settings: Mapping[str, Any]) -> None:
        self.folder = folder
        self._rows = folder / "rows.jsonl"
        (lock,) = (ROOT / "plugins" / "extractors").glob("*.lock")
        script = folder / TARGET
        script.write_text(f"#!/bin/sh\nexec {sys.executable} {rows_target.__file__}\n")
        script.chmod(0o755)
        tap = {
            "name": TAP,
            "namespace": "tap_marketo_bulk",
            "executable": str(BIN / TAP),
            "capabilities": ["catalog", "discover", "state"],
            "settings": json.loads(lock.read_text())["settings"],
            "select": [f"program_members.{name}" for name in FIELDS],
        }
        target = {"name": TARGET, "namespace": "target_rows", "executable": str(script)}
        content = {
            "default_environment": "dev",
            "environments": [{"name": "dev"}],
            "plugins": {"extractors": [tap], "loaders": [target]},
        }
        (folder / "meltano.yml").write_text(yaml.safe_dump(content))
        given = {
            "base_url": emulator.base_url,
            "client_id": emulator.client_id,
            "client_secret": emulator.client_secret,
            **settings,
        }
        self._environment = {
            **os.environ,
            **{f"TAP_MARKETO_BULK_{name.upper()}": str(value) for name, value in given.items()},
            # So little that the tap has to wait for the target.
            "MELTANO_ELT_BUFFER_SIZE": "65536",
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "NO_COLOR": "1",
            rows_target.ROWS: str(self._rows),
        }

    def start(self, *options: str, seconds_a_row: float = 0.0) -> subprocess.Popen[str]:
        """Start `meltano run` as the leader of a process group, as a terminal does."""
        return subprocess.Popen(
            [str(BIN / "meltano"), "run", *options, TAP, TARGET],
            cwd=self.folder,
            env={**self._environment, rows_target.SECONDS: str(seconds_a_row)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # A shell without a terminal has what it starts ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return what the target has written; the last may have been torn by a stop."""
        if not self._rows.exists():
            return []
        lines = self._rows.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("}\n")]

    def outcome(self) -> dict[str, Any]:
        """Return what the outcome file of the tap says."""
        (path,) = (Path(os.environ["XDG_STATE_HOME"]) / TAP).rglob("outcome.json")
        return dict(json.loads(path.read_text()))
