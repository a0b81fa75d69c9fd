"""Stream oracle: what must hold of the streams beside members, in every run and in the end."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from marketo_bulk.timestamps import parse_timestamp
from marketo_emulator.clock import to_epoch
from marketo_emulator.data.activity_types import DELETE_LEAD
from marketo_emulator.data.values import parse_moment
from tests.simulation import stream_truths
from tests.simulation.ended_memberships import EndedMemberships, ids_in
from tests.simulation.program_menu import is_chosen
from tests.simulation.stream_catalog import OBJECT, stream_of_type
from tests.simulation.stream_truths import ActivityTruth, Versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.simulation.process import Result
    from tests.simulation.stream_catalog import StreamCatalog
    from tests.simulation.stream_tables import StreamTables, Table
    from tests.simulation.world import World

DELETIONS_KEPT = timedelta(days=14)
BOOKMARK = "replication_key_value"


class StreamOracle:
    """Knows what there ever was, and since when streams that begin by themselves have been read."""

    def __init__(self, world: World, config: Mapping[str, Any], catalog: StreamCatalog) -> None:
        self._world, self._store, self._config = world, world.store, config
        self._catalog = catalog
        self._names = sorted(catalog.names)
        self._overlap = 60 * config.get("activity_overlap_minutes", 10)
        self._start = parse_moment(config["start_date"]) if "start_date" in config else 0
        self._activities = ActivityTruth(world.store, world.emulator.options)
        self._rows = {"leads": Versions(lambda: world.store.lead_rows, world.store.lead_fields)}
        for name in self._names:
            if name.startswith(OBJECT):
                found = world.store.objects[name.removeprefix(OBJECT)]
                self._rows[name] = Versions(partial(getattr, found, "rows"), found.fields)
        self._begun: dict[str, int] = {}
        """Since when deletions are told."""
        self._told_of: dict[int, int] = {}
        """Since when ends of memberships are told, by program."""
        self.note()

    def note(self) -> None:
        """Write down what has changed."""
        for versions in self._rows.values():
            versions.note()

    def begin_anew(self) -> None:
        """Take note that the STATE is thrown away."""
        self._begun.clear()
        self._told_of.clear()

    # -- a run ----------------------------------------------------------------------------------

    def judge(self, result: Result, state: Mapping[str, Any]) -> Iterator[str]:
        """Yield what was wrong with a run that began from a state."""
        self._activities.note()
        for message in result.messages:
            if message["type"] == "RECORD" and not self._was(message["stream"], message["record"]):
                yield f"a record of {message['stream']} that never was: {message['record']}"
        yield from self._bookmarks(result, state)

    def _was(self, stream: str, record: Mapping[str, Any]) -> bool:
        if stream in self._rows:
            return self._rows[stream].was(
                record["id" if stream == "leads" else "marketoGUID"], record
            )
        if "activityDate" in record:
            return self._activities.is_true(
                record["marketoGUID"], record, as_columns=stream.startswith("activity_")
            )
        return True

    def _bookmarks(self, result: Result, state: Mapping[str, Any]) -> Iterator[str]:
        """Yield bookmarks that went back, or lie ahead of Marketo's clock."""
        world = self._world
        clock = world.clock.now() + timedelta(seconds=world.date_skew)
        run_end = result.begun_at + timedelta(seconds=world.date_skew - 62)
        last = {name: _mark(state, name) for name in self._names}
        for message in result.messages:
            if message["type"] != "STATE":
                continue
            for name, before in last.items():
                mark = _mark(message["value"], name)
                if mark is None:
                    continue
                if parse_timestamp(mark) > clock:
                    yield f"a bookmark of {name} ahead of Marketo's clock: {mark}"
                if (
                    before is not None
                    and parse_timestamp(mark) < min(parse_timestamp(before), run_end)
                    and not self._is_backfilled(name)
                ):
                    yield f"the bookmark of {name} went back from {before} to {mark}"
                last[name] = mark

    def _is_backfilled(self, name: str) -> bool:
        new = self._world.streams.get("new_field") or {}
        return bool(self._config.get("backfill_new_fields")) and new.get("stream") == name

    def committed(self, result: Result, state: Mapping[str, Any]) -> None:
        """Take note of the STATE from which the next run goes on."""
        bookmarks = state.get("bookmarks", {})
        if BOOKMARK in bookmarks.get("deleted_leads", {}):
            self._begun.setdefault(
                "deleted_leads", to_epoch(result.begun_at - DELETIONS_KEPT) + 700
            )
        removed = bookmarks.get("removed_program_members", {})
        # Of a program that comes later, what had ended before was in no table.
        since = self._store.now + 600 if self._told_of else self._start or self._store.now + 600
        for entry in removed.get("program_bookmarks", ()):
            for program_id in ids_in(entry["programIds"]):
                self._told_of.setdefault(program_id, since)

    def is_behind(self, result: Result, state: Mapping[str, Any]) -> bool:
        """Return whether STATE says that leads are complete as of a moment before the run."""
        mark = _mark(state, "leads")
        run_end = result.begun_at + timedelta(seconds=self._world.date_skew - 62)
        return mark is not None and parse_timestamp(mark) < run_end

    # -- the end --------------------------------------------------------------------------------

    def differences(self, tables: StreamTables, state: Mapping[str, Any]) -> Iterator[str]:
        """Yield how tables differ from what the emulator has, as each stream promises it."""
        for name in self._names:
            table = tables.of(name)
            if name in self._rows:
                yield from self._of_rows(name, table)
            elif name == "deleted_leads":
                yield from self._of_deletions(table, state)
            elif name == "removed_program_members":
                yield from self._of_ends(table)
            elif name.startswith("activit") and name != "activity_types":
                yield from self._of_activities(name, table)
            elif name != "program_members":
                yield from self._of_lists(name, table)

    def _of_rows(self, name: str, table: Table) -> Iterator[str]:
        """Yield differences of leads, or of a custom object; what is gone may still be there."""
        rows, is_lead = self._rows[name], name == "leads"
        kept = {record["id" if is_lead else "marketoGUID"]: record for record in table.values()}
        for key in rows.now():
            changed_at = self._store.changed_at(key) if is_lead else rows.value(key, "updatedAt")
            if int(changed_at or 0) < self._start:
                continue
            if key not in kept:
                yield f"lost of {name}: {key}, changed at {changed_at}"
            elif not rows.is_now(key, kept[key]):
                yield f"out of date in {name}: {key}, changed at {changed_at}: {kept[key]}"
            elif lacking := self._catalog.fields(name) - kept[key].keys():
                yield f"{name} {key} lacks {lacking}"

    def _of_activities(self, name: str, table: Table) -> Iterator[str]:
        types = stream_truths.wanted_types(self._config)
        if name != "activities":
            types = frozenset(t for t in types if stream_of_type(t) == name)
        found: set[str] = set()
        for guid, activity in self._activities.readable():
            at, type_id = activity.happening.at, activity.happening.type_id
            if type_id not in types:
                continue
            found.add(guid)
            is_late = activity.committed_at - at > self._overlap
            if at >= self._start and not is_late and (guid,) not in table:
                yield (
                    f"lost of {name}: {guid} of type {type_id} at {at}, noted "
                    f"{activity.committed_at - at} s later"
                )
        for (guid,), record in table.items():
            if guid in found and (lacking := self._catalog.fields(name) - record.keys()):
                yield f"{name} {guid} lacks {lacking}"
            if record["activityTypeId"] not in types:
                yield f"not asked for: {guid} of type {record['activityTypeId']}"

    def _of_deletions(self, table: Table, state: Mapping[str, Any]) -> Iterator[str]:
        since = max(self._start, self._begun.get("deleted_leads", 0))
        if state.get("bookmarks", {}).get("deleted_leads", {}).get("deletions_incomplete"):
            since = max(since, self._store.now - int(DELETIONS_KEPT.total_seconds()))
        for guid, activity in self._activities.known():
            happening = activity.happening
            is_late = activity.committed_at - happening.at > self._overlap
            is_due = happening.type_id == DELETE_LEAD and happening.at >= since and not is_late
            if is_due and (guid,) not in table:
                yield f"lost of deleted_leads: {happening.lead_id} at {happening.at}"

    def _of_ends(self, table: Table) -> Iterator[str]:
        """Yield ends of memberships that are not told, and those told that were none."""
        store = self._store
        ends = EndedMemberships(self._activities.known())
        for lead_id, program_id, at in ends.that_last():
            program = store.programs.get(program_id)
            if program is None or not is_chosen(program, self._config):
                continue
            if at < self._told_of.get(program_id, at + 1):
                continue
            is_member = lead_id in store.member_rows[program_id]
            if not is_member and (lead_id, program_id) not in table:
                yield f"not told: {lead_id} left {program_id} at {at}"
        for key in table.keys() - ends.ever:
            yield f"removed_program_members has {key}, who never left"

    def _of_lists(self, name: str, table: Table) -> Iterator[str]:
        """Yield differences of a table that each run brings whole."""
        shown: Mapping[Any, Mapping[str, Any]]
        if name == "channels":
            shown = stream_truths.channels()
        elif name == "activity_types":
            shown = stream_truths.activity_types()
        else:
            detailed = bool(self._config.get("programs_detail"))
            shown = {
                program.program_id: program.shown_alone() if detailed else program.shown()
                for program in self._store.programs.values()
                if is_chosen(program, self._config)
            }
        if {key for (key,) in table} != shown.keys():
            yield f"{name} has {sorted(table)}, and there are {sorted(shown)}"
            return
        for (key,), record in table.items():
            if not stream_truths.agrees(record, shown[key]):
                yield f"{name} {key} is {shown[key]}, in the table {record}"


def _mark(state: Mapping[str, Any], name: str) -> str | None:
    mark = state.get("bookmarks", {}).get(name, {}).get(BOOKMARK)
    return mark if isinstance(mark, str) and name != "program_members" else None
