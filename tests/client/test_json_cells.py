"""Columns of objects: every cell is kept, and one that is JSON is untouched."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from marketo_bulk.reader.json_cells import UNREADABLE, decode_object, read_json_cells

texts = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(texts, values, max_size=4)


def read(*cells: str) -> list[Any]:
    """Return the objects that cells hold."""
    return [decode_object(value) for value in read_json_cells(cells).values]


@given(st.lists(objects, min_size=1, max_size=5), st.booleans())
def test_objects_come_back_as_they_are(found: list[dict[str, Any]], is_ascii: bool) -> None:  # noqa: FBT001
    """Whatever they hold, and however it is escaped."""
    cells = [json.dumps(each, ensure_ascii=is_ascii) for each in found]
    raw = read_json_cells(cells)
    assert [bytes(value).decode() for value in raw.values] == cells
    assert (raw.mended, raw.unreadable) == (0, 0)
    assert read(*cells) == found


@given(st.lists(st.text(max_size=12) | objects.map(json.dumps), min_size=1, max_size=5))
@example(['{"a":1}', '{"a":2},{"b":3}'])
@example(['{"a":1},{"b":2}', ""])
@example(["{" * 100_000])
def test_no_cell_is_given_up(cells: list[str]) -> None:
    """One object for each cell, JSON in any case; what is unreadable stands in it as text."""
    raw = read_json_cells(cells)
    assert len(raw.values) == len(cells)
    for value, cell in zip(raw.values, cells, strict=True):
        found = json.loads(bytes(value))
        assert isinstance(found, dict)
        msgspec.json.encode(value)
        if UNREADABLE in found:
            assert found == {UNREADABLE: cell}
    assert raw.unreadable <= len(cells)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("null", {}),
        ("", {}),
        ("{}", {}),
        ('{"Run": ""102938""}', {"Run": "102938"}),
        ('{"A": "", "Run":""102938"", "B": ""}', {"A": "", "Run": "102938", "B": ""}),
        ('{"Run": "\\"102938\\""}', {"Run": '"102938"'}),
        ('{"Note": "two\nlines"}', {"Note": "two\nlines"}),
        ('[{"name": "A", "value": 1}, {"name": "B"}]', {"A": 1, "B": None}),
        ('{"Half": "\\ud83e"}', {"Half": "\ufffd"}),
        ('{"Half \\udc00": ["\\ud83e!"]}', {"Half \ufffd": ["\ufffd!"]}),
        (f'{{"N": {"7" * 5000}}}', {"N": Decimal("7" * 5000)}),
        ('{"N": 12345678901234567890.5}', {"N": Decimal("12345678901234567890.5")}),
        ('{"N": 0.1}', {"N": 0.1}),
        ("[1]", {UNREADABLE: "[1]"}),
        ('{"N": NaN}', {UNREADABLE: '{"N": NaN}'}),
        ('{"N": 1', {UNREADABLE: '{"N": 1'}),
        ("Jane", {UNREADABLE: "Jane"}),
    ],
)
def test_cells_in_odd_forms(cell: str, expected: dict[str, Any]) -> None:
    """As they have been seen, or may come; neighbours are not touched by them."""
    assert read(cell, '{"x":1}') == [expected, {"x": 1}]
