"""Outcome: how the last run has ended, in a file for whoever does not see its exit code."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from singer_marketo.exit_codes import EXIT_TRY_LATER, outcome_of
from singer_marketo.state_folder import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_marketo.state_folder import Folder

FILE_NAME = "outcome.json"

logger = logging.getLogger(__name__)


class Ended(SystemExit):
    """The end of a command that an error has stopped, with what the user was told."""

    def __init__(self, code: int, lines: Sequence[str]) -> None:
        super().__init__(code)
        self.lines = list(lines)


class Outcome:
    """The outcome file of one command; where it lies is known once the settings are read."""

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self._folder: Folder | None = None
        self._is_run = False
        self._failed: list[str] = []
        self._began_at = _now()

    def place(self, folder: Folder | None) -> None:
        """Say in which folder the file is to lie."""
        self._folder = folder

    def begin(self) -> None:
        """Write that a run is under way: a run that is killed leaves it so."""
        self._is_run = True
        self._write({"outcome": "running", "pid": os.getpid()}, is_told=True)  # `end` tells

    def name_failed(self, stream: str) -> None:
        """Take note of a stream that has failed."""
        if stream not in self._failed:
            self._failed.append(stream)

    def end(self, exit_code: int, lines: Sequence[str] = ()) -> None:
        """Write how it has ended; what is no run, such as discovery, only if it has failed."""
        if not self._is_run and not exit_code:
            return
        entry = {
            "outcome": outcome_of(exit_code),
            "exitCode": exit_code,
            "endedAt": _now(),
            "message": list(lines),
            "failedStreams": self._failed,
        }
        # Where an error names the folder, one more line about it says nothing new.
        path = self._write(entry, is_told=any(str(self._folder) in line for line in lines))
        # Any other error is the last line, and 1 needs no telling.
        if exit_code == EXIT_TRY_LATER and path is not None:
            logger.info("exit code %d (%s), also in %s", exit_code, outcome_of(exit_code), path)

    def _write(self, entry: dict[str, Any], *, is_told: bool = False) -> Folder | None:
        if self._folder is None:
            return None
        path = self._folder / FILE_NAME
        entry = {"plugin": self._plugin, "startedAt": self._began_at, **entry}
        try:
            write_whole(path, f"{json.dumps(entry, indent=2)}\n")
        except Exception as error:  # noqa: BLE001  # a store may raise anything; the run is over
            level = logging.DEBUG if is_told else logging.WARNING
            logger.log(level, "the outcome cannot be written to %s: %s", path, type(error).__name__)
            self._folder = None
            return None
        return path


class _Current:
    """The outcome of the command this process runs; none where the plugin is a library."""

    outcome: Outcome | None = None


@contextlib.contextmanager
def recorded(plugin: str) -> Iterator[None]:
    """Write the outcome of the command inside, however it ends."""
    outcome = _Current.outcome = Outcome(plugin)
    try:
        yield
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(bool(error.code))
        outcome.end(code, error.lines if isinstance(error, Ended) else ())
        raise
    else:
        outcome.end(0)
    finally:
        _Current.outcome = None


def current() -> Outcome | None:
    """Return the outcome of the command this process runs, if it is one."""
    return _Current.outcome


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
