"""Many activities at a time come to the records that each of them comes to alone."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from marketo_bulk import ActivityAttribute, DecodeError
from marketo_bulk.reader.columns import kind_of
from marketo_bulk.reader.json_cells import decode_object, read_json_cells
from tap_marketo_bulk.output.writer import ENCODER
from tap_marketo_bulk.streams.activity_columns import OTHERS, TypedAttributes, column_names
from tap_marketo_bulk.streams.activity_rows import TypedRows

ATTRIBUTES = [
    ActivityAttribute("Link ID", "integer"),
    ActivityAttribute("link id", "score"),
    ActivityAttribute("Share", "percent"),
    ActivityAttribute("Is Bot", "boolean"),
    ActivityAttribute("Lead ID", "string"),
    ActivityAttribute("Seen", "datetime"),
]
COLUMNS = column_names(ATTRIBUTES, {"leadId", "marketoGUID"})
KINDS = {each.name: kind_of(each.data_type) for each in ATTRIBUTES}

numerals = st.sampled_from(
    ["0", "-0", "7", "-12", "5.0", "5.5", "1e3", "1E+400", "0.1", "123456789012345678901234567890",
     "9007199254740993.0", "0.12345678901234567890", "7" * 5000]
)  # fmt: skip
texts = st.sampled_from(
    ['""', '"+10"', '"4003"', '"4.5"', '"True"', '"x, \\"y\\""', '"\\u2028"', '"\\ud83e"']
)
values = numerals | texts | st.sampled_from(["true", "false", "null", "[887]", "{}"])
usual = st.fixed_dictionaries(
    {},
    optional={
        "Link ID": st.sampled_from(["null", "0", "-12", "123456789012345678901234567890"]),
        "Share": st.sampled_from(["null", "0.1", "5.50", "1e3"]),
        "Is Bot": st.sampled_from(["null", "true", "false"]),
        "Lead ID": st.sampled_from(["null", '"x, \\"y\\""', '""']),
    },
)
names = st.sampled_from([each.name for each in ATTRIBUTES] + ["Unheard", "Is bot"])
cells = st.lists(
    (usual | st.dictionaries(names, values, max_size=5)).map(
        lambda given: "{" + ", ".join(f"{json.dumps(n)}: {v}" for n, v in given.items()) + "}"
    ),
    min_size=1,
    max_size=12,
)
columns = st.sets(st.sampled_from([*COLUMNS.values(), OTHERS])).map(frozenset)


def attributes_for(wanted: frozenset[str], *, nulls: bool = True) -> TypedAttributes:
    """Return what turns the attributes of one row into these columns."""
    return TypedAttributes("activity_x", COLUMNS, KINDS, wanted, nulls)


def shown(records: list[Any]) -> list[Any]:
    """Return records as a reader of the lines has them, numbers exactly."""
    lines = ENCODER.encode_lines(records).splitlines()
    return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines]


@given(cells, columns)
@example(['{"Link ID": 5}'] * 3 + ['{"Link ID": "5"}'], frozenset({"link_id", OTHERS}))
@example(['{"Unheard": 1}', "{}"], frozenset({OTHERS}))
def test_rows_together_are_what_they_are_alone(given_cells: list[str], wanted: Any) -> None:
    """Whatever the attributes are, and whichever columns are wanted."""
    raws = read_json_cells(given_cells).values
    guids = [f"g{number}" for number in range(len(raws))]
    alone, together = attributes_for(wanted), attributes_for(wanted)
    expected = [
        {"marketoGUID": guid, **alone.of(decode_object(raw))}  # type: ignore[arg-type]  # an object
        for guid, raw in zip(guids, raws, strict=True)
    ]
    found = TypedRows(together, ["marketoGUID"]).records([guids], raws)
    assert shown(found) == shown(expected)
    assert together.misfits == alone.misfits


def test_a_row_unlike_the_others_does_not_slow_them_down() -> None:
    """Rows of the listed types are no dictionaries, wherever an odd one stands among them."""
    raws = [msgspec.Raw(b'{"Link ID": 1}')] * 100
    raws[37] = msgspec.Raw(b'{"Link ID": "1"}')
    rows = TypedRows(attributes_for(frozenset({"link_id"})), ["marketoGUID"])
    found = rows.records([["g"] * 100], raws)
    assert [index for index, record in enumerate(found) if isinstance(record, dict)] == [37]


def test_a_value_that_does_not_fit_names_its_column() -> None:
    """As it does where rows are read one by one."""
    rows = TypedRows(attributes_for(frozenset({"is_bot"}), nulls=False), ["marketoGUID"])
    with pytest.raises(DecodeError, match="activity_x: a value of is_bot is no boolean"):
        rows.records([["a", "b"]], [msgspec.Raw(b"{}"), msgspec.Raw(b'{"Is Bot": "maybe"}')])
