"""What the SDK reads from a config is offered and works, or one line refuses it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from marketo_bulk import PROGRAM_MEMBERS, ConfigurationError
from marketo_emulator import Emulator
from tests.tap_runs import NO_RATE_LIMIT, capture, created_jobs, make_tap, members_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.tap_runs import TapRun

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"faker_config": {"seed": 1}}, "faker_config"),
    ({"flattening_enabled": True}, "flattening_enabled needs"),
    ({"flattening_enabled": True, "flattening_max_depth": -1}, "flattening_max_depth is -1"),
    ({"flattening_enabled": True, "flattening_max_depth": -2}, "flattening_max_depth is -2"),
    (
        {"flattening_enabled": True, "flattening_max_depth": 1, "flattening_max_key_length": 0},
        "flattening_max_key_length is 0",
    ),
]


@pytest.mark.fault(
    "T1.3",
    "another setting that the SDK reads cannot be followed (`faker_config` without faker, "
    "flattening without a depth or into equal names, a stream map with an error)",
    "refuses it in one line before any job",
)
@pytest.mark.parametrize(("config", "named"), REFUSED)
def test_a_setting_that_cannot_be_followed_is_refused(
    emulator: Emulator, config: dict[str, Any], named: str
) -> None:
    """The line names the setting."""
    with pytest.raises(ConfigValidationError) as caught:
        make_tap(emulator, config)
    (line,) = caught.value.errors
    assert line.startswith(named)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"stream_maps": {"program_members": "x"}}, "stream_maps.*program_members"),
        ({"stream_maps": {"__else__": "x"}}, "stream_maps.*__else__"),
        ({"stream_maps": {"program_members": {"__else__": "x"}}}, "stream_maps.*__else__"),
        ({"stream_maps": {"program_members": {"leadId": None}}}, "stream_maps.*leadId"),
        ({"stream_maps": {"program_members": {"n": "(("}}}, "stream_maps"),
        ({"stream_maps": {"program_members": {"__filter__": "(("}}}, "stream_maps"),
        ({"stream_maps": {"program_members": {"n": ""}}}, "stream_maps"),
        ({"stream_maps": {"program_members": {"__key_properties__": ["x"]}}}, "stream_maps.*x"),
        (
            {"flattening_enabled": True, "flattening_max_depth": 1, "flattening_max_key_length": 2},
            "flattening.*flattening_max_key_length",
        ),
    ],
)
def test_a_stream_map_with_an_error_is_refused(
    emulator: Emulator, config: dict[str, Any], named: str
) -> None:
    """Before a job is made, in one line, without a traceback."""
    with pytest.raises((ConfigurationError, ConfigValidationError)) as caught:
        make_tap(emulator, config)
    (said,) = getattr(caught.value, "errors", [str(caught.value)])
    assert re.search(named, said)
    assert "\n" not in said
    assert not created_jobs(emulator)


@pytest.mark.fault(
    "T1.3",
    "… an expression of a stream map fails on a record",
    "one line with stream and expression, and no value of the record; STATE is written",
)
@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("stream", "maps"),
    [
        ("program_members", {"n": "int(statusName)"}),
        ("program_members", {"n": "statusName + 1"}),
        ("program_members", {"n": "nothing_of_that_name"}),
        ("program_members", {"__filter__": "int(statusName)"}),
        ("programs", {"n": "int(name)"}),
        ("programs", {"__filter__": "name + 1"}),
    ],
)
def test_a_failing_expression_is_one_line_without_the_value(
    emulator: Emulator,
    run_tap: Callable[..., TapRun],
    monkeypatch: pytest.MonkeyPatch,
    fast: bool,  # noqa: FBT001
    stream: str,
    maps: dict[str, str],
) -> None:
    """Python's own words would quote the cell."""
    if not fast:
        monkeypatch.setattr("tap_marketo_bulk.output.record_loop.BulkStream.writes_lines", False)
    with pytest.raises(ConfigurationError, match=f"stream {stream!r}: the stream map") as caught:
        run_tap(emulator, {"stream_maps": {stream: maps}})
    said = str(caught.value)
    values = {str(m["statusName"]) for m in emulator.store.members()}
    assert not any(value in said for value in values if value)
    assert "\n" not in said
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "maps",
    [
        {"email": "__NULL__"},
        {"__filter__": "id > 3"},
        {"__alias__": "people", "email": "__NULL__"},
        {"address": "email", "__else__": None, "id": "id"},
        None,
    ],
)
@pytest.mark.parametrize("catalog", ["none", "discovered"])
def test_a_stream_that_is_not_selected_may_have_a_map(
    emulator: Emulator, run_tap: Callable[..., TapRun], maps: object, catalog: str
) -> None:
    """What masks people is in the settings of all runs, whatever a run selects."""
    every = dict.fromkeys(("leads", "activities"), maps if maps is None else {"__filter__": "1"})
    config = {"stream_maps": {**every, "leads": maps}}
    given = make_tap(emulator, config).catalog_dict if catalog == "discovered" else None
    assert run_tap(emulator, config, catalog=given).table() == members_of(emulator)


@pytest.mark.parametrize(
    "config",
    [
        {"stream_maps": None},
        {"stream_maps": {}},
        {"stream_map_config": None},
        {"faker_config": None},
        {"faker_config": {}},
        {"faker_config": {"seed": None, "locale": None}},
        {"batch_config": None},
        {"flattening_enabled": None},
        {"flattening_enabled": False, "flattening_max_depth": None},
    ],
)
def test_null_is_not_set(
    emulator: Emulator, run_tap: Callable[..., TapRun], config: dict[str, Any]
) -> None:
    """Meltano passes null for a setting that has been unset."""
    assert run_tap(emulator, config).table() == members_of(emulator)


def test_stream_map_config_is_there_for_expressions(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """It is what `config` means in an expression."""
    config = {
        "stream_maps": {"program_members": {"n": "config['n']"}},
        "stream_map_config": {"n": "seven"},
    }
    assert {record["n"] for record in run_tap(emulator, config).records()} == {"seven"}


@pytest.mark.fault(
    "T1.3",
    "… STATE of another tap lists `partitions`",
    "extracts each record once, without keys of the partition",
)
@pytest.mark.parametrize("fast", [True, False])
def test_partitions_in_a_state_change_nothing(
    emulator: Emulator,
    run_tap: Callable[..., TapRun],
    monkeypatch: pytest.MonkeyPatch,
    fast: bool,  # noqa: FBT001
) -> None:
    """The SDK would run the stream once for each and put its keys into the records."""
    if not fast:
        monkeypatch.setattr("tap_marketo_bulk.output.record_loop.BulkStream.writes_lines", False)
    partitions = [{"context": {"region": name}} for name in ("north", "south")]
    state = {"bookmarks": {s: {"partitions": partitions} for s in ("program_members", "programs")}}
    run = run_tap(emulator, state=state)
    assert run.table() == members_of(emulator)
    assert len(run.records()) == len(run.table())
    assert len(run.records("programs")) == 3
    assert len(created_jobs(emulator)) == 1


@pytest.fixture
def busy() -> Iterator[Emulator]:
    """Return an emulator whose five jobs take a while each, two at a time."""
    options = replace(NO_RATE_LIMIT, status_refresh_seconds=0)
    with Emulator(programs=45, members=600, job_seconds=0.5, options=options) as emulator:
        yield emulator


def unfinished(emulator: Emulator) -> list[str]:
    """Return the ids of the jobs that are still to be worked on."""
    tap = make_tap(emulator)
    with tap.client as client:
        return [
            job.export_id
            for job in client.list_exports(PROGRAM_MEMBERS)
            if not job.status.is_terminal
        ]


@pytest.mark.fault(
    "T10.4",
    "`--test` or a record limit ends a run after one record",
    "one export job at a time, and none is left in Marketo",
)
@pytest.mark.parametrize("config", [{}, {"start_date": "2020-01-01"}, {"max_queued_jobs": 10}])
def test_a_limited_run_leaves_no_job(busy: Emulator, config: dict[str, Any]) -> None:
    """Jobs that nobody waits for any more are cancelled."""
    tap = make_tap(busy, config)
    with tap.client:
        assert tap.run_connection_test()
    assert not unfinished(busy)
    assert len(busy.requests.of("export.cancel")) <= 1


@pytest.mark.fault(
    "T10.4", "… whoever asked for records wants no more of them", "cancels or keeps every job"
)
@pytest.mark.parametrize("method", ["FULL_TABLE", "INCREMENTAL"])
def test_records_that_are_not_asked_for_leave_no_job_unknown(
    busy: Emulator, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """A generator that is closed ends the run as an error does: jobs cancelled, or in STATE."""
    tap = make_tap(busy)
    with tap.client:
        stream = tap.streams["program_members"]
        stream.forced_replication_method = method
        said: list[dict[str, Any]] = []

        def ask() -> None:
            records = iter(stream.get_records(None))
            said.append(next(records))  # type: ignore[arg-type]
            records.close()  # type: ignore[attr-defined]

        run = capture(ask, monkeypatch)
    assert said
    known = {job["exportId"] for job in run.bookmark.get("export_jobs", ())}
    left = set(unfinished(busy))
    assert left <= known
    assert bool(left) == (method == "INCREMENTAL")
