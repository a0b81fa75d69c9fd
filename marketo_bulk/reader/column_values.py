"""The cells of one column, read together: as exact as `values`, without a call for every cell.

The typed cells of a column are read as one JSON array, by msgspec. JSON's own grammar of numbers
is stricter than the rules of `values` in all but a few points, and those are ruled out before.
Whatever JSON does not take is left to `values`, cell by cell.
"""

from __future__ import annotations

from datetime import date, datetime
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from marketo_bulk.reader.columns import Kind
from marketo_bulk.reader.json_cells import read_json_cells
from marketo_bulk.reader.values import BOOLEANS, NUMERAL_MAX_CHARACTERS, PARSERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NULL = "null"

# A float keeps every decimal numeral of 15 significant digits.
FLOAT_MAX_CHARACTERS = 15

_INSTANT_CHARACTERS = len("2026-10-21T00:00:00Z")
_DAY_CHARACTERS = len("2026-10-21")

# JSON allows blanks around a number, which are no part of one; msgspec reads `5.0` and `5e3` as
# integers by way of a float, and `-0` as a zero without its sign.
_BLANKS = (" ", "\t", "\n", "\r")
_NOT_JSON_INTEGERS = (*_BLANKS, ".", "e", "E")
_NOT_JSON_NUMBERS = (*_BLANKS, "e", "E", "-0")
_INTEGERS = msgspec.json.Decoder(list[int | None])
_NUMBERS = msgspec.json.Decoder(list[float | None])
_DAYS = list[date | None]
_INSTANTS = list[datetime | None]

_BOOLEANS: Mapping[str, bool | None] = {**BOOLEANS, NULL: None}


class Values(NamedTuple):
    """What a column's cells hold.

    Shape: `values` has one entry a cell; `bad` are the indexes of cells their type cannot read,
    ascending. `mended` and `unreadable` count cells that should be objects and are not.
    """

    values: Sequence[object]
    bad: tuple[int, ...] = ()
    mended: int = 0
    unreadable: int = 0


def read_cells(kind: Kind, cells: Sequence[str]) -> Values:
    """Return what `cells` hold.

    Shape: None stands for `null`, for a bad cell, and for an empty one unless it may be text.
    """
    if kind is Kind.JSON:
        return Values(*_as_values(cells))
    together = _TOGETHER[kind](cells)
    return read_cells_singly(kind, cells) if together is None else Values(together)


def read_columns(kind: Kind, columns: Sequence[Sequence[str]]) -> list[Values]:
    """Return the same as `read_cells` of each of these columns, which are equally long.

    Read as one where that is possible: a few rows of many columns cost more to begin than to read.
    """
    if kind is Kind.JSON:
        return [read_cells(kind, cells) for cells in columns]
    height = len(columns[0])
    together = _TOGETHER[kind]([*chain.from_iterable(columns)])
    if together is None:
        return [read_cells(kind, cells) for cells in columns]
    return [Values(together[i : i + height]) for i in range(0, len(together), height)]


def read_cells_singly(kind: Kind, cells: Sequence[str]) -> Values:
    """Return the same as `read_cells`, by the rules of `values` alone."""
    parse = PARSERS[kind]
    values: list[object] = []
    bad: list[int] = []
    for index, cell in enumerate(cells):
        value: object = None
        if cell != NULL and (cell or kind is Kind.STRING):
            try:
                value = parse(cell)
            except ValueError:
                bad.append(index)
        values.append(value)
    return Values(values, tuple(bad))


# Each of these returns None if a single cell is not plain enough.


def _integers(cells: Sequence[str]) -> Sequence[object] | None:
    text = ",".join(cells)
    if len(text) > NUMERAL_MAX_CHARACTERS and max(map(len, cells)) > NUMERAL_MAX_CHARACTERS:
        return None
    if any(mark in text for mark in _NOT_JSON_INTEGERS):
        return None
    return _decode(_INTEGERS, text, len(cells))


def _numbers(cells: Sequence[str]) -> Sequence[object] | None:
    text = ",".join(cells)
    if max(map(len, cells)) > FLOAT_MAX_CHARACTERS:
        return None
    if any(mark in text for mark in _NOT_JSON_NUMBERS):
        return None
    return _decode(_NUMBERS, text, len(cells))


def _decode(
    decoder: msgspec.json.Decoder[list[int | None]] | msgspec.json.Decoder[list[float | None]],
    text: str,
    length: int,
) -> Sequence[object] | None:
    try:
        values = decoder.decode(f"[{text}]")
    except msgspec.MsgspecError:
        return None
    # A cell with a comma inside makes two elements of one.
    return values if len(values) == length else None


def _booleans(cells: Sequence[str]) -> Sequence[object] | None:
    try:
        return list(map(_BOOLEANS.__getitem__, cells))
    except KeyError:
        return None


def _dates(cells: Sequence[str]) -> Sequence[object] | None:
    values = _strings(cells)
    if set(map(len, filter(None, values))) - {_DAY_CHARACTERS}:
        return None
    return values if _is_real(values, _DAYS) else None


def _datetimes(cells: Sequence[str]) -> Sequence[object] | None:
    values = _strings(cells)
    text = "".join(filter(None, values))
    count = len(text) // _INSTANT_CHARACTERS
    # msgspec takes other spellings, too, but none has its T and a Z at these two places: the
    # first cell of another length, or with a small letter, is off the stride.
    if text[10::_INSTANT_CHARACTERS] != "T" * count or text[19::_INSTANT_CHARACTERS] != "Z" * count:
        return None
    return values if _is_real(values, _INSTANTS) else None


def _is_real(values: Sequence[str | None], what: object) -> bool:
    try:
        msgspec.convert(values, what)
    except msgspec.ValidationError:
        return False
    return True


def _as_values(cells: Sequence[str]) -> tuple[Sequence[object], tuple[int, ...], int, int]:
    read = read_json_cells(cells)
    return read.values, (), read.mended, read.unreadable


def _strings(cells: Sequence[str]) -> Sequence[str | None]:
    if NULL not in cells:
        return cells
    return [None if cell == NULL else cell for cell in cells]


_TOGETHER: Mapping[Kind, Callable[[Sequence[str]], Sequence[object] | None]] = {
    Kind.INTEGER: _integers,
    Kind.NUMBER: _numbers,
    Kind.BOOLEAN: _booleans,
    Kind.DATE: _dates,
    Kind.DATETIME: _datetimes,
    Kind.STRING: _strings,
}
