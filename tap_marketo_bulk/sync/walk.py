"""Walk: how far a stream has been read whole, by the date filter that reaches everything.

A first load that goes by it may be interrupted: STATE says up to where it has come, and that what
is there is complete as of the bookmark. A filter of changes that a subscription does not have is
remembered, so that no run asks for it in vain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from marketo_bulk.errors import ConfigurationError
from tap_marketo_bulk.sync.cohorts import moment_in
from tap_marketo_bulk.sync.names import EVERYTHING
from tap_marketo_bulk.sync.plan import Part
from tap_marketo_bulk.sync.windows import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tap_marketo_bulk.sync.names import StreamNames
    from tap_marketo_bulk.sync.plan import Unit
    from tap_marketo_bulk.sync.state import Bookmarks

FIRST_LOAD = "first_load_until"
REFUSED = "filter_refused_at"
"""Keys of a stream's state, there only where they have something to say."""

TRIED_AGAIN_AFTER = timedelta(days=30)
"""When a filter that was refused is asked for once more: a subscription may have changed."""


@dataclass(slots=True)
class Walk:
    """What is read by `names.whole_by` in one run, and what STATE says of it.

    Shape: `until` is how far a first load has come; None if there is none. `position` is where
        the units of this run begin, or have come to. `refused_at` is when the filter of changes was
        last refused. `again_last` is the sequence of the last unit of a whole extract. With
        `is_begun_again`, the bookmark of the state is void.
    """

    run_end: datetime
    before: Mapping[str, Any] = field(default_factory=dict)
    until: datetime | None = None
    refused_at: datetime | None = None
    position: datetime | None = None
    again_last: int | None = None
    is_begun_again: bool = False
    _as_of: datetime | None = None
    _is_unknown: bool = False

    @classmethod
    def read(
        cls, state: Mapping[str, Any], names: StreamNames, now: datetime, end: datetime
    ) -> Walk:
        """Return what a state says; nothing of it lies in the future.

        Raises: ConfigurationError if it does not parse.
        """
        try:
            until, refused_at = (_moment(state, key) for key in (FIRST_LOAD, REFUSED))
        except ValueError as error:
            raise ConfigurationError(
                f"the state of {names.stream} is not readable: {error}. "
                "Correct it, or start again without state."
            ) from error
        return cls(
            end,
            # As it was: the state of a stream is one object that changes as the run goes on.
            {key: state.get(key) for key in (FIRST_LOAD, REFUSED)},
            until=None if until is None else min(until, end),
            refused_at=None if refused_at is None else min(refused_at, now),
        )

    @property
    def is_refused(self) -> bool:
        """Whether the filter of changes was refused lately."""
        if self.refused_at is None:
            return False
        return self.run_end - self.refused_at < TRIED_AGAIN_AFTER

    def written(
        self, unit: Unit, as_of: datetime | None, reached: datetime | None, bookmarks: Bookmarks
    ) -> None:
        """Take note that a unit is written.

        Its records are complete as of `as_of`, if anything says so, and up to `reached`.
        """
        if unit.part is Part.NEWS:
            return
        # A whole extract is as old as its oldest job, those of a first load it goes on with too:
        # one that an earlier run made does not hold what has changed since.
        self._is_unknown = self._is_unknown or as_of is None
        known = [moment for moment in (as_of, self._as_of) if moment is not None]
        self._as_of = min(known, default=None)
        if unit.part is Part.FIRST:
            self._go_on(unit, as_of, reached, bookmarks)
        elif unit.sequence == self.again_last and not self._is_unknown and self._as_of:
            bookmark = bookmarks.marks.get(EVERYTHING, self._as_of)
            bookmarks.move([EVERYTHING], max(self._as_of, bookmark))

    def to_state(self) -> dict[str, Any]:
        """Return the keys of the state.

        Shape: a key that has nothing to say any more is null if the state before had it, because
            Meltano merges the state of an interrupted run into the stored one key by key.
        """
        said = {FIRST_LOAD: self.until, REFUSED: self.refused_at}
        return {
            key: None if moment is None else format_timestamp(moment)
            for key, moment in said.items()
            if moment is not None or self.before.get(key) is not None
        }

    def _go_on(
        self, unit: Unit, as_of: datetime | None, reached: datetime | None, bookmarks: Bookmarks
    ) -> None:
        begins = None if unit.window is None else unit.window.start
        if None in (as_of, reached, begins, self.position):
            return
        assert as_of and reached and begins and self.position  # noqa: S101, PT018  # just seen
        if begins > self.position:
            # What lies between has not been read for certain.
            return
        self.position = max(self.position, reached)
        self.until = None if self.position >= self.run_end else self.position
        bookmark = bookmarks.marks.get(EVERYTHING, as_of)
        bookmarks.move([EVERYTHING], min(as_of, bookmark))


def _moment(state: Mapping[str, Any], key: str) -> datetime | None:
    return None if state.get(key) is None else moment_in(state, key)
