"""Commands: tap and target as a user runs them, and the lines they leave in the log."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_marketo_bulk.tap import TapMarketoBulk
from target_marketo_bulk.target import TargetMarketoBulk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

TAP = "tap-marketo-bulk"
TARGET = "target-marketo-bulk"
PLUGINS: Mapping[str, Any] = {TAP: TapMarketoBulk, TARGET: TargetMarketoBulk}
MODES = {TAP: (("--test",), ("--discover",)), TARGET: (("--test",),)}
"""What else each command can be asked to do."""

WAIT_SECONDS = 120

PLAIN = {k: v for k, v in os.environ.items() if not k.startswith(("TAP_MARKETO", "TARGET_MARKETO"))}

CREDENTIALS = {"base_url": "http://127.0.0.1:9", "client_id": "me", "client_secret": "s3cret-of-me"}
"""An instance that does not exist, on a port nobody listens to."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and the messages at WARNING or above, by level."""

    code: int
    errors: list[str]
    warnings: list[str]
    out: bytes = b""
    err: str = ""

    def assert_one_error(self, *words: str, code: int = 1) -> None:
        """Hold that there is one line, that it has these words, and that this is the exit code."""
        assert self.code == code, self
        assert len(self.errors) == 1, self
        assert all(word in self.errors[0] for word in words), self
        assert "\n" not in self.errors[0]
        assert "Traceback" not in self.err
        self.assert_nothing_unhandled()

    def assert_nothing_unhandled(self) -> None:
        """Hold that neither the SDK nor a plugin speaks of an error nobody has foreseen."""
        said = [*self.errors, *self.warnings, *self.err.splitlines()]
        assert not [line for line in said if "nhandled" in line or "unexpected " in line], self


def config_file(directory: Path, config: Mapping[str, Any], name: str = "config.json") -> str:
    """Write a config and return its path."""
    path = directory / name
    path.write_text(json.dumps(config))
    return str(path)


def run_here(
    plugin: str,
    *arguments: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    lines: bytes = b"",
) -> Ended:
    """Run a command in this process, which is cheap; stdin and stdout are in memory."""
    caplog.clear()
    out = io.BytesIO()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
        stdout = io.TextIOWrapper(out, encoding="utf-8", write_through=True)
        patched.setattr(sys, "stdout", stdout)
        code: Any = 0
        try:
            PLUGINS[plugin].cli.main(list(arguments))
        except SystemExit as error:
            code = error.code
        stdout.detach()
    told = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert not [r for r in told if r.exc_info]
    return Ended(
        code or 0,
        [r.getMessage() for r in told if r.levelno >= logging.ERROR],
        [r.getMessage() for r in told if r.levelno == logging.WARNING],
        out.getvalue(),
    )


def run_script(
    plugin: str,
    *arguments: str,
    lines: bytes | int = b"",
    stdout: int = subprocess.PIPE,
    before: Callable[[], None] | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Ended:
    """Run the console script as a process; `before` happens in it before it starts."""
    given: dict[str, Any] = {"stdin": lines} if isinstance(lines, int) else {"input": lines}
    done = subprocess.run(
        [str(Path(sys.executable).with_name(plugin)), *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**PLAIN, **(environment or {})},
        cwd=directory,
        preexec_fn=before,
        timeout=WAIT_SECONDS,
        check=False,
        **given,
    )
    err = done.stderr.decode()
    told: dict[str, list[str]] = {"ERROR": [], "WARNING": []}
    for line in err.splitlines():
        _, *parts = line.split(" | ", 3)
        if len(parts) == 3:  # level, logger, message
            told.setdefault(parts[0].strip(), []).append(parts[2])
        else:
            told["ERROR"].append(line)
    return Ended(done.returncode, told["ERROR"], told["WARNING"], done.stdout or b"", err)
