"""The rewrite: a named way in which a body comes out wrong (C§18, C and F rows).

Those of text act on the first cell of a text field that is not null, and only on that.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from typing import Any

from marketo_emulator.data.fields import MEMBER_FIELDS
from marketo_emulator.data.values import NULL
from marketo_emulator.faults.tables import TEXT_TYPES, Table

Rewrite = Callable[[bytes], bytes]

_HUGE = 200_000
_MOMENTS = frozenset({"datetime"})
_WHOLE = frozenset({"integer", "score"})
_BOOLEANS = frozenset({"boolean"})
_ATTRIBUTES = frozenset({"attributes"})
_LABELS = {field.name: field.label for field in MEMBER_FIELDS}
_PLACE = "@@raw@@"
_OTHER_DIGITS = str.maketrans("0123456789abcdef", "fedcba9876543210")


def _table(edit: Callable[[Table], object], **writing: Any) -> Rewrite:  # noqa: ANN401 - options of Table.written
    def rewrite(content: bytes) -> bytes:
        if not content:
            return content
        table = Table.read(content)
        edit(table)
        return table.written(**writing)

    return rewrite


def _header(change: Callable[[str], str]) -> Rewrite:
    def edit(table: Table) -> None:
        table.header = [change(name) for name in table.header]

    return _table(edit)


def _columns(change: Callable[[list[str]], list[str]]) -> Rewrite:
    def edit(table: Table) -> None:
        table.header = change(table.header)
        table.rows = [change(cells) for cells in table.rows]

    return _table(edit)


def _added_column(header: Callable[[Table], str], value: str) -> Rewrite:
    def edit(table: Table) -> None:
        table.header.append(header(table))
        for cells in table.rows:
            cells.append(value)

    return _table(edit)


def _first_row(change: Callable[[list[str]], list[str]]) -> Rewrite:
    def edit(table: Table) -> None:
        table.rows[:1] = [change(cells) for cells in table.rows[:1]]

    return _table(edit)


def _rows(change: Callable[[list[list[str]]], list[list[str]]]) -> Rewrite:
    def edit(table: Table) -> None:
        table.rows = change(table.rows)

    return _table(edit)


def _separated(delimiter: str) -> Rewrite:
    def edit(table: Table) -> None:
        table.delimiter = delimiter

    return _table(edit)


def _first_text(change: Callable[[str], str]) -> Rewrite:
    return _table(lambda table: table.change_first(TEXT_TYPES, change))


def _every(types: frozenset[str], change: Callable[[str], str]) -> Rewrite:
    return _table(lambda table: table.change_all(types, change))


def _first(types: frozenset[str], change: Callable[[str], str]) -> Rewrite:
    return _table(lambda table: table.change_first(types, change))


def _raw_first_text(raw: bytes) -> Rewrite:
    """Put bytes that the csv module would not write as they are in place of the first text."""

    def rewrite(content: bytes) -> bytes:
        marked = _first_text(lambda _: _PLACE)(content)
        return marked.replace(_PLACE.encode(), raw, 1)

    return rewrite


def _last_header(change: Callable[[str], str]) -> Rewrite:
    def edit(table: Table) -> None:
        table.header[-1:] = [change(name) for name in table.header[-1:]]

    return _table(edit)


def _with_attribute(text: str, attribute: str) -> str:
    """Return an object of attributes with one more, written as it is."""
    separator = "" if text == "{}" else ", "
    return f"{text[:-1]}{separator}{attribute}}}"


def _numbers_as_text(text: str) -> str:
    shown = {
        name: str(value) if type(value) in {int, float} else value
        for name, value in json.loads(text).items()
    }
    return json.dumps(shown, ensure_ascii=False)


def _as_array(text: str) -> str:
    pairs = json.loads(text).items()
    return json.dumps([{"name": name, "value": value} for name, value in pairs], ensure_ascii=False)


def _json(edit: Callable[[Any], object]) -> Rewrite:
    def rewrite(content: bytes) -> bytes:
        document = json.loads(content)
        edit(document)
        return json.dumps(document, ensure_ascii=False).encode()

    return rewrite


def _integer_codes(document: Any) -> None:  # noqa: ANN401 - any JSON
    for error in document.get("errors", ()):
        error["code"] = int(error["code"])


def _checksum(change: Callable[[str], str]) -> Rewrite:
    def edit(document: Any) -> None:  # noqa: ANN401 - any JSON
        for job in document.get("result", ()):
            if "fileChecksum" in job:
                job["fileChecksum"] = change(job["fileChecksum"])

    return _json(edit)


REWRITES: dict[str, Rewrite] = {
    # -- any body -------------------------------------------------------------------------------
    "empty": lambda _: b"",
    "half": lambda content: content[: len(content) // 2],
    "last_byte_missing": lambda content: content[:-1],
    "swapped_case": lambda content: content.swapcase(),
    # -- JSON -----------------------------------------------------------------------------------
    "integer_codes": _json(_integer_codes),
    "checksum_upper_case": _checksum(lambda text: "sha256:" + text[len("sha256:") :].upper()),
    "checksum_wrong": _checksum(lambda text: text[:-4] + text[-4:].translate(_OTHER_DIGITS)),
    "checksum_md5": _checksum(lambda text: "md5:" + text[len("sha256:") :][:32]),
    # -- the lines of a file --------------------------------------------------------------------
    "byte_order_mark": lambda content: b"\xef\xbb\xbf" + content,
    "carriage_returns_and_line_feeds": _table(lambda _: None, line_end="\r\n"),
    "carriage_returns": _table(lambda _: None, line_end="\r"),
    "everything_quoted": _table(lambda _: None, quoting=csv.QUOTE_ALL),
    "no_final_line_feed": lambda content: content.removesuffix(b"\n"),
    "header_only": _rows(lambda _: []),
    "rows_reversed": _rows(lambda rows: rows[::-1]),
    "row_repeated": _rows(lambda rows: rows + rows[:1]),
    "row_missing": _rows(lambda rows: rows[1:]),
    "row_short": _first_row(lambda cells: cells[:-1]),
    "row_long": _first_row(lambda cells: [*cells, "surplus"]),
    "tab_separated": _separated("\t"),
    "semicolon_separated": _separated(";"),
    # -- its columns ----------------------------------------------------------------------------
    "columns_reversed": _columns(lambda cells: cells[::-1]),
    "column_missing": _columns(lambda cells: cells[:-1]),
    "column_added": _added_column(lambda _: "surplusColumn", "surplus"),
    "column_repeated": _added_column(lambda table: table.header[-1], "null"),
    "header_ui_labels": _header(lambda name: _LABELS.get(name, name)),
    "header_upper_case": _header(str.upper),
    "header_blank": _last_header(lambda name: f" {name}"),
    # -- its attributes -------------------------------------------------------------------------
    "attributes_null": _first(_ATTRIBUTES, lambda _: NULL),
    "attributes_empty": _first(_ATTRIBUTES, lambda _: ""),
    "attributes_invalid": _first(
        _ATTRIBUTES, lambda text: _with_attribute(text, '"Campaign Run ID": ""102938""')
    ),
    "attributes_newline": _first(
        _ATTRIBUTES, lambda text: _with_attribute(text, '"Note": "two\nlines"')
    ),
    "attributes_numbers_as_text": _every(_ATTRIBUTES, _numbers_as_text),
    "attributes_array": _every(_ATTRIBUTES, _as_array),
    # -- its cells ------------------------------------------------------------------------------
    "quotes_unescaped": _raw_first_text(b'"say "cheese" now"'),
    "null_byte": _raw_first_text(b"null\0byte"),
    "invalid_utf8": _first_text(lambda text: f"{text}\udcff\udcfe"),
    "cell_huge": _first_text(lambda _: "x" * _HUGE),
    "cell_garbage": _first(_WHOLE, lambda _: "N/A"),
    "integers_as_decimals": _every(_WHOLE, lambda text: f"{text}.0"),
    "moments_with_offset": _every(_MOMENTS, lambda text: f"{text[:-1]}.000+0000"),
    "booleans_as_words": _every(
        _BOOLEANS, lambda text: {"1": "TRUE", "0": "false"}.get(text, text)
    ),
}
