"""Stream maps: the SDK's, whose faults must not show the record they were met in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from marketo_bulk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Transform = Callable[[dict[str, Any]], dict[str, Any] | None]

_ELSE = "__else__"


class RecordMap(Protocol):
    """What is used of the SDK's `StreamMap`, which this package never imports."""

    stream_alias: str

    def transform(self, record: dict[str, Any], /) -> dict[str, Any] | None:
        """Return the record mapped, or None if it is filtered out."""


def guard(maps: Iterable[RecordMap]) -> None:
    """Have these maps raise a ConfigurationError where an expression fails, now and every time.

    The error names stream, expression and number of the record. The fault's own words are left
    out, and so is the fault itself: they quote the value the expression could not be applied to.
    """
    for each in maps:
        if "transform" not in vars(each):
            vars(each)["transform"] = _guarded(each, each.transform)


def _guarded(stream_map: RecordMap, transform: Transform) -> Transform:
    seen = 0

    def guarded(record: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal seen
        seen += 1
        try:
            return transform(record)
        except Exception as error:  # noqa: BLE001  # an expression may raise anything
            fault = type(error.__cause__ or error).__name__
        raise ConfigurationError(
            f"stream {stream_map.stream_alias!r}: the stream map failed at record {seen} with "
            f"{fault}{_expression(stream_map)}",
            remedy="Correct it in stream_maps, or leave such records out with __filter__",
        )

    return guarded


def _expression(stream_map: RecordMap) -> str:
    evaluator = getattr(stream_map, "expr_evaluator", None)
    text = getattr(evaluator, "expr", "")
    return f", in the expression {text!r}" if text else ""


def with_any_else(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the SDK's declaration of `stream_maps` with any value for each `__else__` in it.

    Its own is no JSON Schema, and checking a value against it ends in a traceback.
    """
    return {name: _with_any_else(value) for name, value in declared.items() if name != _ELSE} | (
        {_ELSE: {}} if _ELSE in declared else {}
    )


def _with_any_else(part: object) -> object:
    if isinstance(part, dict):
        return with_any_else(part)
    return [_with_any_else(item) for item in part] if isinstance(part, list) else part


def faults_of_else(maps: object) -> list[str]:
    """Return a sentence if `__else__`, of the streams or of one of them, keeps what is left."""
    if all(value is None or value == "__NULL__" for value in _elses(maps)):
        return []
    return [f'stream_maps: `{_ELSE}` must be null or "__NULL__"']


def _elses(maps: object) -> Iterator[object]:
    for level in (maps, *(maps.values() if isinstance(maps, dict) else ())):
        if isinstance(level, dict) and _ELSE in level:
            yield level[_ELSE]
