"""Arrow values: the cells of a column as an Arrow array, as exact as `values`.

Arrow reads some text that the rules of `values` refuse, and refuses some that they take. Only cells
on which both agree are left to it; all others are read by the rules, and converted.
"""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from marketo_bulk.errors import DecodeError
from marketo_bulk.reader.column_values import FLOAT_MAX_CHARACTERS
from marketo_bulk.reader.columns import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from marketo_bulk.reader.columns import Column

MONEY_TYPE = pa.decimal128(38, 9)
"""Nine digits behind the point: what warehouses call a numeric."""

INSTANT_TYPE = pa.timestamp("us", tz="UTC")

_TYPES: Mapping[Kind, pa.DataType] = {
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.DATETIME: INSTANT_TYPE,
    Kind.STRING: pa.string(),
    Kind.JSON: pa.string(),
}
_DIGITS = b"0123456789-"
_NUMERAL = b"0123456789-."
_DAY_CHARACTERS = len("2026-10-21")
_INSTANT_CHARACTERS = len("2026-10-21T00:00:00Z")
_MISFITS = (pa.ArrowException, OverflowError, ValueError, TypeError, ArithmeticError)
_FIRST_MOMENTS: Mapping[Kind, int] = {
    Kind.DATE: pa.scalar(date(1, 1, 1)).value,
    Kind.DATETIME: pa.scalar(datetime(1, 1, 1, tzinfo=timezone.utc), INSTANT_TYPE).value,
}
"""The first year as Arrow has it, in days or microseconds from the epoch on."""


def is_money(column: Column) -> bool:
    """Return whether a column's numbers are amounts of money, which no float may hold."""
    return column.is_money


def arrow_type(column: Column) -> pa.DataType:
    """Return the type of a column's array."""
    return MONEY_TYPE if is_money(column) else _TYPES[column.kind]


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """Return the schema of a table of `columns`; each may hold nulls."""
    return pa.schema([(column.name, arrow_type(column)) for column in columns])


def from_text(column: Column, cells: pa.StringArray) -> pa.Array | None:
    """Return the array of `cells`, null where a cell is; None if the rules have to read them."""
    if column.kind is Kind.STRING:
        return cells
    if not _CAN_CAST[column.kind](cells):
        return None
    try:
        array = cells.cast(arrow_type(column))
    except pa.ArrowInvalid:
        return None
    return array if _is_in_calendar(column.kind, array) else None


def from_values(
    column: Column, values: Sequence[object], source: str, nulled: dict[str, int] | None = None
) -> pa.Array:
    """Return the array of values as `RowReader` gives them, or JSON has them.

    Where `nulled` is given, values that the type cannot hold become null, and are counted there.

    Raises: DecodeError, without any value in it, if one is beyond what the type can hold exactly.
    """
    type_ = arrow_type(column)
    try:
        return _CONVERT[column.kind](values, type_)
    except _MISFITS as error:
        if nulled is not None:
            held = [value if _fits(column.kind, value, type_) else None for value in values]
            before = sum(value is None for value in values)
            nulled[column.name] = nulled.get(column.name, 0) + held.count(None) - before
            return _CONVERT[column.kind](held, type_)
        what = "an amount of money" if is_money(column) else column.kind.value
        raise DecodeError(
            f"{source}: column {column.name}: a value does not fit {arrow_type(column)}, the "
            f"Parquet type of {what}. Give the property another type in the catalog, such as "
            "string, or set on_bad_value to null",
            column=column.name,
        ) from error


def _fits(kind: Kind, value: object, type_: pa.DataType) -> bool:
    try:
        _CONVERT[kind]([value], type_)
    except _MISFITS:
        return False
    return True


# Whether Arrow and the rules agree on every cell that Arrow can read.


def _has_only(cells: pa.StringArray, marks: bytes) -> bool:
    offsets, data = cells.buffers()[1:]
    if data is None or offsets is None:
        return True
    starts = memoryview(offsets).cast("i")
    begin, end = starts[cells.offset], starts[cells.offset + len(cells)]
    return not bytes(memoryview(data)[begin:end]).translate(None, marks)


def _are_integers(cells: pa.StringArray) -> bool:
    return _has_only(cells, _DIGITS)


def _are_numbers(cells: pa.StringArray) -> bool:
    lengths = pc.max(pc.binary_length(cells)).as_py()
    return (lengths is None or lengths <= FLOAT_MAX_CHARACTERS) and _has_only(cells, _NUMERAL)


def _all_long(cells: pa.StringArray, characters: int) -> bool:
    lengths = pc.min_max(pc.binary_length(cells)).as_py()
    return {lengths["min"], lengths["max"]} <= {characters, None}


def _are_days(cells: pa.StringArray) -> bool:
    return _all_long(cells, _DAY_CHARACTERS)


def _are_instants(cells: pa.StringArray) -> bool:
    return _all_long(cells, _INSTANT_CHARACTERS)


def _are_booleans(_: pa.StringArray) -> bool:
    return True


_CAN_CAST: Mapping[Kind, Callable[[pa.StringArray], bool]] = {
    Kind.INTEGER: _are_integers,
    Kind.NUMBER: _are_numbers,
    Kind.BOOLEAN: _are_booleans,
    Kind.DATE: _are_days,
    Kind.DATETIME: _are_instants,
}


def _is_in_calendar(kind: Kind, array: pa.Array) -> bool:
    """Return whether no moment is before the first year, which Arrow has and Python has not."""
    first = _FIRST_MOMENTS.get(kind)
    if first is None:
        return True
    earliest: int | None = pc.min(array).value
    return earliest is None or earliest >= first


# Values to arrays.


def _plain(values: Sequence[object], type_: pa.DataType) -> pa.Array:
    return pa.array(values, type_)


def _numbers(values: Sequence[object], type_: pa.DataType) -> pa.Array:
    if type_ == MONEY_TYPE:
        return pa.array([None if v is None else Decimal(str(v)) for v in values], type_)
    return pa.array([None if v is None else _float(v) for v in values], type_)


def _float(value: object) -> float:
    """Return a number as a float whose shortest spelling is the number itself.

    Raises: ValueError if there is none: the nearest one would be another number.
    """
    if isinstance(value, float):
        return value
    number = float(value)  # type: ignore[arg-type]  # or it is no number
    exact = Decimal(repr(number)) if isinstance(value, Decimal) else number
    if exact != value:
        raise ValueError(number)
    return number


def _objects(values: Sequence[object], type_: pa.DataType) -> pa.Array:
    """Return objects as the JSON text that they are."""
    return pa.array([None if v is None else bytes(v).decode() for v in values], type_)  # type: ignore[call-overload]  # as the reader has them


def _moments(values: Sequence[object], type_: pa.DataType) -> pa.Array:
    return pa.array(values, pa.string()).cast(type_)


_CONVERT: Mapping[Kind, Callable[[Sequence[object], pa.DataType], pa.Array]] = {
    Kind.INTEGER: _plain,
    Kind.NUMBER: _numbers,
    Kind.BOOLEAN: _plain,
    Kind.DATE: _moments,
    Kind.DATETIME: _moments,
    Kind.STRING: _plain,
    Kind.JSON: _objects,
}
