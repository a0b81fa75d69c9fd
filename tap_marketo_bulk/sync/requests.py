"""Stream requests: what to ask of Marketo for each unit of a stream, and what if it refuses."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from marketo_bulk import ExportJob, ExportRequest, MarketoBulk, RejectedError
from tap_marketo_bulk.sync.names import EVERYTHING
from tap_marketo_bulk.sync.plan import MARKETO_BEGAN, Part, Unit, in_sequence, plan_whole
from tap_marketo_bulk.sync.spec import Gone, Halve, Refilter, WithoutWindows
from tap_marketo_bulk.sync.windows import split_windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_marketo_bulk.sync.digest import Digests
    from tap_marketo_bulk.sync.plan_run import RunPlan
    from tap_marketo_bulk.sync.selection import Selection
    from tap_marketo_bulk.sync.spec import ExportSpec


logger = logging.getLogger(__name__)

INVALID_DATA = "1003"


class StreamRequests:
    """The work of one stream in one run, as the scheduler asks for it."""

    def __init__(
        self,
        client: MarketoBulk,
        spec: ExportSpec,
        selection: Selection,
        digests: Digests,
        plan: RunPlan,
    ) -> None:
        self._client = client
        self._spec = spec
        self._plan = plan
        self._required = selection.required_fields()
        self._digests = digests
        self._filters = digests.filters
        self._is_limited = selection.limited
        self._now = plan.reach.run_end + plan.reach.settling
        self._gone: set[int] = set()
        self.fields = digests.fields
        """What is asked for now: of the selected fields those that export does not refuse."""
        self.units: deque[Unit] = deque(plan.units)
        """What is left to do, in order."""
        self._taken_over = sum(unit.job is not None for unit in plan.units)

    def left_out(self, request: ExportRequest) -> tuple[str, ...]:
        """Return the selected fields that a job does not bring."""
        selected = self._digests.fields
        if request.fields == selected:
            return ()
        brought = frozenset(request.fields)
        return tuple(name for name in selected if name not in brought)

    def taken_over(self) -> list[Unit]:
        """Return the units left to do that have a job of an earlier run."""
        if not self._taken_over:
            return []
        return [unit for unit in tuple(self.units) if unit.job is not None]

    # What the scheduler asks for --------------------------------------------------------

    def next_work(self) -> Unit | None:
        """Return the next unit whose scope is still there, or a job that would be left behind."""
        while self.units:
            unit = self.units.popleft()
            self._taken_over -= unit.job is not None
            left = tuple(i for i in unit.scope if i not in self._gone)
            if left and left != unit.scope:
                return replace(unit, scope=left)
            if left or unit.job is not None:
                return unit
        return None

    def is_next_queued(self) -> bool:
        """Return whether the next unit has a job in Marketo's queue, or through it."""
        return bool(self.units) and self.units[0].is_queued

    def put_back(self, work: Unit) -> None:
        """Take a unit back to the front."""
        self.units.appendleft(work)
        self._taken_over += work.job is not None

    def adopted_job(self, work: Unit) -> ExportJob | None:
        """Return the job of an earlier run that does this work."""
        return work.job

    def request_for(self, work: Unit) -> ExportRequest:
        """Return the export request of a unit."""
        export_object = self._spec.object
        export_filter: dict[str, object] = {}
        if export_object.scope is not None:
            export_filter[export_object.scope.name] = list(work.scope)
        export_filter |= self._filters
        if work.window is not None:
            export_filter[work.date_filter] = work.window.to_filter()
        if work.only is not None:
            export_filter[work.only[0]] = work.only[1]
        fields = self.fields
        if work.job is not None:
            fields = tuple(name for name in self._digests.fields if name not in work.without)
        return ExportRequest(export_object, fields, export_filter)

    def refused(self, work: Unit, error: RejectedError) -> None:
        """Plan a refused unit anew: without a field, or as the description says.

        Raises: `error` if nothing is to be done about it.
        """
        work = replace(work, job=None, without=())
        if error.code == INVALID_DATA and self._drop_fields(error):
            self.put_back(work)
            return
        repair = self._spec.repair(self._client, work, error, self._filters)
        match repair:
            case Refilter(values):
                self._filters = dict(values)
                self.put_back(work)
            case WithoutWindows(warning) if work.window is not None and self._spec.goes_whole:
                logger.warning("%s", warning)
                self._without_windows(work)
            case WithoutWindows(warning) if work.part is Part.NEWS and work.names.whole_by:
                logger.warning("%s", warning)
                self._walk_instead(work)
            case Halve() if len(work.scope) > 1:
                half = len(work.scope) // 2
                for part in (work.scope[half:], work.scope[:half]):
                    self.put_back(replace(work, scope=part))
            case Gone(warning):
                logger.warning("%s", warning)
                self._gone.update(work.scope)
            case _:
                raise error

    # Ways out ---------------------------------------------------------------------------

    def _without_windows(self, work: Unit) -> None:
        taken_over = [unit for unit in self.units if unit.job is not None]
        planned = [unit for unit in self.units if unit.job is None]
        # Jobs that exist already need no filter; left out, they would go on in Marketo unread.
        last = max(unit.sequence for unit in (work, *self.units))
        instead = self._whole_extracts([work, *planned])
        # A job made earlier has older versions: it is written before.
        after = (replace(unit, sequence=last + 1 + unit.sequence) for unit in instead)
        self.units = deque([*taken_over, *after])

    def _walk_instead(self, work: Unit) -> None:
        """Read by the filter that reaches everything what the one of changes cannot bring."""
        plan, walk, names = self._plan, self._plan.walk, work.names
        walk.refused_at = self._now
        if self._is_limited:
            self.put_back(replace(work, part=Part.FIRST))
            return
        bookmark = plan.bookmarks.marks.get(EVERYTHING)
        part = Part.FIRST if bookmark is None else Part.AGAIN
        start = self._spec.earliest(self._client, self._now) or MARKETO_BEGAN
        # What a first load has yet to bring is planned already.
        end = walk.run_end if walk.until is None else walk.until
        if part is Part.FIRST:
            walk.position = start
        others = [u for u in self.units if u.job is not None or u.part is not Part.NEWS]
        windows = split_windows(start, end, plan.length)
        keep_from = plan.start_date if bookmark is None else bookmark
        instead = in_sequence(
            (
                Unit(names, 0, (EVERYTHING,), window, keep_from=keep_from, part=part)
                for window in windows
            ),
            max(unit.sequence for unit in (work, *self.units)) + 1,
        )
        walk.again_last = instead[-1].sequence if part is Part.AGAIN and instead else None
        self.units = deque([*others, *instead])

    def _whole_extracts(self, units: Sequence[Unit]) -> Sequence[Unit]:
        """Return units over everything in place of windows, older rows to be dropped here."""
        scope = {i for unit in units for i in unit.scope}
        marks, start = self._plan.bookmarks.marks, self._plan.start_date
        return plan_whole({i: marks.get(i, start) for i in scope}, self._spec.names)

    def _drop_fields(self, error: RejectedError) -> bool:
        """Leave out the fields that export refuses although describe lists them."""
        exact = frozenset(error.invalid_fields)
        # Two fields may differ by case alone: another spelling counts where there is no exact one.
        respelled = {name.lower() for name in exact.difference(self.fields)}
        refused = tuple(f for f in self.fields if f in exact or f.lower() in respelled)
        if not refused or self._required.intersection(refused):
            return False
        self.fields = tuple(f for f in self.fields if f not in refused)
        logger.warning(
            "Marketo lists these fields but refuses to export them, so records come without: %s. "
            "Deselect them to silence this.",
            ", ".join(refused),
        )
        return True
