"""The values of fields as the body of a control call, checked against their data types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketo_emulator.api.body import BOOLEAN, NUMBER, TEXT, WHOLE, BodyError, Kind, called
from marketo_emulator.data.values import parse_cell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketo_emulator.data.fields import FieldSet

_KEYS = frozenset({"id", "leadId", "programId", "marketoGUID"})


def _is_parsable(data_type: str, value: object) -> bool:
    try:
        return isinstance(value, str) and parse_cell(value, data_type) is not None
    except ValueError:
        return False


_MOMENT = Kind(
    "moment as text or seconds since 1970",
    lambda value: WHOLE.fits(value) or _is_parsable("datetime", value),
)
_DATE = Kind("date as text", lambda value: _is_parsable("date", value))
_KINDS = {
    "boolean": BOOLEAN,
    "currency": NUMBER,
    "date": _DATE,
    "datetime": _MOMENT,
    "float": NUMBER,
    "integer": WHOLE,
    "percent": NUMBER,
    "score": WHOLE,
}


def checked(values: Mapping[str, Any], fields: FieldSet) -> dict[str, Any]:
    """Return the values.

    Raises: KeyError for a field that does not exist; BodyError for a key or for a value that the
    data type of its field does not have.
    """
    known = {field.name: field for field in fields}
    for name, value in values.items():
        field = known[name]
        if name in _KEYS:
            raise BodyError(f'"{name}" cannot be changed')
        kind = _KINDS.get(field.data_type, TEXT)
        if value is not None and not kind.fits(value):
            raise BodyError(f'"{name}" is {called(value)}, not {kind.name} or null')
    return dict(values)
