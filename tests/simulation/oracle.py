"""Oracle: what must hold of every run, and of the table in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketo_bulk import MarketoBulkError
from marketo_bulk.limits import CALLS_PER_WINDOW_DEFAULT, RATE_WINDOW_SECONDS
from marketo_bulk.timestamps import parse_timestamp
from tap_marketo_bulk.bookmarks import read_bookmarks
from tests.simulation.process import STREAM

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.simulation.process import Result
    from tests.simulation.world import World


MAX_QUEUED_DEFAULT = 5
ROUNDING_SECONDS = 0.01

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
    yield from _invented(result, world)
    yield from _gone_back(result, state, world)


def differences(
    table: Mapping[tuple[int, int], Mapping[str, Any]], world: World, config: Mapping[str, Any]
) -> Iterator[str]:
    """Yield how a table differs from the members there are.

    Members that are gone may still be there, as they were at some time: exports do not tell.
    """
    members = world.diary.members()
    programs, start = config.get("program_ids"), config.get("start_date", "")
    for key, member in members.items():
        wanted = member["updatedAt"] >= start and (not programs or key[1] in programs)
        if wanted and key not in table:
            yield f"lost: {key}, updated {member['updatedAt']}"
        elif wanted and table[key] != member:
            kept = table[key]["updatedAt"]
            yield f"out of date: {key}, updated {member['updatedAt']}, in the table {kept}"
        elif not wanted and key in table:
            yield f"not asked for: {key}, updated {member['updatedAt']}"
    for key in table.keys() - members.keys():
        if not world.diary.was(key, dict(table[key])):
            yield f"invented: {key}"


def beyond_limits(world: World, config: Mapping[str, Any]) -> Iterator[str]:
    """Yield which of Marketo's limits all runs together have broken."""
    for request in world.application.requests.of("export.create"):
        conditions = (request.body or {}).get("filter", {})
        if len(conditions.get("programIds", ())) > EXPORT_PROGRAMS_MAX:
            yield f"a job over {len(conditions['programIds'])} programs"
        span = conditions.get("updatedAt")
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


def _gone_back(result: Result, state: Mapping[str, Any], world: World) -> Iterator[str]:
    ids = sorted({program_id for _, program_id in world.diary} | set(world.store.programs))
    last = state.get("bookmarks", {}).get(STREAM, {})
    before = read_bookmarks(last, ids)
    for message in result.messages:
        if message["type"] != "STATE":
            continue
        bookmark = message["value"].get("bookmarks", {}).get(STREAM, {})
        if bookmark.get("program_bookmarks") == last.get("program_bookmarks"):
            continue  # only the jobs are others
        after, last = read_bookmarks(bookmark, ids), bookmark
        for program_id in after.keys() & before.keys():
            if after[program_id] < before[program_id]:
                yield f"the bookmark of {program_id} went back to {after[program_id]}"
        before = {**before, **after}


def _too_fast(result: Result, calls_per_window: int) -> Iterator[str]:
    starts = result.starts
    for first, later in zip(starts, starts[calls_per_window:], strict=False):
        if later - first < RATE_WINDOW_SECONDS - ROUNDING_SECONDS:
            yield f"{calls_per_window + 1} calls in {later - first:.1f} s"
            return
