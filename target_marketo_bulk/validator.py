"""Validator: the SDK's verdict on a record, without its price where the schema is plain."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from singer_sdk.sinks.core import BaseJSONSchemaValidator, JSONSchemaValidator
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Guard = tuple[str, Callable[[Any], bool]]
    """A property, and a test its value must also pass."""

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

    It never rejects: whatever it does not accept is judged, and worded, by the SDK's validator,
    which is strict about everything this one does not understand.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        super().__init__(schema)
        self._sdk = JSONSchemaValidator(schema)
        self._required = frozenset(schema.get("required", ()))
        self._types: dict[str, frozenset[type]] = {}
        self._guards: dict[str, Guard] = {}
        if _is_plain_object(schema):
            self._learn(schema.get("properties", {}))

    @override
    def validate(self, record: dict[str, Any]) -> None:
        names = tuple(record)
        types = map(type, record.values())
        if not (self.fit(names, types) and self.are_within(self.guards_of(names), record)):
            self.judge(record)

    def judge(self, record: dict[str, Any]) -> None:
        """Have the SDK decide.

        Raises: InvalidRecord, in the SDK's words.
        """
        self._sdk.validate(record)

    def fit(self, names: tuple[str, ...], types: Iterable[type]) -> bool:
        """Whether a record of these properties and types is valid, but for its guards."""
        known = self._types
        return self._required.issubset(names) and all(
            value_type in known.get(name, ())
            for name, value_type in zip(names, types, strict=True)
        )

    def guards_of(self, names: Iterable[str]) -> tuple[Guard, ...]:
        """Return the tests of those properties whose values are bounded."""
        return tuple(self._guards[name] for name in names if name in self._guards)

    @staticmethod
    def are_within(guards: Iterable[Guard], record: Mapping[str, Any]) -> bool:
        """Whether every bounded value is within its bounds."""
        return all(test(record[name]) for name, test in guards)

    def _learn(self, properties: Mapping[str, Any]) -> None:
        for name, schema in properties.items():
            types = _plain_types(schema, _ANNOTATIONS | _BOUNDS)
            if types:
                self._types[name] = types
                if not _BOUNDS.isdisjoint(schema):
                    self._guards[name] = (name, _bound_test(schema))


def _bound_test(schema: Mapping[str, Any]) -> Callable[[Any], bool]:
    longest = schema.get("maxLength", float("inf"))
    low, high = schema.get("minimum", float("-inf")), schema.get("maximum", float("inf"))

    def is_within(value: object) -> bool:
        if isinstance(value, str):
            return len(value) <= longest
        if isinstance(value, bool) or not isinstance(value, int):
            # Only integers are compared here: what a fraction is compared to is the SDK's affair.
            return value is None or isinstance(value, bool) or _is_unbounded
        return bool(low <= value <= high)

    _is_unbounded = low == float("-inf") and high == float("inf")
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
