"""Cells: whole columns are read as the rules for single values say."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from marketo_bulk.reader.column_values import (
    Values,
    read_cells,
    read_cells_singly,
    read_columns,
)
from marketo_bulk.reader.columns import Kind

NUMERALS = st.one_of(
    st.integers().map(str),
    st.integers(-(10**20), 10**20).map(lambda number: f"{number}.0"),
    st.floats().map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
    st.text('0123456789+-.eEnul, \t\n\r_[]{}"\\', max_size=8),
    st.text("0123456789", min_size=14, max_size=20),
)
MOMENTS = st.one_of(
    st.datetimes().map(lambda moment: f"{moment.replace(microsecond=0).isoformat()}Z"),
    st.datetimes().map(lambda moment: f"{moment.isoformat()}+02:00"),
    st.dates().map(str),
    st.from_regex(
        r"20[0-2][0-9]-[01][0-9]-[0-3][0-9]([Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9][Zz]?)?",
        fullmatch=True,
    ),
)
OTHERS = st.sampled_from(["null", "Null", "", "true", "TRUE", "0", "1", "no", "N/A", "-", "\ud7ff"])
CELLS = st.one_of(NUMERALS, MOMENTS, OTHERS, st.text(st.characters(codec="utf-8"), max_size=6))


def shown(values: Values) -> str:
    """Return a spelling that tells 0.0 from -0.0, 1 from True and a tuple from a list."""
    return repr((list(values.values), values.bad))


ATOMS = [kind for kind in Kind if kind is not Kind.JSON]
"""Kinds of single values; `test_json_cells` is about the other."""


@pytest.mark.parametrize("kind", ATOMS)
@settings(deadline=None)
@given(
    cells=st.one_of(
        st.lists(CELLS, min_size=1),
        *(st.lists(st.one_of(cells, st.just("null")), min_size=1) for cells in (NUMERALS, MOMENTS)),
    )
)
@example(cells=["1,2"])
@example(cells=["1", "2,3", ""])
@example(cells=["1", ""])
@example(cells=[""])
@example(cells=["-0", "-0.0"])
@example(cells=["9007199254740993.0"])
@example(cells=["9" * 4000, "9" * 4001])
@example(cells=["5 ", " 5", "\n5"])
@example(cells=["123456789012345", "0.1234567890123456789"])
@example(cells=["2020-01-01T00:00:00Z", "2020-01-01T00:00:00"])
@example(cells=["2020-01-01T00:00:00", "2020-01-01T00:00:00.1"])
@example(cells=["2020-01-01T00:00:00z", "2020-02-30T00:00:00Z"])
@example(cells=['2020-01-01T00:00:00Z","2020-01-01T00:00:00Z', "null"])
def test_cells_together_are_cells_one_by_one(kind: Kind, cells: list[str]) -> None:
    """The fast reading of a column never differs from the plain one, in value or in type."""
    assert shown(read_cells(kind, cells)) == shown(read_cells_singly(kind, cells))


@pytest.mark.parametrize(
    ("kind", "cells", "values"),
    [
        (Kind.STRING, ["null", "Null", "NULL", " null", ""], [None, "Null", "NULL", " null", ""]),
        (Kind.INTEGER, ["5", "null", "-7"], [5, None, -7]),
        (Kind.NUMBER, ["5", "null", "-7.25"], [5.0, None, -7.25]),
        (Kind.BOOLEAN, ["1", "null", "false"], [True, None, False]),
        (Kind.DATE, ["2024-02-29", "null"], ["2024-02-29", None]),
        (Kind.DATETIME, ["2024-02-29T23:59:59Z", "null"], ["2024-02-29T23:59:59Z", None]),
    ],
)
def test_cells_only_exact_null_is_none(kind: Kind, cells: list[str], values: list[object]) -> None:
    """C16: `null` is null and nothing else is, in any column."""
    assert shown(read_cells(kind, cells)) == shown(Values(values))


@pytest.mark.parametrize("kind", [kind for kind in ATOMS if kind is not Kind.STRING])
def test_cells_of_a_type_tell_empty_from_bad(kind: Kind) -> None:
    """An empty cell holds no number, which is no fault; garbage is a fault and is located."""
    assert read_cells(kind, ["", "?", "null", "NULL"]) == Values([None] * 4, (1, 3))


@pytest.mark.parametrize("kind", ATOMS)
@settings(deadline=None)
@given(
    columns=st.integers(1, 4).flatmap(
        lambda height: st.lists(
            st.lists(st.one_of(CELLS, st.just("null")), min_size=height, max_size=height),
            min_size=1,
            max_size=4,
        )
    )
)
@example(columns=[["1,2"], ["3"]])
@example(columns=[["1", "2"], ["", "3"]])
@example(columns=[["1", "null"], ["-0", "2"], ["x", "4"]])
@example(columns=[["2020-01-01T00:00:00Z"], ["2020-01-01"], ["null"]])
def test_columns_of_a_type_together_are_columns_one_by_one(
    kind: Kind, columns: list[list[str]]
) -> None:
    """What one column has is never mixed up with that of its neighbour, bad cells included."""
    together = [shown(values) for values in read_columns(kind, columns)]
    assert together == [shown(read_cells(kind, cells)) for cells in columns]
