"""JSON files: what a user hands over by path, read whole, or refused in one line."""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

from marketo_bulk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

STANDARD_INPUT = "-"
KEY_SHOWN_CHARACTERS = 60

_KINDS = {list: "a list", str: "text", bool: "true or false", type(None): "null"}


def read_object(path: str, purpose: str, *, takes_nan: bool = False) -> dict[str, Any]:
    """Return the object of a JSON file; `purpose` is what the file is to the user.

    Shape: fractions are Decimal; a byte order mark is skipped.

    Raises: ConfigurationError naming the file. It never quotes its content.
    """
    name = f"{purpose} {path!r}"
    return _object_of(_text_of(path, name), name, takes_nan=takes_nan)


class JsonObjectFile(click.ParamType):  # type: ignore[type-arg]  # older clicks have none
    """A path whose JSON object the SDK reads once more from what this returns."""

    name = "filename"

    def __init__(self, purpose: str) -> None:
        self._purpose = purpose

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> io.StringIO:
        name = f"{self._purpose} {value!r}"
        text = _text_of(value, name)
        _object_of(text, name)
        return io.StringIO(text)


class MessageFile(click.ParamType):  # type: ignore[type-arg]  # older clicks have none
    """A path of Singer messages, opened as bytes; `-` is standard input."""

    name = "filename"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> BinaryIO | None:
        if value == STANDARD_INPUT:
            return None
        try:
            return Path(value).open("rb")
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"input {value!r}: {_reason(error)}") from error


def _text_of(path: str, name: str) -> str:
    try:
        if path == STANDARD_INPUT and sys.stdin is not None:
            content = sys.stdin.buffer.read()
        else:
            content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{name} cannot be read: {_reason(error)}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name} is not UTF-8 (byte {error.start + 1})") from error


def _object_of(text: str, name: str, *, takes_nan: bool = False) -> dict[str, Any]:
    if not text.strip():
        raise ConfigurationError(f"{name} is empty: it must hold a JSON object")
    found = _parsed(text, name, takes_nan=takes_nan)
    if not isinstance(found, dict):
        kind = _KINDS.get(type(found), "a number")
        raise ConfigurationError(f"{name} holds {kind}; it must hold a JSON object")
    return found


def _parsed(text: str, name: str, *, takes_nan: bool) -> object:
    def constant(word: str) -> float:
        if not takes_nan:
            raise ConfigurationError(f"{name} holds {word}, which JSON does not have")
        return float(word)

    try:
        found: object = json.loads(
            text,
            parse_float=Decimal,
            parse_constant=constant,
            object_pairs_hook=partial(without_repeats, name),
        )
        json.dumps(found, ensure_ascii=False, default=str).encode()
    except ConfigurationError:
        raise
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{name} is not JSON: {_fault_of(error)}") from None
    except UnicodeEncodeError:
        raise ConfigurationError(f"{name} holds half a surrogate pair, no Unicode") from None
    except (ValueError, ArithmeticError, RecursionError):
        raise ConfigurationError(
            f"{name} cannot be read: a number in it is too long, or it is nested too deeply"
        ) from None
    return found


def without_repeats(name: str, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of these keys; JSON's readers would keep the last of two values.

    Raises: ConfigurationError naming the key that is given twice in `name`.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = Counter(key for key, _ in pairs)
        twice = keys.most_common(1)[0][0]
        shown = json.dumps(twice[:KEY_SHOWN_CHARACTERS])
        raise ConfigurationError(f"{name} gives the key {shown} twice: remove one")
    return found


def _fault_of(error: json.JSONDecodeError) -> str:
    place = f"line {error.lineno}, column {error.colno}"
    if error.msg == "Extra data":
        return f"something follows its first value ({place}); keep one JSON object"
    return f"{error.msg} ({place})"


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "its name holds a NUL character"
