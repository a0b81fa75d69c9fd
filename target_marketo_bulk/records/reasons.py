"""Reasons: why a record is not sent, in full for the rejects and in a few words for the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.exceptions import InvalidRecord

MISFIT = "the record does not fit its schema"


class Reason(NamedTuple):
    """Why a record is not sent; `shown` holds no word that may come out of a record."""

    text: str
    shown: str


def own(text: str) -> Reason:
    """Return a reason in words of ours, names of columns included."""
    return Reason(text, text)


def misfit(error: InvalidRecord, properties: Mapping[str, Any]) -> Reason:
    """Return what a validator found: its words quote the value, so the log gets its keyword."""
    text = f"{MISFIT}: {error.error_message}"
    fault: Any = error.__cause__  # a ValidationError of jsonschema, which the SDK wraps
    keyword = getattr(fault, "validator", None)
    if not isinstance(keyword, str):
        return Reason(text, MISFIT)
    names = ", ".join(name for name in _names(fault) if name in properties)
    return Reason(text, f"{MISFIT}: {names} ({keyword})" if names else f"{MISFIT} ({keyword})")


def _names(fault: Any) -> list[Any]:  # noqa: ANN401  # jsonschema is no dependency of ours
    """Return the properties of the record a fault is about: the outermost, or those missing."""
    if fault.absolute_path:
        return [fault.absolute_path[0]]
    if fault.validator == "required":
        return [name for name in fault.validator_value if name not in fault.instance]
    return []
