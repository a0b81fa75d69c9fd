"""Value checks: values held against what a catalog's schema asks beyond a type."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from marketo_bulk import DecodeError
from marketo_bulk.reader.nulled import tell_nulled

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

logger = logging.getLogger(__name__)


class ValueChecks:
    """Finds the values that a property's schema does not allow.

    `on_bad_value` says what becomes of one: `fail` raises, `null` makes it null, where null is
    allowed, and counts it.
    """

    def __init__(
        self, schemas: Mapping[str, Mapping[str, Any]], on_bad_value: Literal["fail", "null"]
    ) -> None:
        self._validators = {
            name: DEFAULT_JSONSCHEMA_VALIDATOR(
                _exact(schema), format_checker=DEFAULT_JSONSCHEMA_VALIDATOR.FORMAT_CHECKER
            )
            for name, schema in schemas.items()
        }
        self._nulls = on_bad_value == "null"
        self.nulled: dict[str, int] = {}
        self._unchecked: set[str] = set()

    @classmethod
    def none(cls) -> ValueChecks:
        """Return checks that find nothing."""
        return cls({}, "fail")

    def __bool__(self) -> bool:
        """Whether there is anything to check."""
        return bool(self._validators)

    def bad_values(self, name: str, values: Collection[Any], source: str) -> list[int]:
        """Return the indexes of the values that are to become null.

        Raises: DecodeError for a value that is not allowed, and cannot or shall not become null.
        """
        if name not in self._validators:
            return []
        verdicts: dict[tuple[type, Any], str | None] = {}
        bad = []
        for index, value in enumerate(values):
            seen = (type(value), value if value.__hash__ else id(value))
            if seen not in verdicts:
                verdicts[seen] = self._broken_keyword(name, value)
            if verdicts[seen] is not None:
                bad.append(index)
                if not self._nulls or self._broken_keyword(name, None) is not None:
                    raise DecodeError(
                        f"{source}: column {name}: a value is not as the catalog's schema wants it "
                        f"({verdicts[seen]}). Change the schema"
                        + ("" if self._nulls else ", or set on_bad_value to null"),
                        column=name,
                    )
        if bad:
            self.nulled[name] = self.nulled.get(name, 0) + len(bad)
        return bad

    def null_in_rows(self, names: Sequence[str], rows: Iterable[Any], source: str) -> None:
        """Check rows whose attributes are `f0`, `f1` and so on, for the columns `names`.

        Raises: as `bad_values`.
        """
        rows = list(rows)
        for number, name in enumerate(names):
            attribute = f"f{number}"
            values = [getattr(row, attribute) for row in rows] if name in self._validators else ()
            for index in self.bad_values(name, values, source):
                setattr(rows[index], attribute, None)

    def null_in_record(self, record: dict[str, Any], source: str) -> None:
        """Check a record.

        Raises: as `bad_values`.
        """
        for name in self._validators.keys() & record.keys():
            if self.bad_values(name, [record[name]], source):
                record[name] = None

    def report(self, source: str) -> None:
        """Log how many values have become null, and forget them."""
        tell_nulled(logger, source, self.nulled)
        self.nulled = {}

    def _broken_keyword(self, name: str, value: object) -> str | None:
        """Return the keyword of the schema that a value breaks, if there is one."""
        try:
            fault = next(self._validators[name].iter_errors(_exact(value)), None)
        except (ArithmeticError, TypeError, ValueError, RecursionError) as error:
            # A number too long to divide, a pattern too deep: no verdict on the value.
            if name not in self._unchecked:
                self._unchecked.add(name)
                logger.warning(
                    "column %s: the catalog's schema cannot be checked (%s), values are written "
                    "as they are",
                    name,
                    type(error).__name__,
                )
            return None
        return None if fault is None else str(fault.validator)


def _exact(value: Any) -> Any:  # noqa: ANN401  # JSON
    """Return the same with Decimal in place of float: 0.07 is a multiple of 0.01 then."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {name: _exact(part) for name, part in value.items()}
    return [_exact(part) for part in value] if isinstance(value, list) else value
