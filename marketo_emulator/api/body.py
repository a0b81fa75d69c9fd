"""The body of a control call: JSON whatever its content type says, checked name by name."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.wrappers import Request

_MOST_SECONDS = 100 * 366 * 86_400


class BodyError(ValueError):
    """A body that is not what the call expects; its text says what was wrong."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value may be: how that is called, and whether a value is it."""

    name: str
    fits: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One key of a body."""

    kind: Kind
    required: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """Which keys a body may have; `rest` is what the values of all further keys may be."""

    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    rest: Kind | None = None
    rest_name: str = "field name"
    is_list_allowed: bool = False

    @override
    def __str__(self) -> str:
        """Return the shape as a body would be written, with a question mark at optional keys."""
        parts = [
            f'"{name}"{"" if parameter.required else "?"}: {parameter.kind.name}'
            for name, parameter in self.parameters.items()
        ]
        if self.rest is not None:
            parts.append(f"<{self.rest_name}>: {self.rest.name}")
        if not parts:
            return "no body"
        text = f"a JSON object {{{', '.join(parts)}}}"
        return f"{text} or a list of them" if self.is_list_allowed else text

    def check(self, document: object) -> dict[str, Any]:
        """Return the object.

        Raises: BodyError for anything else, and for a key or value that does not belong.
        """
        if not isinstance(document, dict):
            raise BodyError(f"the body is {called(document)}")
        for name, parameter in self.parameters.items():
            if parameter.required and name not in document:
                raise BodyError(f'"{name}" is missing')
        for name, value in document.items():
            parameter_kind = self.parameters[name].kind if name in self.parameters else self.rest
            if parameter_kind is None:
                raise BodyError(f"there is no {json.dumps(name)}")
            if not parameter_kind.fits(value):
                raise BodyError(f"{json.dumps(name)} is {called(value)}, not {parameter_kind.name}")
        return document


def read_json(request: Request) -> object:
    """Return the decoded body, or an empty object if there is none.

    Raises: BodyError for what is no JSON.
    """
    content = request.get_data()
    if not content.strip():
        return {}
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BodyError("the body is no JSON") from None


def _refuse_constant(text: str) -> object:
    raise ValueError(text)


def called(value: object) -> str:
    """Return what a value is in words of JSON, short."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


_SHOWN = 40


def _is_whole(value: object) -> bool:
    return type(value) is int


def _is_number(value: object) -> bool:
    return type(value) in {int, float} and abs(value) < 1 << 62 and math.isfinite(value)  # type: ignore[arg-type]


NUMBER = Kind("number", _is_number)
TEXT = Kind("text", lambda value: isinstance(value, str))
NAME = Kind("text that is not empty", lambda value: isinstance(value, str) and bool(value))
WHOLE = Kind("integer", _is_whole)
COUNT = Kind("integer from 0", lambda value: _is_whole(value) and 0 <= value < 1 << 53)
IDS = Kind("list of integers", lambda value: isinstance(value, list) and all(map(_is_whole, value)))
SECONDS = Kind(
    f"number from 0 to {_MOST_SECONDS}",
    lambda value: _is_number(value) and 0 <= value <= _MOST_SECONDS,
)
BOOLEAN = Kind("true or false", lambda value: isinstance(value, bool))
OBJECT = Kind("object", lambda value: isinstance(value, dict))
ANY = Kind("anything", lambda _value: True)
SCALAR = Kind("text, number, true, false or null", lambda value: not isinstance(value, list | dict))


def choice(*names: str) -> Kind:
    """Return the kind of a text that is one of these."""
    shown = ", ".join(f'"{name}"' for name in names)
    return Kind(f"one of {shown}", lambda value: isinstance(value, str) and value in names)


def or_null(kind: Kind) -> Kind:
    """Return the kind that allows null as well."""
    return Kind(f"{kind.name} or null", lambda value: value is None or kind.fits(value))
