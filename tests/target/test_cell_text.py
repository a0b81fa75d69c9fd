from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_marketo_bulk.records.cell_text import UnsendableValueError, converter_for

if TYPE_CHECKING:
    from collections.abc import Mapping

DATETIME = {"type": "string", "format": "date-time"}


def cell(value: object, schema: Mapping[str, object] | None = None, null_cell: str = "") -> object:
    """Return what a value becomes before `csv.writer` sees it."""
    convert = converter_for(type(value), schema or {}, null_cell=null_cell)
    return value if convert is None else convert(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (False, "false"),
        (Decimal("1E+7"), "10000000"),
        (Decimal("1.10"), "1.10"),
        (Decimal("-1E-7"), "-0.0000001"),
        (1e16, "10000000000000000"),
        (1e-7, "0.0000001"),
        (0.1, "0.1"),
        (5.0, "5.0"),
        (["a", 1], '["a",1]'),
        ({"a": Decimal("1.5")}, '{"a":1.5}'),
        (dt.datetime(2010, 5, 7, 15, 41, 32, tzinfo=dt.timezone.utc), "2010-05-07T15:41:32+00:00"),
        (dt.date(2010, 5, 7), "2010-05-07"),
    ],
)
def test_value_becomes_its_import_form(value: object, expected: str) -> None:
    """Every JSON value has the lexical form Marketo's import reads."""
    assert expected == cell(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2010-05-07T15:41:32-05:00", "2010-05-07T15:41:32-05:00"),
        ("2010-05-07T15:41:32Z", "2010-05-07T15:41:32Z"),
        ("2010-05-07T15:41:32.123Z", "2010-05-07T15:41:32.123Z"),
        ("2010-05-07T15:41:32", "2010-05-07T15:41:32Z"),
        ("2010-05-07 15:41:32", "2010-05-07T15:41:32Z"),
        ("2010-05-07 15:41:32+02:00", "2010-05-07T15:41:32+02:00"),
        ("2010-05-07", "2010-05-07"),
        ("yesterday afternoon", "yesterday afternoon"),
    ],
)
def test_datetime_text_gets_t_and_offset_and_nothing_else(text: str, expected: str) -> None:
    """A date-time without an offset is UTC; text that is none is left for Marketo to judge."""
    assert expected == cell(text, DATETIME)


def test_datetime_format_is_found_in_any_of() -> None:
    """A date-time announced by a branch of `anyOf` is one."""
    schema: dict[str, object] = {"anyOf": [DATETIME, {"type": "null"}]}
    assert cell("2010-05-07T15:41:32", schema) == "2010-05-07T15:41:32Z"


def test_null_is_left_to_the_setting() -> None:
    """An explicit null is an empty cell, or what `null_cell` says."""
    assert cell(None) is None
    assert cell(None, null_cell="null") == "null"


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), Decimal("Infinity"), Decimal("1E+999999")]
)
def test_number_without_text_is_refused(value: object) -> None:
    """A number that cannot be written out is refused, not rounded."""
    with pytest.raises(UnsendableValueError):
        str(cell(value))


def test_value_of_unknown_type_is_refused() -> None:
    """What is no JSON value is named, not guessed at."""
    with pytest.raises(UnsendableValueError, match="complex"):
        cell(1j)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_float_survives(value: float) -> None:
    """The text of a float reads back as the same float, and has no exponent."""
    text = str(cell(value))
    assert "e" not in text.lower()
    assert float(text) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_decimal_survives(value: Decimal) -> None:
    """The text of a decimal is the same number, and has no exponent."""
    text = str(cell(value))
    assert "E" not in text
    assert Decimal(text) == value
