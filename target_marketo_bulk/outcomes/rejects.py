"""Rejects: the rows that were not imported, and the warnings, as JSON lines."""

from __future__ import annotations

import json
import math
import os
import threading
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, BinaryIO

from marketo_bulk.errors.disclosure import reason_class
from target_marketo_bulk.files.storage import REJECTS_SETTING, storage_error, stored_in
from target_marketo_bulk.outcomes.rejected_before import RejectMarks
from target_marketo_bulk.records.json_text import escaped_json, json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

REASONS_MAX = 200
"""Different reasons told apart in the summary; the files have them all."""

OTHER_REASONS = "other reasons"

# JSON may hold them as they are, but many readers of lines take them for line ends.
_LINE_SEPARATORS = tuple(
    (separator.encode(), f"\\u{ord(separator):04x}".encode()) for separator in "\x85\u2028\u2029"
)


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(timezone.utc)


class ReportFile:
    """JSON lines in a private file that is made with its first line; safe for threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._handle: BinaryIO | None = None
        self._is_dirty = False

    def append(self, entry: Mapping[str, object], *, marks: RejectMarks | None = None) -> None:
        """Write one line, and have it marked."""
        line = _json_line(entry)
        with self._lock:
            try:
                if self._handle is None:
                    self._handle = self._create()
                self._handle.write(line)
            except OSError as error:
                raise storage_error(error, self.path, REJECTS_SETTING) from error
            self._is_dirty = True
            if marks is not None:
                marks.add(line)

    def sync(self) -> None:
        """Return once every line is on disk."""
        with self._lock:
            if self._handle is not None and self._is_dirty:
                with stored_in(self.path, REJECTS_SETTING):
                    self._handle.flush()
                    os.fsync(self._handle.fileno())
                self._is_dirty = False

    def close(self) -> None:
        """Put everything on disk; no line can be added any more."""
        try:
            self.sync()
        finally:
            with self._lock, stored_in(self.path, REJECTS_SETTING):
                if self._handle is not None:
                    self._handle.close()

    def _create(self) -> BinaryIO:
        make_private_directory(self.path.parent)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "ab")


class RejectLog:
    """One run's rejects and warnings, counted by reason."""

    def __init__(
        self, directory: Path, run_id: str, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.rejects = ReportFile(directory / f"rejects-{run_id}.jsonl")
        self.warnings = ReportFile(directory / f"warnings-{run_id}.jsonl")
        self._now = now
        self._marks = RejectMarks()
        self._lock = threading.Lock()
        self._reasons: Counter[str] = Counter()
        self._warned: Counter[str] = Counter()

    @property
    def rejected_rows(self) -> int:
        """Number of rows rejected so far."""
        with self._lock:
            return self._reasons.total()

    @property
    def warned_rows(self) -> int:
        """Number of rows imported with a warning so far."""
        with self._lock:
            return self._warned.total()

    def rows_rejected_before(self) -> int:
        """Return how many of the rows were rejected by earlier runs, too, for the same reason."""
        return self._marks.found_in(self.rejects.path.parent, own=self.rejects.path)

    def top_reasons(self, most: int) -> list[tuple[str, int]]:
        """Return the commonest reasons for rejects, with their numbers of rows."""
        with self._lock:
            return self._reasons.most_common(most)

    def reject(
        self,
        record: Mapping[str, Any],
        reason: str,
        *,
        batch_id: str | None = None,
        shown: str | None = None,
    ) -> None:
        """Report a record that was not imported.

        `shown` stands for the reason in the log; without it the reason is taken for Marketo's.
        """
        self._write(self.rejects, batch_id, reason, marks=self._marks, record=record)
        self._count(self._reasons, shown or reason_class(reason, record))

    def reject_unmatched(
        self,
        reported_row: Mapping[str, str],
        reason: str,
        *,
        batch_id: str,
        is_counted: bool = True,
    ) -> None:
        """Report a failed row that is none of the rows sent, or one once more, as reported."""
        marks = self._marks if is_counted else None
        self._write(
            self.rejects, batch_id, reason, marks=marks, record=None, reported_row=reported_row
        )
        if is_counted:
            self._count(self._reasons, reason_class(reason))

    def reject_uncounted(self, rows: int, reason: str, *, batch_id: str) -> None:
        """Report that Marketo counted failed rows without saying which."""
        self._write(self.rejects, batch_id, reason, record=None, rows=rows)
        self._count(self._reasons, reason, rows=rows)

    def warn(
        self,
        record: Mapping[str, Any] | None,
        reason: str,
        *,
        batch_id: str,
        reported_row: Mapping[str, str] | None = None,
        is_counted: bool = True,
    ) -> None:
        """Report a row that was imported with a warning; not counted if it is named once more."""
        extra: dict[str, Any] = {} if reported_row is None else {"reported_row": reported_row}
        self._write(self.warnings, batch_id, reason, record=record, **extra)
        if is_counted:
            self._count(self._warned, reason_class(reason, record or reported_row or ()))

    def warn_uncounted(self, rows: int, reason: str, *, batch_id: str) -> None:
        """Report that Marketo counted warnings without saying which rows they are about."""
        self._write(self.warnings, batch_id, reason, record=None, rows=rows)
        self._count(self._warned, reason, rows=rows)

    def warn_unknown(self, reason: str, *, batch_id: str) -> None:
        """Report that nobody knows which rows of an import have warnings; none is counted."""
        self._write(self.warnings, batch_id, reason, record=None, rows=None)

    def sync(self) -> None:
        """Return once everything reported is on disk."""
        self.rejects.sync()
        self.warnings.sync()

    def close(self) -> None:
        """End the run's files."""
        try:
            self.rejects.close()
        finally:
            self.warnings.close()

    def _write(
        self,
        file: ReportFile,
        batch_id: str | None,
        reason: str,
        *,
        marks: RejectMarks | None = None,
        **parts: object,
    ) -> None:
        # `strftime` takes longer than all else here, and there may be one for every row.
        time = f"{self._now().replace(tzinfo=None).isoformat(timespec='seconds')}Z"
        file.append({"time": time, "batch_id": batch_id, "reason": reason, **parts}, marks=marks)

    def _count(self, counter: Counter[str], shown: str, *, rows: int = 1) -> None:
        with self._lock:
            known = shown in counter or len(counter) < REASONS_MAX
            counter[shown if known else OTHER_REASONS] += rows


def make_private_directory(directory: Path) -> None:
    """Make a folder for personal data, unless it is there."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def _json_line(entry: Mapping[str, object]) -> bytes:
    try:
        text = json_text(entry)
    except ValueError:
        # A number that is not finite, or a type only a stream map can make.
        return escaped_json(entry, scalar=_scalar_text).encode() + b"\n"
    line = text.encode() + b"\n"
    if text.isascii():
        return line
    for character, escape in _LINE_SEPARATORS:
        line = line.replace(character, escape)
    return line


def _scalar_text(value: object) -> str:
    is_nan = isinstance(value, float) and not math.isfinite(value)
    return json.dumps(str(value) if is_nan else value, default=str)
