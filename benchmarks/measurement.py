"""The measurement: what a child process took, as the kernel counted it for that child alone."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parent
NOTHING = Path(os.devnull)
# Settings of the caller must not reach a plugin, and its log lines must not cost anyone time.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(FOLDER.parent),
    "LOGLEVEL": "WARNING",
    "PYTHONWARNINGS": "ignore",
}


@dataclass(frozen=True, slots=True)
class Contender:
    """A program that reads an export file and writes messages; `python` is what runs it."""

    name: str
    script: str
    python: str = sys.executable
    settings: str = "{}"

    def command(self, file: Path) -> list[str]:
        """Return the command that reads a file."""
        return [self.python, str(FOLDER / self.script), str(file), self.settings]


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor seconds, user and system, and the largest resident set."""

    cpu_seconds: float
    megabytes: float


def measure(command: Sequence[str], source: Path = NOTHING, *, is_piped: bool = False) -> Usage:
    """Run a command on the content of a file; return what it took.

    Shape: its output is thrown away; with `is_piped` by another process, which is not counted, at
        the end of a pipe: so a tap stands before a loader.
    Raises: SystemExit with the end of its errors if it fails.
    """
    with contextlib.ExitStack() as stack:
        stdout: int | IO[bytes] = subprocess.DEVNULL
        if is_piped:
            reader = stack.enter_context(
                subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # noqa: S607  # any will do
            )
            assert reader.stdin is not None  # noqa: S101  # asked for above
            stdout = reader.stdin
        child = subprocess.Popen(
            command,
            stdin=stack.enter_context(source.open("rb")),
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
        )
        assert child.stderr is not None  # noqa: S101  # asked for above
        if not isinstance(stdout, int):
            stdout.close()
        errors = stack.enter_context(child.stderr).read()
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise SystemExit(f"{command[1]} failed:\n{errors.decode()[-2000:]}")
    return Usage(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def count_records(command: Sequence[str]) -> int:
    """Return how many RECORD messages a command writes."""
    done = subprocess.run(command, capture_output=True, env=ENVIRONMENT, check=True)
    return sum(b'"RECORD"' in line[:20] for line in done.stdout.splitlines())
