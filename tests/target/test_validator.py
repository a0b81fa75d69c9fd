from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.exceptions import InvalidRecord
from singer_sdk.sinks.core import BaseJSONSchemaValidator, JSONSchemaValidator

from target_marketo_bulk.records.validator import PlainFirstValidator, whole

NAMES = st.sampled_from(["string", "integer", "number", "boolean", "null", "array"])
BRANCH = st.fixed_dictionaries(
    {"type": NAMES | st.lists(NAMES, min_size=1, unique=True)},
    optional={
        "maxLength": st.integers(0, 3),
        "minimum": st.integers(-3, 3),
        "maximum": st.integers(-3, 3),
        "multipleOf": st.just(2),
        "format": st.just("date"),
    },
)
SCHEMA = BRANCH | st.fixed_dictionaries({"anyOf": st.lists(BRANCH, min_size=1, max_size=3)})
VALUE = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text(max_size=5)
    | st.decimals(-5, 5, places=1)
    | st.lists(st.integers(), max_size=1)
)


def verdict(validator: BaseJSONSchemaValidator, record: dict[str, Any]) -> str | None:
    """Return why a record is refused; None if it is not."""
    try:
        validator.validate(record)
    except InvalidRecord as error:
        return error.error_message
    return None


@given(
    st.dictionaries(st.sampled_from("ab"), SCHEMA),
    st.dictionaries(st.sampled_from("abc"), VALUE),
    st.lists(st.sampled_from("ab"), unique=True),
    st.sampled_from([None, True, False]),
)
def test_verdict_is_the_sdks(
    properties: dict[str, Any],
    record: dict[str, Any],
    required: list[str],
    additional: bool | None,  # noqa: FBT001  # given by hypothesis
) -> None:
    """For any schema and record: accepted, or refused in the same words, as by the SDK.

    The SDK does not know that a Decimal can be whole, so it gets those as integers.
    """
    schema: dict[str, Any] = {"type": "object", "properties": properties, "required": required}
    if additional is not None:
        schema["additionalProperties"] = additional
    assert verdict(JSONSchemaValidator(schema), whole(record)) == verdict(
        PlainFirstValidator(schema), record
    )


@pytest.mark.parametrize("text", ["5.0", "5", "-0.0", "1e3", "12345678901234567890.000"])
def test_whole_number_with_a_fraction_is_an_integer(text: str) -> None:
    """JSON Schema goes by the number, not by how it is written, nested ones included."""
    integer = {"type": "integer"}
    schema = {
        "properties": {"a": integer, "b": {"properties": {"c": {"items": integer}}}, "d": integer}
    }
    value = Decimal(text)
    record = {"a": value, "b": {"c": [value]}}
    assert verdict(PlainFirstValidator(schema), record) is None
    assert verdict(PlainFirstValidator(schema), {"a": value + Decimal("0.5")}) is not None


def test_number_with_a_huge_exponent_is_no_memory_taken() -> None:
    """`1e999999999` is whole, but is never written out."""
    validator = PlainFirstValidator({"properties": {"a": {"type": "integer"}}})
    assert verdict(validator, {"a": Decimal("1e999999999")}) is not None


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": ["string", "null"], "maxLength": 3}, "abc"),
        ({"type": "integer", "minimum": -2147483648, "maximum": 2147483647}, 7),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, None),
        ({"type": "number"}, Decimal("1.5")),
    ],
)
def test_schemas_taps_write_do_not_need_the_sdk(
    schema: dict[str, Any], value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The schemas of the common SQL taps are decided by types and bounds alone."""
    validator = PlainFirstValidator({"properties": {"a": schema}})
    judged: list[object] = []
    monkeypatch.setattr(validator, "judge", judged.append)
    validator.validate({"a": value})
    with contextlib.suppress(InvalidRecord):
        validator.validate({"a": []})
    assert judged == [{"a": []}]


def test_only_properties_in_doubt_are_left_to_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """One bad value among many costs the check of one, whichever record it is in."""
    judged: list[dict[str, Any]] = []
    monkeypatch.setattr(
        JSONSchemaValidator, "validate", lambda _, record: judged.append({**record})
    )
    properties: dict[str, Any] = {f"p{i}": {"type": "integer"} for i in range(30)}
    properties["many"] = {"type": "array"}
    validator = PlainFirstValidator(
        {"type": "object", "properties": properties, "required": ["p1"]}
    )
    record = {name: 1 for name in properties if name != "many"}
    validator.validate(record)
    assert not judged
    validator.validate(record | {"p7": "seven"})
    validator.validate(record | {"many": [], "else": 1})
    assert judged == [{"p1": 1, "p7": "seven"}, {"p1": 1, "many": [], "else": 1}]
