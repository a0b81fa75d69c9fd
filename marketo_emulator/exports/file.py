"""The export file: written to disk row by row and hashed on the way (C§5.8)."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketo_emulator.data.values import NULL
from marketo_emulator.faults.rewrites import REWRITES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from marketo_emulator.data.values import Value
    from marketo_emulator.exports.request import Column

_BATCH_ROWS = 2000


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A finished file and what its job tells of it."""

    path: Path
    rows: int
    size_bytes: int
    sha256: str


class _Lines:
    """Collects what the csv module writes and ends each line as Marketo does.

    The csv module only quotes a cell with a line feed or a carriage return in it if they belong
    to its line terminator; so it is given both, and the one of each row is cut here.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._lines: list[str] = []
        self.size_bytes = 0

    def write(self, line: str) -> None:
        self._lines.append(line[:-2])

    def flush(self) -> None:
        if not self._lines:
            return
        chunk = ("\n".join(self._lines) + "\n").encode()
        self._lines.clear()
        self._digest.update(chunk)
        self.size_bytes += len(chunk)
        self._file.write(chunk)

    def sha256(self) -> str:
        return self._digest.hexdigest()


def write_export_file(
    path: Path,
    columns: Sequence[Column],
    rows: Iterable[tuple[Value, ...]],
    *,
    delimiter: str,
    header_if_empty: bool,
) -> ExportFile:
    """Write the file and return its description; memory stays bounded whatever its size."""
    count = 0
    with path.open("wb") as file:
        lines = _Lines(file)
        writer = csv.writer(lines, delimiter=delimiter, lineterminator="\r\n")
        header = [column.header for column in columns]
        for cells in _cells(columns, rows):
            if count == 0:
                writer.writerow(header)
            writer.writerow(cells)
            count += 1
            if count % _BATCH_ROWS == 0:
                lines.flush()
        if count == 0 and header_if_empty:
            writer.writerow(header)
        lines.flush()
    return ExportFile(path, count, lines.size_bytes, lines.sha256())


def rewrite_export_file(file: ExportFile, names: Sequence[str]) -> ExportFile:
    """Spoil a file for good, so that its size and digest are those of the spoilt one."""
    content = file.path.read_bytes()
    for name in names:
        content = REWRITES[name](content)
    file.path.write_bytes(content)
    return ExportFile(file.path, file.rows, len(content), hashlib.sha256(content).hexdigest())


def _cells(columns: Sequence[Column], rows: Iterable[tuple[Value, ...]]) -> Iterator[list[Value]]:
    plan = [(column.position, column.write) for column in columns]
    for row in rows:
        yield [
            NULL if (value := row[position]) is None else value if write is None else write(value)
            for position, write in plan
        ]
