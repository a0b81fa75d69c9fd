"""Validator: the SDK's verdict on a record, without its price where the schema is plain."""

from __future__ import annotations

from contextlib import nullcontext
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import InvalidRecord
from singer_sdk.sinks.core import BaseJSONSchemaValidator, JSONSchemaValidator
from typing_extensions import override

from target_marketo_bulk.records.cell_text import NUMBER_MAX_DIGITS
from target_marketo_bulk.records.check_faults import FaultyChecks
from target_marketo_bulk.records.row_plan import TypeTest
from target_marketo_bulk.records.time_limit import CHECK_SECONDS_MAX, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_TYPES: dict[str, frozenset[type]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float, Decimal}),
    "boolean": frozenset({bool}),
    "null": frozenset({type(None)}),
}
_ANNOTATIONS = frozenset(
    {"type", "format", "title", "description", "default", "examples", "deprecated"}
)
_BOUNDS = frozenset({"maxLength", "minimum", "maximum"})
_PLAIN_OBJECT = frozenset(
    {"type", "properties", "required", "title", "description", "$schema", "additionalProperties"}
)


class PlainFirstValidator(BaseJSONSchemaValidator):
    """Accepts plain records by their values' types; leaves every other verdict to the SDK.

    It never rejects: whatever it does not accept is judged, and worded, by the SDK's validator.
    """

    def __init__(self, schema: dict[str, Any], *, stream: str = "") -> None:
        super().__init__(schema)
        self._sdk = JSONSchemaValidator(schema)
        self._faulty = FaultyChecks(stream, self._sdk)
        self._may_be_slow = "'pattern" in repr(schema)
        self._required = frozenset(schema.get("required", ()))
        self.tests: dict[str, TypeTest] = (
            dict(_tests(schema.get("properties", {}))) if _is_plain_object(schema) else {}
        )
        """The properties whose values' types say that they are valid."""

    @override
    def validate(self, record: dict[str, Any]) -> None:
        tests = self.tests
        if not (
            self.has_required(record)
            and all(name in tests and tests[name].passes(value) for name, value in record.items())
        ):
            self.judge(record)

    def has_required(self, names: Iterable[str]) -> bool:
        """Whether no property that must be there is missing."""
        return self._required.issubset(names)

    def judge(self, record: dict[str, Any]) -> None:
        """Have the SDK decide. A fault of its check is no verdict on the record.

        Raises: InvalidRecord, in the SDK's words.
        """
        doubtful = self._doubtful(record)
        try:
            with within(CHECK_SECONDS_MAX) if self._may_be_slow else nullcontext():
                self._sdk.validate({name: whole(value) for name, value in doubtful.items()})
        except InvalidRecord:
            raise
        except Exception as error:  # noqa: BLE001  # whatever a keyword of the schema leads to
            self._faulty.judge(doubtful, error)
            self._sdk = self._faulty.lasting or self._sdk

    def _doubtful(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the properties whose types do not decide, and those that must be there.

        In a plain object each property is judged by itself, and the SDK takes far longer for one.
        """
        tests, required = self.tests, self._required
        return {
            name: value
            for name, value in record.items()
            if name not in tests or name in required or not tests[name].passes(value)
        }


def whole(value: Any) -> Any:  # noqa: ANN401  # a JSON value
    """Return a value with `5.0` as 5, which JSON Schema holds for the same number."""
    if isinstance(value, dict):
        return {name: whole(each) for name, each in value.items()}
    if isinstance(value, list):
        return [whole(each) for each in value]
    if not isinstance(value, Decimal) or not value.is_finite():
        return value
    # Beyond this, an exponent would fill the memory with zeros.
    is_short = value.adjusted() <= NUMBER_MAX_DIGITS
    return int(value) if is_short and value == value.to_integral_value() else value


def _tests(properties: Mapping[str, Any]) -> Iterable[tuple[str, TypeTest]]:
    for name, schema in properties.items():
        types = _plain_types(schema, _ANNOTATIONS | _BOUNDS)
        if types:
            is_bounded = not _BOUNDS.isdisjoint(schema)
            yield name, TypeTest(types, _bound_test(schema) if is_bounded else None)


def _bound_test(schema: Mapping[str, Any]) -> Callable[[Any], bool]:
    longest: float = schema.get("maxLength", float("inf"))
    low: float = schema.get("minimum", float("-inf"))
    high: float = schema.get("maximum", float("inf"))

    def is_within(value: object) -> bool:
        if isinstance(value, str):
            return len(value) <= longest
        if value is None or isinstance(value, bool):
            return True
        # How a fraction compares is the SDK's affair.
        return isinstance(value, int) and low <= value <= high

    return is_within


def _is_plain_object(schema: Mapping[str, Any]) -> bool:
    types = schema.get("type", "object")
    return (
        schema.keys() <= _PLAIN_OBJECT
        and (types == "object" or "object" in types)
        and schema.get("additionalProperties", True) is not False
    )


def _plain_types(schema: object, allowed: frozenset[str]) -> frozenset[type]:
    """Return the Python types of every valid value; empty where types do not decide."""
    if not isinstance(schema, dict):
        return frozenset()
    if "anyOf" in schema:
        branches = [_plain_types(branch, _ANNOTATIONS) for branch in schema["anyOf"]]
        decides = schema.keys() <= (_ANNOTATIONS - {"type"}) | {"anyOf"} and all(branches)
        return frozenset().union(*branches) if decides else frozenset()
    names = schema.get("type")
    names = [names] if isinstance(names, str) else names or ()
    if not schema.keys() <= allowed or not all(name in _TYPES for name in names):
        return frozenset()
    return frozenset().union(*(_TYPES[name] for name in names))
