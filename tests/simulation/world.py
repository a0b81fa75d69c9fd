"""World: an emulator and a clock that the tap's own waiting moves, with a diary of all members."""

from __future__ import annotations

import heapq
from collections import Counter
from contextlib import closing
from datetime import timedelta
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, cast

from marketo_emulator import Emulator, Options
from marketo_emulator.application import Application
from marketo_emulator.clock import to_epoch
from marketo_emulator.data.fields import MEMBER_FIELDS
from marketo_emulator.exports.job import ExportStatus
from marketo_emulator.exports.request import MEMBERS
from marketo_emulator.faults.fault import Fault
from tests.simulation.described import describe_only
from tests.simulation.diary import Diary
from tests.simulation.remembering import Remembered
from tests.simulation.stream_events import StreamEvents
from tests.simulation.young_instance import make_young

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from werkzeug.wsgi import ClosingIterator

    from marketo_emulator.exports.job import ExportJob
    from tests.simulation.diary import Key

PRESSING_MAX = 20_000
SHORTEST_SLEEP_SECONDS = 0.001
LIVE = frozenset({ExportStatus.CREATED, ExportStatus.QUEUED, ExportStatus.PROCESSING})
QUEUED = frozenset({ExportStatus.QUEUED, ExportStatus.PROCESSING})


class EndlessError(AssertionError):
    """Somebody asks for the time again and again without letting any pass."""


class SimulatedClock:
    """A time that moves when somebody waits; what was planned happens at its very moment."""

    def __init__(self, start: datetime) -> None:
        self._start = self._now = start
        self._agenda: list[tuple[datetime, int, Callable[[], object]]] = []
        self._numbers = count()
        self._asked = 0

    def now(self) -> datetime:
        """Return the present moment."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds a machine has been up; they say nothing of Marketo's time."""
        self._asked += 1
        if self._asked > PRESSING_MAX:
            raise EndlessError(
                f"asked {PRESSING_MAX} times what time it is, and it is still {self._now}"
            )
        return (self._now - self._start).total_seconds() + 5.0

    def plan(self, moment: datetime, action: Callable[[], object]) -> None:
        """Let something happen at a moment."""
        heapq.heappush(self._agenda, (moment, next(self._numbers), action))

    def advance(self, seconds: float) -> None:
        """Let time pass, and happen what was planned for it."""
        self._asked = 0
        until = self._now + timedelta(seconds=max(seconds, 0.0))
        while self._agenda and self._agenda[0][0] <= until:
            moment, _, action = heapq.heappop(self._agenda)
            self._now = max(self._now, moment)
            action()
        self._now = max(self._now, until)

    def sleep(self, seconds: float) -> None:
        """Let time pass, a little more than asked for as every machine does."""
        self.advance(max(seconds, SHORTEST_SLEEP_SECONDS))


class World:
    """The instance of Marketo of one simulation."""

    def __init__(self, plain: Mapping[str, Any], start: datetime) -> None:
        self.clock = SimulatedClock(start)
        lasting = plain["job_seconds"]
        numbers = count()
        options: dict[str, Any]
        options = {k: tuple(v) if isinstance(v, list) else v for k, v in plain["options"].items()}
        self.emulator = Emulator(
            programs=plain["programs"],
            members=plain["members"],
            seed=plain["seed"],
            job_seconds=lambda _: lasting[next(numbers) % len(lasting)],
            options=Options(**options),
            clock=self.clock,
        )
        self.application = Application(self.emulator.application.world, sleep=self.clock.sleep)
        self.store = self.emulator.store
        self.streams: dict[str, Any] = plain.get("streams", {})
        """Which streams there are beside members; empty where no others are asked for."""
        describe_only(self.store, plain["described"], asks_for_leads=bool(self.streams))
        if self.streams:
            make_young(self.store)
        self.beyond = StreamEvents(self.store, self.application.world)
        self.latency_seconds = plain["latency"]
        self.has_programs_stream = plain["programs_stream"]
        memory = plain.get("memory")
        self.remembered = None if memory is None else Remembered(memory)
        """What runs keep of what the instance says, if they do."""
        new = self.streams.get("new_field") or {}
        self.member_field = new["field"] if new.get("stream") == "program_members" else None
        """The field of members that is selected later than the others, if one is."""
        self.diary = Diary(
            self.store,
            plain["described"],
            options.get("refused_fields", ()),
            self.member_field,
        )
        self.noted: Callable[[], object] = tuple
        """What else takes note of each change."""
        self.happened: Counter[str] = Counter()
        """How often each kind of event has, and what it met."""
        self.date_skew = plain["date_skew"]
        self.created = 0
        self.undelivered: set[str] = set()
        """Jobs whose creation nobody was told of."""
        self._told_of: set[str] = set()
        self.disturbances = 0
        self.calm_down()
        self.clock.advance(plain["begins_after"])
        self.diary.note()

    def close(self) -> None:
        """Remove the files."""
        self.emulator.close()

    def arm(self, faults: Iterable[Mapping[str, Any]]) -> None:
        """Let faults lie in wait."""
        self.emulator.faults.add(*(Fault.from_json(fault) for fault in faults))

    def calm_down(self) -> None:
        """Let nothing go wrong any more; a clock that is off stays so."""
        faults = self.emulator.faults
        self.disturbances += sum(faults.fired()[bool(self.date_skew) :])
        faults.clear()
        self.beyond.allow()
        if self.date_skew:
            faults.add(Fault(date_skew_seconds=self.date_skew, times=None))

    # -- what is seen from outside --------------------------------------------------------------

    def live_jobs(self, statuses: frozenset[ExportStatus] = LIVE) -> set[str]:
        """Return the ids of jobs that have not ended."""
        return {job.export_id for job in self.emulator.jobs if job.status in statuses}

    def queued_jobs(self) -> set[str]:
        """Return the ids of jobs that take one of the ten places, as things stood last."""
        return {job.export_id for job in self._jobs(QUEUED)}

    def owned_jobs(self) -> set[str]:
        """Return the ids of jobs that have not ended and that the client knows to be its own."""
        return self.live_jobs() - self.undelivered - self.disowned_jobs()

    def clear_queue(self, keep: set[str]) -> None:
        """Let Marketo give up the jobs nobody will come back for, some of which would never end."""
        exports = self.application.world.exports
        for job in self.emulator.jobs:
            if job.status in QUEUED and job.export_id not in keep:
                exports.cancel(job, self.clock.now())

    def disowned_jobs(self) -> set[str]:
        """Return the ids of jobs of which the client was told that they are none of its own.

        By faults, that is: such a job may be there all the same, and nobody can be blamed for it.
        Nor can a client without the permission to cancel be, or one that asked again in vain.
        """
        told = {"1003", "1004", "1013", "610", "9999"}
        refusals: dict[str, list[str | None]] = {}
        disowned = set()
        for request in self.application.requests:
            job = request.path.split("/")[-2]
            if request.operation == "export.cancel":
                refusals.setdefault(job, []).append(request.error_code)
            if request.error_code in told:
                disowned.add(job)
        in_vain = {
            job
            for job, codes in refusals.items()
            if "603" in codes or (len(codes) > 1 and all(codes))
        }
        return disowned | in_vain

    # -- what the client reaches ----------------------------------------------------------------

    def serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a call; if it creates a job, note whether the answer tells of it."""
        self._told_of = set()
        if not environ["PATH_INFO"].endswith("/export/create.json"):
            return self._answer(environ, start_response)
        jobs = self.emulator.application.world.exports.jobs
        before = len(jobs)
        try:
            with closing(cast("ClosingIterator", self._answer(environ, start_response))) as pieces:
                body = b"".join(pieces)
        finally:
            fresh = list(jobs)[before:]
            self.created += len(fresh)
            self.undelivered.update(fresh)
        self._told_of = {i for i in fresh if i.encode() in body and b'"Created"' in body}
        return [body]

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return self.application(environ, start_response)
        except (LookupError, ValueError) as error:
            # One fault edits what another has replaced. A server's thread would die of it, and
            # its client see the connection break; the call would never be counted out.
            self.application.world.limits.in_flight = 0
            raise ConnectionResetError from error

    def delivered(self) -> None:
        """Take note that the client has the answer to its last call."""
        self.undelivered -= self._told_of
        self._told_of = set()

    # -- what happens without the client --------------------------------------------------------

    def happen(self, event: Mapping[str, Any]) -> None:
        """Let an event of a schedule happen; one that has lost its object does nothing."""
        arguments = {k: v for k, v in event.items() if k not in {"at", "do"}}
        before = {
            job: (job.status, self._keys_in(job))
            for job in self._jobs(QUEUED)
            if job.kind == MEMBERS
        }
        happen = getattr(self.beyond, event["do"], None) or getattr(self, f"_{event['do']}")
        happen(**arguments)
        self.diary.note()
        self.noted()
        self.happened[event["do"]] += 1
        for job, (status, keys) in before.items():
            left = len(keys - self._keys_in(job))
            self.happened[f"left the window of a job {status.value.lower()}"] += left

    def _keys_in(self, job: ExportJob) -> set[object]:
        """Return the members that a job would export now."""
        now = to_epoch(self.emulator.clock.now())
        lead, program = (MEMBER_FIELDS.position[name] for name in ("leadId", "programId"))
        return {(row[lead], row[program]) for row in job.request.rows(self.store, now)}

    def _jobs(self, statuses: frozenset[ExportStatus]) -> list[ExportJob]:
        jobs = self.application.world.exports.jobs
        return [job for job in jobs.values() if job.status in statuses]

    def _keys(self) -> list[Key]:
        return [(p, lead) for p, rows in self.store.member_rows.items() for lead in rows]

    def _touch(self, count: int, seed: int) -> None:
        self.store.touch_members(count, seed=seed)

    def _touch_late(self, count: int, seed: int, behind: int) -> None:
        """Change members at a moment that has passed: changes may take a while to show up."""
        keys = self._keys()
        now = to_epoch(self.clock.now())
        for program_id, lead_id in Random(seed).sample(keys, min(count, len(keys))):
            row = self.store.member_rows[program_id][lead_id]
            moment = max(now - behind, cast("int", row[MEMBER_FIELDS.position["updatedAt"]]))
            self.store.change_member(
                program_id, lead_id, registrationCode=f"late-{seed}", updatedAt=moment
            )

    def _exhaust(self, seed: int) -> None:
        """Change a member in a way that no activity tells of."""
        keys = self._keys()
        if keys:
            program_id, lead_id = Random(seed).choice(keys)
            row = self.store.member_rows[program_id][lead_id]
            before = row[MEMBER_FIELDS.position["isExhausted"]]
            self.store.change_member(program_id, lead_id, isExhausted=not before)

    def _rename(self, seed: int) -> None:
        if self.store.programs:
            program_id = Random(seed).choice(sorted(self.store.programs))
            self.store.change_program(program_id, name=f"Renamed {seed}")

    def _join(self, count: int, seed: int) -> None:
        self.store.join_members(count, seed=seed)

    def _leave(self, count: int, seed: int) -> None:
        keys = self._keys()
        for program_id, lead_id in Random(seed).sample(keys, min(count, len(keys))):
            self.store.remove_member(program_id, lead_id)

    def _rejoin(self, seed: int) -> None:
        left = sorted(
            key
            for key in self.diary
            if key[1] in self.store.programs
            and key[0] in self.store.lead_rows
            and key[0] not in self.store.member_rows[key[1]]
        )
        if left:
            lead_id, program_id = Random(seed).choice(left)
            self.store.add_member(program_id, lead_id)

    def _add_program(self, members: int, age_days: float) -> None:
        self.store.add_program(members=members, age_days=age_days)

    def _remove_program(self, seed: int) -> None:
        if len(self.store.programs) > 1:
            self.store.remove_program(Random(seed).choice(sorted(self.store.programs)))

    def _forget(self) -> None:
        if self.remembered is not None:
            self.remembered.kept.write_text("")

    def _queue(self, places: int, seconds: float) -> None:
        self.disturbances += 1
        self.emulator.others_use(queued_exports=places, seconds=seconds)

    def _export_bytes(self) -> None:
        self.disturbances += 1
        self.emulator.others_use(exported_bytes=self.emulator.options.daily_export_bytes)

    def _calls(self) -> None:
        self.disturbances += 1
        self.emulator.others_use(calls=self.emulator.options.daily_calls)

    def _expire_tokens(self) -> None:
        self.emulator.expire_tokens()

    def _revoke_tokens(self) -> None:
        self.emulator.revoke_tokens()
