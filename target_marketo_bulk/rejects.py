"""Rejects: the rows that were not imported, and the warnings, as JSON lines."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

REASONS_MAX = 200
"""Different reasons told apart in the summary; the files have them all."""

OTHER_REASONS = "other reasons"

_ENCODER = msgspec.json.Encoder(decimal_format="number")
# JSON may hold them as they are, but many readers of lines take them for line ends.
_LINE_SEPARATORS = tuple(
    (separator.encode(), f"\\u{ord(separator):04x}".encode()) for separator in "\x85\u2028\u2029"
)
_HIDDEN = "…"
_TELLING_CHARACTERS = 3


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

    def append(self, entry: Mapping[str, object]) -> None:
        """Write one line."""
        line = _json_line(entry)
        with self._lock:
            if self._handle is None:
                self._handle = self._create()
            self._handle.write(line)
            self._is_dirty = True

    def sync(self) -> None:
        """Return once every line is on disk."""
        with self._lock:
            if self._handle is not None and self._is_dirty:
                self._handle.flush()
                os.fsync(self._handle.fileno())
                self._is_dirty = False

    def close(self) -> None:
        """Put everything on disk; no line can be added any more."""
        self.sync()
        with self._lock:
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

    def top_reasons(self, most: int) -> list[tuple[str, int]]:
        """Return the commonest reasons for rejects, with their numbers of rows."""
        with self._lock:
            return self._reasons.most_common(most)

    def reject(
        self, record: Mapping[str, Any], reason: str, *, batch_id: str | None = None
    ) -> None:
        """Report a record that was not imported."""
        self._write(self.rejects, batch_id, reason, record=record)
        self._count(self._reasons, reason, record.values())

    def reject_unmatched(
        self, reported_row: Mapping[str, str], reason: str, *, batch_id: str
    ) -> None:
        """Report a failed row that is none of the rows sent, as Marketo reported it."""
        self._write(self.rejects, batch_id, reason, record=None, reported_row=reported_row)
        self._count(self._reasons, reason, reported_row.values())

    def reject_uncounted(self, rows: int, reason: str, *, batch_id: str) -> None:
        """Report that Marketo counted failed rows without saying which."""
        self._write(self.rejects, batch_id, reason, record=None, rows=rows)
        self._count(self._reasons, reason, (), rows=rows)

    def warn(
        self,
        record: Mapping[str, Any] | None,
        reason: str,
        *,
        batch_id: str,
        reported_row: Mapping[str, str] | None = None,
    ) -> None:
        """Report a row that was imported with a warning."""
        extra = {} if reported_row is None else {"reported_row": reported_row}
        self._write(self.warnings, batch_id, reason, record=record, **extra)
        self._count(self._warned, reason, (record or reported_row or {}).values())

    def warn_uncounted(self, rows: int, reason: str, *, batch_id: str) -> None:
        """Report that Marketo counted warnings without saying which rows they are about."""
        self._write(self.warnings, batch_id, reason, record=None, rows=rows)
        self._count(self._warned, reason, (), rows=rows)

    def sync(self) -> None:
        """Return once everything reported is on disk."""
        self.rejects.sync()
        self.warnings.sync()

    def close(self) -> None:
        """End the run's files."""
        self.rejects.close()
        self.warnings.close()

    def _write(self, file: ReportFile, batch_id: str | None, reason: str, **parts: object) -> None:
        time = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        file.append({"time": time, "batch_id": batch_id, "reason": reason, **parts})

    def _count(
        self, counter: Counter[str], reason: str, values: Iterable[object], *, rows: int = 1
    ) -> None:
        shown = without_values(reason, values)
        with self._lock:
            known = shown in counter or len(counter) < REASONS_MAX
            counter[shown if known else OTHER_REASONS] += rows


def without_values(reason: str, values: Iterable[object]) -> str:
    """Return a reason fit for a log: Marketo may quote the value it did not like."""
    for value in sorted({str(value) for value in values}, key=len, reverse=True):
        if len(value) >= _TELLING_CHARACTERS and value in reason:
            reason = reason.replace(value, _HIDDEN)
    return reason


def make_private_directory(directory: Path) -> None:
    """Make a folder for personal data, unless it is there."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def _json_line(entry: Mapping[str, object]) -> bytes:
    try:
        line = _ENCODER.encode(entry) + b"\n"
    except (UnicodeEncodeError, TypeError, ValueError):
        # Half a surrogate pair, or a type only a stream map can make.
        return json.dumps(entry, default=str).encode() + b"\n"
    for character, escape in _LINE_SEPARATORS:
        line = line.replace(character, escape)
    return line
