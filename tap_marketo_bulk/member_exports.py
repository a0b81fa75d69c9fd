"""Member exports: what to ask of Marketo for each unit, and what to do when it refuses."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from marketo_bulk import PROGRAM_MEMBERS, ExportJob, ExportRequest, MarketoBulk, RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_marketo_bulk.plan import Unit

logger = logging.getLogger(__name__)

INVALID_DATA = "1003"
UPDATED_AT_UNSUPPORTED = "1035"
PROGRAM_REFUSED_CODES = frozenset({"610", "702", INVALID_DATA, "1004", "1013"})
"""Answers that may be about one program of a batch."""

CADENCE_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "normal": ("norm", "normal"),
    "paused": ("pause", "paus", "paused"),
}
"""Marketo's documents spell the nurtureCadence filter in three ways; the first is the guide's."""


@dataclass(frozen=True, slots=True)
class MemberFilters:
    """The filters of every job, as the settings give them."""

    status_names: tuple[str, ...] = ()
    is_exhausted: bool | None = None
    nurture_cadence: str | None = None

    def to_filter(self, cadence_spelling: int = 0) -> dict[str, Any]:
        """Return the part of a job's filter that is the same for all units."""
        parts: dict[str, Any] = {}
        if self.status_names:
            parts["statusNames"] = list(self.status_names)
        if self.is_exhausted is not None:
            parts["isExhausted"] = self.is_exhausted
        if self.nurture_cadence is not None:
            parts["nurtureCadence"] = CADENCE_SPELLINGS[self.nurture_cadence][cadence_spelling]
        return parts


@dataclass(slots=True)
class MemberExports:
    """The work of one run, as the scheduler asks for it.

    `required` are fields a record cannot do without. `on_full_extract` is called when this
    subscription cannot filter by updatedAt, and returns the units that replace the windows.
    """

    client: MarketoBulk
    fields: tuple[str, ...]
    filters: MemberFilters
    units: deque[Unit]
    required: frozenset[str]
    on_full_extract: Callable[[Sequence[Unit]], Sequence[Unit]]
    gone: set[int] = field(default_factory=set)
    _cadence_spelling: int = 0

    def digest(self) -> str:
        """Return what a job of an earlier run must have asked for to be worth taking over."""
        asked = {"fields": self.fields, "filter": self.filters.to_filter()}
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]

    # What the scheduler asks for --------------------------------------------------------

    def next_work(self) -> Unit | None:
        """Return the next unit that still has programs, or a job that would be left behind."""
        while self.units:
            unit = self.units.popleft()
            left = tuple(p for p in unit.program_ids if p not in self.gone)
            if left and left != unit.program_ids:
                return replace(unit, program_ids=left)
            if left or unit.job is not None:
                return unit
        return None

    def put_back(self, work: Unit) -> None:
        """Take a unit back to the front."""
        self.units.appendleft(work)

    def adopted_job(self, work: Unit) -> ExportJob | None:
        """Return the job of an earlier run that does this work."""
        return work.job

    def request_for(self, work: Unit) -> ExportRequest:
        """Return the export request of a unit."""
        export_filter = {
            "programIds": list(work.program_ids),
            **self.filters.to_filter(self._cadence_spelling),
        }
        if work.window is not None:
            export_filter["updatedAt"] = work.window.to_filter()
        return ExportRequest(PROGRAM_MEMBERS, self.fields, export_filter)

    def refused(self, work: Unit, error: RejectedError) -> None:
        """Plan a refused unit anew: without the field or the filter, or without the program."""
        work = replace(work, job=None)
        invalid = error.code == INVALID_DATA
        if error.code == UPDATED_AT_UNSUPPORTED and work.window is not None:
            self._without_windows(work)
        elif invalid and (self._drop_fields(error) or self._respell_cadence(error)):
            self.put_back(work)
        elif error.code in PROGRAM_REFUSED_CODES:
            self._split(work, error)
        else:
            raise error

    # Ways out ---------------------------------------------------------------------------

    def _without_windows(self, work: Unit) -> None:
        logger.warning(
            "This Marketo subscription cannot filter program members by updatedAt (code %s): every "
            "run extracts all members of every program, and older records are dropped here.",
            UPDATED_AT_UNSUPPORTED,
        )
        taken_over = [unit for unit in self.units if unit.job is not None]
        planned = [unit for unit in self.units if unit.job is None]
        # Jobs that exist already need no filter; left out, they would go on in Marketo unread.
        last = max(unit.sequence for unit in (work, *self.units))
        instead = self.on_full_extract([work, *planned])
        # A job made earlier has older versions: it is written before.
        after = (replace(unit, sequence=last + 1 + unit.sequence) for unit in instead)
        self.units = deque([*taken_over, *after])

    def _drop_fields(self, error: RejectedError) -> bool:
        """Leave out the fields that export refuses although describe lists them."""
        named = {name.lower() for name in error.invalid_fields}
        refused = tuple(f for f in self.fields if f.lower() in named)
        if not refused or self.required.intersection(refused):
            return False
        self.fields = tuple(f for f in self.fields if f not in refused)
        logger.warning(
            "Marketo lists these fields but refuses to export them, so records come without: %s. "
            "Deselect them to silence this.",
            ", ".join(refused),
        )
        return True

    def _respell_cadence(self, error: RejectedError) -> bool:
        if self.filters.nurture_cadence is None or "cadence" not in error.message.lower():
            return False
        self._cadence_spelling += 1
        return self._cadence_spelling < len(CADENCE_SPELLINGS[self.filters.nurture_cadence])

    def _split(self, work: Unit, error: RejectedError) -> None:
        """Find the program that a batch was refused for; skip it only if it is really gone."""
        if len(work.program_ids) > 1:
            half = len(work.program_ids) // 2
            for part in (work.program_ids[half:], work.program_ids[:half]):
                self.put_back(replace(work, program_ids=part))
            return
        (program_id,) = work.program_ids
        if self.client.get_program(program_id) is not None:
            raise error
        self.gone.add(program_id)
        logger.warning(
            "program %d was deleted or hidden after it was listed: skipped (%s)", program_id, error
        )
