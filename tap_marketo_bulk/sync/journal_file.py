"""Journal file: one line of JSON with all jobs, and a line for each change since.

A change costs the same however many jobs there have been. A store has no file that can be
appended to: there, changes lie in a second file, which is written whole, and folded into the first
as soon as it is long. A change then costs with the square root of the number of jobs.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from singer_marketo.state_folder import append_line, write_whole

if TYPE_CHECKING:
    from singer_marketo.state_folder import Folder

FILE_NAME = "jobs.json"
CHANGES_FILE_NAME = "jobs-since.json"
"""Only in a store that cannot append."""

CHANGES_MIN = 64
"""How many changes a store keeps apart at least."""


class JournalFile:
    """The lines of a journal; what is written is on disk before the call returns.

    Every call raises what the folder raises.
    """

    def __init__(self, folder: Folder) -> None:
        self.path = folder / FILE_NAME
        self._changes_path = folder / CHANGES_FILE_NAME
        self._changes: list[str] = []
        self._jobs = 0
        self.is_whole = False
        """Whether all that was told is on disk, so that a change can be added to it."""

    def read(self) -> list[str]:
        """Return the lines, without one that a kill has torn; empty if there is no file.

        Shape: after a kill while a store was being tidied, changes may be told twice.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        lines = text.splitlines() or [""]
        if len(lines) > 1 and not text.endswith("\n"):
            lines.pop()
        if not isinstance(self.path, Path):
            try:
                lines += self._changes_path.read_text(encoding="utf-8").splitlines()
            except FileNotFoundError:
                return lines
        return lines

    def replace(self, line: str, jobs: int) -> None:
        """Put one line in place of all there are; `jobs` is how many it tells of."""
        self.is_whole = False
        write_whole(self.path, f"{line}\n")
        if not isinstance(self.path, Path):
            # Killed here, the next run finds jobs that were dropped, and looks at them once more.
            write_whole(self._changes_path, "")
        self._changes = []
        self._jobs = jobs
        self.is_whole = True

    def add(self, line: str) -> None:
        """Add a line for a change; it is not `is_whole` any more if that does not succeed."""
        self.is_whole = False
        if isinstance(self.path, Path):
            append_line(self.path, line)
        else:
            self._changes.append(line)
            write_whole(self._changes_path, "\n".join(self._changes))
        # One that has grown long is left to be replaced.
        self.is_whole = len(self._changes) < max(CHANGES_MIN, math.isqrt(self._jobs))
