"""Asked: what a run asks Marketo for, kept beside its bookmarks to be compared by the next one.

A bookmark says up to when records were read, and not which records and fields that was about. What
a later run asks for in addition would never come for those that have not changed since.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from marketo_bulk.errors import ConfigurationError, DecodeError
from marketo_bulk.timestamps import parse_timestamp
from tap_marketo_bulk.sync.cohorts import kind_of
from tap_marketo_bulk.sync.windows import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tap_marketo_bulk.sync.names import StreamNames

logger = logging.getLogger(__name__)

ASKED = "asked"
"""The key of a state, beside `bookmarks`, that holds one entry per stream."""

FIELD_DIGITS = 6
NAMES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields, the filters and the start of a run."""

    fields: str
    """Six hex digits for each field, ascending and run together."""
    columns: str | None = None
    """The same for columns of records that no field tells; None where there can be none."""
    filters: tuple[str, ...] = ()
    """`name=value` for each value that a filter lets through; a filter without one is not set."""
    start_date: datetime | None = None
    names: tuple[str, ...] = field(default=(), compare=False)
    """The fields by name, which the state does not keep."""
    column_names: tuple[str, ...] = field(default=(), compare=False)
    """The columns by name."""
    backfill: bool | None = None
    """Whether the history of new fields is being read; None if it never was."""

    @classmethod
    def of(
        cls,
        fields: Sequence[str],
        terms: Iterable[str],
        start_date: datetime | None,
        columns: Sequence[str] | None = None,
    ) -> Asked:
        """Return what a run with these fields and terms of its filters asks for.

        `columns` are those of its records that no field tells; None where there can be none.
        """
        return cls(
            _joined(fields),
            None if columns is None else _joined(columns),
            tuple(sorted(terms)),
            start_date,
            tuple(fields),
            tuple(columns or ()),
        )

    @classmethod
    def from_state(cls, state: Mapping[str, Any], stream: str) -> Asked | None:
        """Return what the run before asked for; None if its state does not say.

        Raises: ConfigurationError if it does not parse.
        """
        try:
            entry = state.get(ASKED, {}).get(stream)
            return None if entry is None else cls._read(entry)
        except (AttributeError, DecodeError, KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"{ASKED!r} in the state is not readable. Remove it; what the run before asked for "
                "is then not compared."
            ) from error

    @classmethod
    def _read(cls, entry: Mapping[str, Any]) -> Asked:
        fields, filters, start = entry["fields"], entry["filters"], entry["start_date"]
        texts = [fields, *filters]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError(kind_of(texts))
        backfill = entry.get("backfill")
        if not isinstance(backfill, bool | None):
            raise TypeError(kind_of(backfill))
        columns = entry.get("columns")
        if not isinstance(columns, str | None):
            raise TypeError(kind_of(columns))
        moment = None if start is None else parse_timestamp(start)
        return cls(fields, columns, tuple(filters), moment, backfill=backfill)

    def to_state(self) -> dict[str, Any]:
        """Return the entry of a state.

        Shape: no key goes away again, because Meltano merges states key by key.
        """
        start = None if self.start_date is None else format_timestamp(self.start_date)
        entry = {"fields": self.fields, "filters": list(self.filters), "start_date": start}
        later = {"columns": self.columns, "backfill": self.backfill}
        return entry | {name: value for name, value in later.items() if value is not None}

    def put_into(self, tap_state: dict[str, Any], stream: str) -> None:
        """Put this into the state of a run."""
        tap_state.setdefault(ASKED, {})[stream] = self.to_state()

    def after(self, before: Asked) -> Asked:
        """Return the same, with a backfill that a run before has begun and not ended."""
        return replace(self, backfill=before.backfill)

    def with_backfill(self, *, goes_on: bool) -> Asked:
        """Return the same while the history of new fields is read, or when it has been."""
        return replace(self, backfill=goes_on)

    def new_fields(self, before: Asked) -> tuple[str, ...]:
        """Return the fields, and columns of records, that the run before did not bring."""
        new = _new(self.names, before.fields)
        # An older version has not noted columns.
        return new if before.columns is None else new + _new(self.column_names, before.columns)

    def warn_of_more_than(self, before: Asked, names: StreamNames) -> None:
        """Log, in one line, what this run asks for that the run before did not."""
        more = list(self._more_than(before, names))
        if more:
            logger.warning(
                "Since the last run %s. %s that have not changed since do not come again: "
                "bookmarks go on from where they are. To read everything once more, run once "
                "without state: `meltano run --full-refresh tap-marketo-bulk TARGET`. With "
                "backfill_new_fields the tap does so by itself where fields are new.",
                "; ".join(more),
                names.records.capitalize(),
            )

    def _more_than(self, before: Asked, names: StreamNames) -> Iterator[str]:
        new = self.new_fields(before)
        if new:
            yield f"these fields are new: {shown_names(new)}"
        let_through = _by_name(self.filters)
        for name, values in _by_name(before.filters).items():
            if name not in let_through:
                yield f"{name} no longer leaves {names.records} out"
            elif not let_through[name] <= values:
                yield f"{name} has changed"
        if before.start_date is not None and (
            self.start_date is None or self.start_date < before.start_date
        ):
            yield f"start_date is earlier than {format_timestamp(before.start_date)}"


def shown_names(names: Sequence[str]) -> str:
    """Return names for a line of the log, the first of them if there are many."""
    rest = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + rest


def _new(names: Iterable[str], before: str) -> tuple[str, ...]:
    known = _split(before)
    return tuple(name for name in names if _digest(name) not in known)


def _joined(names: Iterable[str]) -> str:
    return "".join(sorted({_digest(name) for name in names}))


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:FIELD_DIGITS]


def _split(fields: str) -> frozenset[str]:
    starts = range(0, len(fields), FIELD_DIGITS)
    return frozenset(fields[start : start + FIELD_DIGITS] for start in starts)


def _by_name(filters: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for term in filters:
        name, _, value = term.partition("=")
        found.setdefault(name, set()).add(value)
    return found
