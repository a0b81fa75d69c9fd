"""Activity rows: rows of `activities` to records of one type, many at a time.

What has the types that Marketo lists is not read in Python: numbers stay the text they are in the
file. Rows that are otherwise go through `TypedAttributes` one by one, and come to the same values.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

import msgspec

from marketo_bulk.reader.columns import Kind
from marketo_bulk.reader.json_cells import decode_object
from marketo_bulk.reader.values import NUMERAL_MAX_CHARACTERS
from tap_marketo_bulk.streams.activity_columns import OTHERS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tap_marketo_bulk.streams.activity_columns import TypedAttributes

_NULL = msgspec.Raw(b"null")
# Values are JSON: what has no other characters than these is `null` or a number, and an integer
# where nothing but digits and signs are left.
_NUMERALS: Mapping[Kind, bytes] = {
    Kind.INTEGER: b"0123456789-,nul",
    Kind.NUMBER: b"0123456789-,nul+.eE",
}


class TypedRows:
    """Makes records of one type. `base` names the columns that every type has, of those wanted."""

    def __init__(self, attributes: TypedAttributes, base: Sequence[str]) -> None:
        self._attributes = attributes
        self._base = tuple(base)
        names = [*attributes.columns]
        wanted = [index for index, name in enumerate(names) if self._is_wanted(name)]
        self._wanted = wanted
        self._numerals = [
            (place, _NUMERALS[kind])
            for place, index in enumerate(wanted)
            if (kind := attributes.kinds[names[index]]) in _NUMERALS
        ]
        self._given = _struct(
            "Given",
            names,
            [self._type_of(name) for name in names],
            # What is not listed belongs to a column of its own.
            takes_others=OTHERS not in attributes.wanted,
        )
        self._decoder: msgspec.json.Decoder[list[msgspec.Struct]] = msgspec.json.Decoder(
            list[self._given]  # type: ignore[name-defined]  # a class that is made here
        )
        columns = [attributes.columns[names[index]] for index in wanted]
        others = [OTHERS] if OTHERS in attributes.wanted else []
        self._record = _struct("Record", [*self._base, *columns, *others])
        self._others = [repeat(None)] * len(others)

    def _is_wanted(self, name: str) -> bool:
        return self._attributes.columns[name] in self._attributes.wanted

    def _type_of(self, name: str) -> tuple[Any, Any]:
        """Return the type of an attribute in the file, and its value where there is none."""
        kind = self._attributes.kinds[name]
        if not self._is_wanted(name) or kind in _NUMERALS:
            return msgspec.Raw, msgspec.field(default=_NULL)
        return (bool if kind is Kind.BOOLEAN else str) | None, None

    def records(self, base: Sequence[Sequence[Any]], objects: Sequence[Any]) -> list[Any]:
        """Return a record for each row, as objects that encode to it.

        Shape: `base` has the values of the columns that every type has, by column; `objects` the
            attributes of each row, as the reader gives them.
        Raises: DecodeError for a value that does not fit its type, unless that becomes null.
        """
        columns = self._columns(objects)
        if columns is not None:
            return [*map(self._record, *base, *columns, *self._others)]
        if len(objects) == 1:
            values = (column[0] for column in base)
            given = decode_object(objects[0])
            typed = self._attributes.of(given if isinstance(given, dict) else None)
            return [dict(zip(self._base, values, strict=True)) | typed]
        # Somewhere in here is a row that is unlike the others; it is found by halves.
        middle = len(objects) // 2
        return [
            *self.records([column[:middle] for column in base], objects[:middle]),
            *self.records([column[middle:] for column in base], objects[middle:]),
        ]

    def _columns(self, objects: Sequence[Any]) -> list[Sequence[Any]] | None:
        """Return the wanted attributes by column; None if one is not as its type says."""
        try:
            given = self._decoder.decode(b"[" + b",".join(objects) + b"]")
        except (msgspec.MsgspecError, RecursionError, TypeError):
            return None
        columns = [*zip(*map(msgspec.structs.astuple, given), strict=True)]
        wanted = [columns[index] for index in self._wanted]
        for place, numerals in self._numerals:
            if not _are_numerals(wanted[place], numerals):
                return None
        return [*wanted]


def _are_numerals(values: Sequence[Any], numerals: bytes) -> bool:
    text = b",".join(values)
    if len(text) > NUMERAL_MAX_CHARACTERS:
        longest = max(memoryview(value).nbytes for value in values)
        if longest > NUMERAL_MAX_CHARACTERS:
            return False
    return not text.translate(None, numerals)


def _struct(
    name: str,
    names: Collection[str],
    types: Sequence[tuple[Any, Any]] | None = None,
    *,
    takes_others: bool = True,
) -> type[msgspec.Struct]:
    """Return a structure that has these names in JSON."""
    fields = [f"f{index}" for index in range(len(names))]
    declared = [(field, Any) for field in fields]
    if types is not None:
        declared = [(field, *each) for field, each in zip(fields, types, strict=True)]  # type: ignore[misc]  # with a default
    return msgspec.defstruct(
        name,
        declared,
        rename=dict(zip(fields, names, strict=True)),
        gc=False,  # rows hold only atoms, never a cycle
        forbid_unknown_fields=not takes_others,
    )
