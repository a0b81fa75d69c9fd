"""Setting values: what a user wrote, in a file or in the environment, as the type declared.

Text is read the same wherever it comes from, because Meltano hands on as text what it has no type
for, and the environment has nothing but text.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any

from marketo_bulk.errors import ConfigurationError, one_line
from singer_marketo.json_files import without_repeats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TRUE = frozenset({"true", "1", "yes", "on"})
FALSE = frozenset({"false", "0", "no", "off"})

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_JSON_STARTS = ("[", "{", '"')
_SHOWN_MAX_CHARACTERS = 60
_EXPONENT_MAX = 30
"""A whole number with more digits is beyond every range, and dear to write out."""


class UnfitValueError(ValueError):
    """A value that is not what its setting takes; says what would be.

    Remedy: Write the value as the line says.
    """


def as_declared(
    config: Mapping[str, Any], properties: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values as their JSON Schema declares them, and a sentence for each that cannot be.

    Shape: null, and empty text where no text is declared, mean not set, and are left out. A setting
        that is not declared is kept as it is.
    """
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name, written in config.items():
        declared = properties.get(name)
        try:
            value = written if declared is None else _value(written, declared)
        except UnfitValueError as error:
            shown = "" if (declared or {}).get("secret") else f" is {_shown(written)}"
            faults[name] = f"{name}{shown}: {error}"
            continue
        if value is not None:
            values[name] = value
    return values, faults


def _value(written: object, declared: Mapping[str, Any]) -> object:
    if written is None:
        # An option may be called "null", and YAML then reads it as this.
        return "null" if "null" in declared.get("enum", ()) else None
    types = declared.get("type", ())
    types = {types} if isinstance(types, str) else types
    if {"integer", "string"} <= set(types):
        # An id or a name: what is no number is text, and text stays as it is.
        return _string(written, declared) if isinstance(written, str) else _integer(written, {})
    for kind, read in _READERS.items():
        if kind in types:
            is_empty = kind != "string" and isinstance(written, str) and not written.strip()
            return None if is_empty else read(written, declared)
    return written


def _boolean(written: object, _: Mapping[str, Any]) -> bool:
    if isinstance(written, bool):
        return written
    word = written.strip().lower() if isinstance(written, str) else ""
    if word not in TRUE | FALSE:
        raise UnfitValueError("give true or false")
    return word in TRUE


def _integer(written: object, declared: Mapping[str, Any]) -> int:
    number = _decimal(written)
    if number is None or not _is_whole(number) or not _is_within(number, declared):
        raise UnfitValueError(f"give a whole number{_range(declared)}")
    return int(number)


def _number(written: object, declared: Mapping[str, Any]) -> float:
    number = _decimal(written)
    if number is None or not _is_within(number, declared):
        raise UnfitValueError(f"give a number{_range(declared)}")
    return int(number) if isinstance(written, int) else float(number)


def _decimal(written: object) -> Decimal | None:
    """Return a finite number; None for anything else."""
    if isinstance(written, str):
        try:
            return Decimal(written.strip()) if _NUMBER.fullmatch(written.strip()) else None
        except InvalidOperation:  # an exponent beyond what any number has
            return None
    if isinstance(written, bool) or not isinstance(written, int | float | Decimal):
        return None
    number = Decimal(written)
    return number if number.is_finite() else None


def _is_whole(number: Decimal) -> bool:
    return number.adjusted() <= _EXPONENT_MAX and number == number.to_integral_value()


def _is_within(number: Decimal, declared: Mapping[str, Any]) -> bool:
    return (
        number >= declared.get("minimum", number)
        and number <= declared.get("maximum", number)
        and ("exclusiveMinimum" not in declared or number > declared["exclusiveMinimum"])
    )


def _range(declared: Mapping[str, Any]) -> str:
    above = declared.get("exclusiveMinimum")
    low = declared.get("minimum")
    high = declared.get("maximum")
    start = f" above {above}" if above is not None else f" from {low}" if low is not None else ""
    return f"{start} up to {high}" if high is not None else start


def _array(written: object, declared: Mapping[str, Any]) -> list[Any]:
    if isinstance(written, str):
        written = _items_of(written)
    if not isinstance(written, list):
        raise UnfitValueError(f"give a list, such as {_example(declared)}")
    items = declared.get("items", {})
    found = []
    for number, item in enumerate(written, 1):
        try:
            value = _value(item, items)
        except UnfitValueError as error:
            raise UnfitValueError(f"item {number}: {error}") from None
        if value is None or value == "":
            raise UnfitValueError(f"item {number} is empty")
        found.append(value)
    return found


def _items_of(text: str) -> object:
    """Return the items of a JSON list, or of one with commas and nothing else."""
    text = text.strip()
    if text.startswith(_JSON_STARTS):
        return _json(text, "it is neither a JSON list nor items separated by commas")
    return [item.strip() for item in text.split(",")]


def _example(declared: Mapping[str, Any]) -> str:
    kinds = declared.get("items", {}).get("type", ())
    return "[1001, 1002] or 1001,1002" if "integer" in kinds else '["one", "two"] or one,two'


def _object(written: object, _: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(written, str):
        written = _json(written, "give a JSON object")
    if not isinstance(written, dict):
        raise UnfitValueError("give a JSON object")
    return written


def _string(written: object, _: Mapping[str, Any]) -> str:
    if not isinstance(written, str):
        raise UnfitValueError("give text")
    if "\0" in written:
        raise UnfitValueError("it holds a NUL character")
    if _SURROGATE.search(written):
        raise UnfitValueError("it is not UTF-8")
    return written


_READERS: Mapping[str, Callable[[object, Mapping[str, Any]], object]] = {
    "array": _array,
    "object": _object,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "string": _string,
}


def _json(text: str, advice: str) -> object:
    try:
        return json.loads(
            text, parse_float=Decimal, object_pairs_hook=partial(without_repeats, "it")
        )
    except ConfigurationError as error:
        raise UnfitValueError(str(error)) from None
    except (ValueError, ArithmeticError, RecursionError):
        raise UnfitValueError(advice) from None


def _shown(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        shown = str(value) if abs(value) < 10**_EXPONENT_MAX else "a number of many digits"
    elif isinstance(value, Decimal):
        shown = str(value)
    else:
        shown = json.dumps(value, default=str, ensure_ascii=True)
    shown = one_line(shown)
    return shown if len(shown) <= _SHOWN_MAX_CHARACTERS else f"{shown[:_SHOWN_MAX_CHARACTERS]}…"


NESTED = ("batch_config", "faker_config")
"""Objects of which Meltano passes on every part, as null if nobody has set it."""


def without_unset(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config without the parts of objects that are null, and objects of nothing else."""
    pruned = {
        name: _set_parts(config[name]) for name in NESTED if isinstance(config.get(name), dict)
    }
    kept = {name: value for name, value in config.items() if name not in pruned}
    return {**kept, **{name: value for name, value in pruned.items() if value or not config[name]}}


def _set_parts(value: Any) -> Any:  # noqa: ANN401  # a JSON value
    if not isinstance(value, dict):
        return value
    parts = {name: _set_parts(part) for name, part in value.items() if part is not None}
    return {name: part for name, part in parts.items() if part != {}}
