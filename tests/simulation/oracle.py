"""Oracle: what must hold of every run, and of the table in the end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from marketo_bulk import MarketoBulkError
from marketo_bulk.limits import CALLS_PER_WINDOW_DEFAULT, RATE_WINDOW_SECONDS
from marketo_bulk.timestamps import parse_timestamp
from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.sync.state import Bookmarks, read_bookmarks
from tests.simulation.process import STREAM
from tests.simulation.program_menu import is_chosen
from tests.simulation.schema_check import disagreements

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tests.simulation.process import Result
    from tests.simulation.world import World


NAMES = ProgramMembers.names
MAX_QUEUED_DEFAULT = 5
ROUNDING_SECONDS = 0.01
SETTLING_SECONDS = 62
"""How far behind a run ends, and what whole seconds take from it."""

# Marketo's, once more: an error in the client's own list of limits is not to hide itself.
EXPORT_PROGRAMS_MAX = 10
EXPORT_WINDOW_MAX_SECONDS = 31 * 86_400


def judge(
    result: Result, state: Mapping[str, Any], world: World, config: Mapping[str, Any]
) -> Iterator[str]:
    """Yield what was wrong with one run that began from a state."""
    error = result.error
    if not isinstance(error, (MarketoBulkError, SystemExit, type(None))) and not result.killed:
        yield f"it failed with {error!r}"
    most = config.get("max_queued_jobs", MAX_QUEUED_DEFAULT)
    if result.queued_most > most:
        yield f"{result.queued_most} jobs in the queue, more than {most}"
    if result.unowned:
        yield f"{result.unowned} jobs go on in Marketo that the STATE written does not name"
    yield from _too_fast(result, config.get("calls_per_20_seconds", CALLS_PER_WINDOW_DEFAULT))
    yield from disagreements(result.messages)
    yield from _invented(result, world)
    yield from _gone_back(result, state, world, config)
    clock = world.clock.now() + timedelta(seconds=world.date_skew)
    for written in bookmarks_written(result):
        if parse_timestamp(written) > clock:
            yield f"a bookmark ahead of Marketo's clock: {written}"


def bookmarks_written(result: Result) -> Iterator[str]:
    """Yield the oldest bookmark of each STATE that a run has written."""
    for message in result.messages:
        if message["type"] == "STATE":
            bookmark = message["value"].get("bookmarks", {}).get(STREAM, {})
            if bookmark.get("program_bookmarks"):
                yield bookmark["replication_key_value"]


def differences(
    table: Mapping[tuple[int, int], Mapping[str, Any]],
    world: World,
    config: Mapping[str, Any],
    excused: Collection[tuple[str, str]],
) -> Iterator[str]:
    """Yield how a table differs from the members there are, but for changes in excused spans.

    Members that are gone may still be there, as they were at some time: exports do not tell.
    """
    members = world.diary.members()
    for key, member in members.items():
        wanted = is_wanted(key, member, config) and is_chosen(world.store.programs[key[1]], config)
        if any(begin <= member["updatedAt"] <= end for begin, end in excused):
            continue
        if wanted and key not in table:
            yield f"lost: {key}, updated {member['updatedAt']}"
        elif wanted and not _is_as_asked(table[key], member, world, config):
            kept = table[key]["updatedAt"]
            yield f"out of date: {key}, updated {member['updatedAt']}, in the table {kept}"
        elif not wanted and key in table:
            yield f"not asked for: {key}, updated {member['updatedAt']}"
    for key in table.keys() - members.keys():
        if not world.diary.was(key, dict(table[key])):
            yield f"invented: {key}"


def _is_as_asked(
    row: Mapping[str, Any], member: Mapping[str, Any], world: World, config: Mapping[str, Any]
) -> bool:
    """Return whether a row is the member; it may lack a new field that has no backfill."""
    if config.get("backfill_new_fields"):
        return row == member
    return world.diary.agree(row, member)


def outdated(
    table: Mapping[tuple[int, int], Mapping[str, Any]],
    world: World,
    config: Mapping[str, Any],
    excused: Collection[tuple[str, str]],
    latest: str,
) -> Iterator[str]:
    """Yield members that have not changed after a moment, and are not in the table as they are.

    A program may have been renamed meanwhile, which its members do not show.
    """
    for key, member in world.diary.members().items():
        if member["updatedAt"] > latest or not is_wanted(key, member, config):
            continue
        if not is_chosen(world.store.programs[key[1]], config):
            continue
        if any(begin <= member["updatedAt"] <= end for begin, end in excused):
            continue
        row = dict(table.get(key, {}))
        if not world.diary.agree({**row, "program": ""}, {**member, "program": ""}):
            yield f"longer unread than the full check: {key}, updated {member['updatedAt']}"


def is_wanted(key: tuple[int, int], member: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    """Return whether the settings ask for a member."""
    programs, start = config.get("program_ids"), config.get("start_date", "")
    return bool(member["updatedAt"] >= start and (not programs or key[1] in programs))


def beyond_limits(world: World, config: Mapping[str, Any]) -> Iterator[str]:
    """Yield which of Marketo's limits all runs together have broken."""
    for request in world.application.requests.of("export.create"):
        conditions = (request.body or {}).get("filter", {})
        if len(conditions.get("programIds", ())) > EXPORT_PROGRAMS_MAX:
            yield f"a job over {len(conditions['programIds'])} programs"
        span = conditions.get("updatedAt") or conditions.get("createdAt")
        if span and _seconds(span["endAt"]) - _seconds(span["startAt"]) > EXPORT_WINDOW_MAX_SECONDS:
            yield f"a window from {span['startAt']} to {span['endAt']}"
    if config.get("calls_per_20_seconds", 0) > CALLS_PER_WINDOW_DEFAULT:
        return  # the first calls of a run may come on top of the last ones of the run before
    refused = [
        request
        for request in world.application.requests
        if request.error_code in {"606", "615"}
        and not request.concurrency
        and request.operation != "identity.token"
    ]
    if refused:
        yield f"{len(refused)} calls refused with {refused[0].error_code}, and not by a fault"


def _seconds(moment: str) -> float:
    return parse_timestamp(moment).timestamp()


def _invented(result: Result, world: World) -> Iterator[str]:
    """Yield the records that never were a member's: every record comes from a verified file."""
    for message in result.messages:
        if message["type"] != "RECORD" or message["stream"] != STREAM:
            continue
        record = message["record"]
        key = record["leadId"], record["programId"]
        if not world.diary.was(key, record):
            yield f"a record that {key} never was"


def _gone_back(
    result: Result, state: Mapping[str, Any], world: World, config: Mapping[str, Any]
) -> Iterator[str]:
    ids = sorted({program_id for _, program_id in world.diary} | set(world.store.programs))
    last = state.get("bookmarks", {}).get(STREAM, {})
    before = Bookmarks(NAMES, read_bookmarks(last, NAMES), ids).marks
    # What is ahead of the clock is taken back to where a run ends that begins now.
    run_end = result.begun_at + timedelta(seconds=world.date_skew - SETTLING_SECONDS)
    for message in result.messages:
        if message["type"] != "STATE":
            continue
        bookmark = message["value"].get("bookmarks", {}).get(STREAM, {})
        if bookmark.get("program_bookmarks") == last.get("program_bookmarks"):
            continue  # only the jobs are others
        after, last = Bookmarks(NAMES, read_bookmarks(bookmark, NAMES), ids).marks, bookmark
        is_backfilled = world.member_field is not None and config.get("backfill_new_fields")
        for program_id in () if is_backfilled else after.keys() & before.keys():
            if after[program_id] < min(before[program_id], run_end):
                yield f"the bookmark of {program_id} went back to {after[program_id]}"
        before = {**before, **after}


def _too_fast(result: Result, calls_per_window: int) -> Iterator[str]:
    starts = result.starts
    for first, later in zip(starts, starts[calls_per_window:], strict=False):
        if later - first < RATE_WINDOW_SECONDS - ROUNDING_SECONDS:
            yield f"{calls_per_window + 1} calls in {later - first:.1f} s"
            return
