"""The table: a delimited file taken apart, so that a rewrite can spoil one thing and no other."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from marketo_emulator.data.activity_rows import DATA_TYPES
from marketo_emulator.data.fields import LEAD_FIELDS, MEMBER_FIELDS
from marketo_emulator.data.values import NULL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXT_TYPES = frozenset({"string", "text", "textarea", "email", "phone", "url"})


@dataclass(slots=True)
class Table:
    """Header and rows of one file."""

    header: list[str]
    rows: list[list[str]]
    delimiter: str = ","

    @classmethod
    def read(cls, content: bytes) -> Table:
        """Return the table in a file that the emulator wrote."""
        text = content.decode("utf-8", "surrogateescape")
        first_line = text.partition("\n")[0]
        delimiter = max(",\t;", key=first_line.count)
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        return cls(lines[0] if lines else [], lines[1:], delimiter)

    def written(self, *, line_end: str = "\n", quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> bytes:
        """Return the file."""
        lines: list[str] = []
        for cells in (self.header, *self.rows):
            text = io.StringIO(newline="")
            # See export_file: only this terminator has both kinds of line end quoted.
            csv.writer(
                text, delimiter=self.delimiter, lineterminator="\r\n", quoting=quoting
            ).writerow(cells)
            lines.append(text.getvalue()[:-2] + line_end)
        return "".join(lines).encode("utf-8", "surrogateescape")

    def data_type(self, column: int) -> str:
        """Return the data type of the field a column is named after, or "" for none."""
        name = self.header[column]
        field = MEMBER_FIELDS.get(name) or LEAD_FIELDS.get(name)
        return DATA_TYPES.get(name, "") if field is None else field.data_type

    def cells(self, types: frozenset[str]) -> Iterator[tuple[int, int]]:
        """Return row and column of every cell of these types that is not null."""
        columns = [column for column in range(len(self.header)) if self.data_type(column) in types]
        for number, cells in enumerate(self.rows):
            yield from ((number, column) for column in columns if cells[column] != NULL)

    def change_first(self, types: frozenset[str], change: Callable[[str], str]) -> None:
        """Change the first cell of these types that is not null, if there is one."""
        for number, column in self.cells(types):
            self.rows[number][column] = change(self.rows[number][column])
            return

    def change_all(self, types: frozenset[str], change: Callable[[str], str]) -> None:
        """Change every cell of these types that is not null."""
        for number, column in self.cells(types):
            self.rows[number][column] = change(self.rows[number][column])
