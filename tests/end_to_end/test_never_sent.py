"""What Marketo refuses by its pages is never asked for, whatever a run is over.

Runs over years, over months, over seconds, with clocks that differ and a state from the future,
of all streams: each request is held against the rules.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Fault
from tap_marketo_bulk.sync.windows import format_timestamp
from tests.stream_runs import StreamRuns
from tests.tap_runs import DAY_SECONDS, NO_RATE_LIMIT, make_tap, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marketo_emulator import Emulator
    from marketo_emulator.wire.request_log import LoggedRequest

DATES = {"createdAt", "updatedAt"}
LISTS = {"staticListId", "smartListId"}
WHOLE_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
LONGEST = timedelta(days=31)
REST_TYPES_MAX = 10
SKEW_SECONDS = 600
CONFIGS: dict[str, dict[str, Any]] = {
    "one": {},
    "per type": {"activity_streams": "per_type"},
    "lists": {"lead_static_list_ids": [100], "lead_smart_list_ids": [200]},
    "changes": {"changed_programs": "activities", "start_date": "2025-01-01T00:00:00Z"},
}


@pytest.fixture
def make_runs(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., StreamRuns]:
    """Return a function that makes runs of every stream that the settings offer."""

    def make(config: dict[str, Any], *, full: bool) -> StreamRuns:
        options = replace(NO_RATE_LIMIT, smart_list_filters_supported=True)
        emulator = make_emulator(options=options, members=30, job_seconds=20.0)
        config = {"track_removed_members": True, **config}
        tap = make_tap(emulator, config)
        with tap.client:
            streams = {entry["tap_stream_id"] for entry in tap.catalog_dict["streams"]}
        # One stream cannot be read whole.
        streams -= {"deleted_leads"} if full else set()
        return StreamRuns(emulator, monkeypatch, *streams, config=config, full=full)

    return make


def live(runs: StreamRuns, seconds: float) -> None:
    """Let time pass in which things happen."""
    store = runs.emulator.store
    lead_id = store.add_lead(firstName="New")
    store.change_lead(3, city=f"after {seconds:.0f} s")
    store.put_object("car_c", vin=f"after {seconds:.0f} s", leadID=4)
    program_id = store.add_program(members=2).program_id
    store.add_member(program_id, lead_id)
    runs.emulator.advance(seconds)
    store.remove_member(program_id, lead_id)
    store.delete_lead(lead_id)


def put_ahead(runs: StreamRuns) -> None:
    """Make the state one of a run whose clock was five minutes ahead."""
    ahead = format_timestamp(runs.emulator.clock.now() + timedelta(minutes=5))
    for state in (runs.state or {})["bookmarks"].values():
        if "replication_key_value" in state:
            state["replication_key_value"] = ahead
        for cohort in state.get("program_bookmarks", ()):
            cohort["updatedAt"] = ahead


def spans(request: LoggedRequest) -> Iterator[dict[str, str]]:
    """Return the stretches of time that a job is asked for."""
    yield from (span for name, span in request.body["filter"].items() if name in DATES)


def assert_kept(emulator: Emulator) -> None:
    """Hold every request against the rules."""
    created = emulator.requests.of("export.create")
    assert {request.error_code for request in created} == {""}
    for request in created:
        wanted = set(request.body["filter"])
        # V20: no job asks by assets, with types or without; the types go with the dates.
        if "activities" in request.path:
            assert wanted == {"createdAt", "activityTypeIds"}
            assert request.body["filter"]["activityTypeIds"]
        # O1: exactly one filter, and so for leads, which have two by date.
        elif "customobjects" in request.path:
            assert wanted == {"updatedAt"}
        elif "leads" in request.path:
            assert len(wanted & (DATES | LISTS)) == len(wanted) == 1
        else:
            assert wanted <= {"programIds", "updatedAt"}
            assert 1 <= len(request.body["filter"]["programIds"]) <= 10
        for span in spans(request):
            # V35: whole seconds, in UTC.
            assert all(WHOLE_SECOND.fullmatch(text) for text in span.values())
            start, end = moment(span["startAt"]), moment(span["endAt"])
            # V34: not a second more than 31 days.
            assert timedelta() <= end - start <= LONGEST
            # V33: nothing begins in the future.
            assert start <= request.started_at
    # V38: the calls for activities ask for no list, nor for leads or assets.
    for request in emulator.requests.of("activities.list"):
        assert set(request.query) == {"nextPageToken", "activityTypeIds", "batchSize"}
        assert len(request.query["activityTypeIds"].split(",")) <= REST_TYPES_MAX


@pytest.mark.fault("V20", "a filter by assets without types, with both, with 51", "is never sent")
@pytest.mark.fault("V33", "a window that begins in the future", "is never sent, if clocks differ")
@pytest.mark.fault("V34", "a window of 31 days and a second", "is never sent, however long a gap")
@pytest.mark.fault("V35", "a window's borders with milliseconds", "are never sent")
@pytest.mark.fault("V38", "the activities of a list that is too large", "no list is asked for")
@pytest.mark.fault("O1", "a custom object without a filter, or with two", "is never asked for")
@pytest.mark.parametrize(
    ("name", "full"), [*((name, False) for name in CONFIGS), ("per type", True)]
)
def test_what_is_refused_by_rule_is_never_sent(
    make_runs: Callable[..., StreamRuns],
    name: str,
    full: bool,  # noqa: FBT001
) -> None:
    """V20, V33, V34, V35, V38, O1: no create is refused, and each keeps to the rules."""
    runs = make_runs(CONFIGS[name], full=full)
    emulator = runs.emulator
    runs.run()
    for seconds in (100 * DAY_SECONDS, 90.0, 0.5):
        live(runs, seconds)
        runs.run()
    put_ahead(runs)
    runs.run()
    emulator.faults.add(Fault(date_skew_seconds=SKEW_SECONDS, times=None))
    for _ in range(2):
        live(runs, 30.0)
        runs.run()
    made = emulator.requests.of("export.create")
    kinds = {request.path.split("/export/")[0].split("/v1/")[1] for request in made}
    assert kinds >= {"leads", "activities", "program/members", "customobjects/car_c"}
    assert emulator.requests.of("activities.list")
    assert_kept(emulator)
