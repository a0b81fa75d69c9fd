"""Flattening: what the SDK makes of schemas and records is what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.singerlib.exceptions import InvalidInputLine

from tests.target.runs import TEXT, leads, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.target.runs import Record, Run

    RunTarget = Callable[[bytes, Record], Run]

FLATTENED: dict[str, Any] = {
    "flattening_enabled": True,
    "flattening_max_depth": 2,
    "flattening_separator": "",
}
EMAIL = "flat@load.test"
NAMES = {"type": ["object", "null"], "properties": {"Name": TEXT}}
WHOLE = {"type": "integer"}
MOMENT = {"type": "string", "format": "date-time"}
NULL = {"type": "null"}


def schema_of(**properties: object) -> Record:
    """Return a schema of leads with these properties, and a few definitions to refer to."""
    definitions = {"whole": WHOLE, "moment": MOMENT, "names": NAMES}
    return {"type": "object", "properties": {"email": TEXT, **properties}, "$defs": definitions}


@pytest.mark.parametrize(
    ("schema", "value", "cell"),
    [
        pytest.param({}, 5, "5", id="no type"),
        pytest.param({"anyOf": [TEXT, WHOLE]}, 5, "5", id="later branch"),
        pytest.param({"anyOf": [NULL, WHOLE]}, "five", None, id="no branch fits"),
        pytest.param({"oneOf": [NULL, MOMENT]}, "2024-01-02 03:04:05", "2024-01-02T03:04:05Z"),
        pytest.param({"$ref": "#/$defs/moment"}, "2024-01-02 03:04:05", "2024-01-02T03:04:05Z"),
        pytest.param({"allOf": [{"$ref": "#/$defs/whole"}]}, 5, "5", id="allOf"),
        pytest.param({"title": "Company", "anyOf": [WHOLE, NULL]}, 5, "5", id="title first"),
        pytest.param({"enum": ["a", 5]}, 5, "5", id="enum"),
        pytest.param({"enum": ["a", 5]}, 6, None, id="not in enum"),
        pytest.param({"const": 5}, 5, "5", id="const"),
        pytest.param({"type": ["array", "integer"]}, 5, "5", id="array or not"),
        pytest.param({"anyOf": [{"type": "object"}, TEXT]}, {"a": 1.50}, '{"a":1.5}', id="object"),
    ],
)
def test_flattening_loses_no_type(
    emulator: Emulator, config: Record, run: RunTarget, schema: Record, value: object, cell: object
) -> None:
    """A property without a plain type is checked and written as it is without flattening."""
    config = {**config, **FLATTENED, "max_rejected_percent": 100}
    lines = singer_lines([{"email": EMAIL, "company": value}], schema=schema_of(company=schema))
    result = run(lines, config)
    assert result.error is None
    assert len(result.rejects) == (cell is None)
    assert [lead["company"] for lead in leads(emulator).values()] == [cell] * (cell is not None)


@pytest.mark.parametrize(
    "first",
    [NAMES, {"$ref": "#/$defs/names"}, {"type": "object", "properties": {"Name": True}}],
    ids=["plain", "reference", "true"],
)
def test_object_taken_apart_is_required_no_more(
    emulator: Emulator, config: Record, run: RunTarget, first: Record
) -> None:
    """The record has the names of its parts then."""
    schema = {**schema_of(first=first), "required": ["email", "first"]}
    lines = singer_lines([{"email": EMAIL, "first": {"Name": "Ann"}}], schema=schema)
    result = run(lines, {**config, **FLATTENED})
    assert result.error is None
    assert result.rejects == []
    assert leads(emulator)[EMAIL]["firstName"] == "Ann"


def test_null_object_is_null_in_each_of_its_columns(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """Its own name is no column; objects inside it count, and an absent one says nothing."""
    inner = {"type": ["object", "null"], "properties": {"": NAMES}}
    schema = schema_of(first=NAMES, last=inner)
    records: list[Record] = [
        {"email": EMAIL, "first": None, "last": {"": {"Name": "Lee"}}},
        {"email": f"b{EMAIL}", "last": None},
        {"email": f"c{EMAIL}", "last": {"": None}},
    ]
    result = run(singer_lines(records, schema=schema), {**config, **FLATTENED, "null_cell": "-"})
    assert result.error is None
    found = leads(emulator)
    assert (found[EMAIL]["firstName"], found[EMAIL]["lastName"]) == ("-", "Lee")
    for who in "bc":
        lead = found[f"{who}{EMAIL}"]
        assert (lead["firstName"], lead["lastName"]) == (None, "-")


def test_two_properties_for_one_column_are_named(config: Record, run: RunTarget) -> None:
    """One line, with the column."""
    names = {"type": "object", "properties": {"Name": TEXT}}
    lines = singer_lines([], schema=schema_of(firstName=TEXT, first=names))
    error = run(lines, {**config, **FLATTENED}).error
    assert isinstance(error, InvalidInputLine)
    assert "cannot be flattened: Duplicate column name produced in schema: firstName" in str(error)
