"""A stream that fails costs that stream: the others run, and the next run makes up for it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk.errors import DailyQuotaExceededError, MarketoBulkError, RejectedError
from marketo_emulator import Fault
from singer_marketo.several import SeveralError
from tests.tap_runs import NO_RATE_LIMIT, TapRun, created_jobs, make_tap, members_of, settings_for
from tests.virtual_runs import VirtualRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from marketo_emulator import Emulator

CONFIG = {"start_date": "2026-04-20T00:00:00Z"}
ALL = ("leads", "program_members", "programs")
PATHS = {"leads": "/bulk/v1/leads/*", "program_members": "/bulk/v1/program/members/*"}
KINDS = {"leads": "leads", "program_members": "program/members"}
WAYS: dict[str, dict[str, Any]] = {
    "create": {"operation": "export.create", "code": "603", "times": None},
    "create the second": {"operation": "export.create", "code": "603", "nth": 2, "times": None},
    "a field": {"operation": "export.create", "code": "1003", "times": None},
    "enqueue": {"operation": "export.enqueue", "code": "603", "times": None},
    "enqueue the second": {"operation": "export.enqueue", "code": "603", "nth": 2, "times": None},
    "status": {"operation": "export.status", "code": "603", "times": None},
    "download": {"operation": "export.file", "code": "603", "times": None},
    "second download": {"operation": "export.file", "code": "603", "nth": 2, "times": None},
}
WAYS_OF_JOBS: dict[str, dict[str, Any]] = {
    "failed": {"outcome": "Failed", "times": None},
    "stuck": {"outcome": "Stuck"},
    "unreadable": {"rewrites": ("row_short",)},
}


@dataclass
class Drill:
    """Runs of the tap over all streams, against an emulator on a virtual clock."""

    emulator: Emulator
    runs: VirtualRuns
    selected: tuple[str, ...] = ALL
    made: list[TapRun] = field(default_factory=list)

    def catalog(self) -> dict[str, Any]:
        """Return the catalog with the selected streams."""
        tap = make_tap(self.emulator, CONFIG)
        with tap.client:
            catalog = tap.catalog_dict
        for entry in catalog["streams"]:
            for item in entry["metadata"]:
                if not item["breadcrumb"]:
                    item["metadata"]["selected"] = entry["tap_stream_id"] in self.selected
        return catalog

    def run(self, config: Mapping[str, Any] | None = None, **more: Any) -> TapRun:
        """Run, from the state of the run before."""
        more.setdefault("catalog", self.catalog())
        state = self.made[-1].last_state if self.made else None
        wanted = {**CONFIG, "job_timeout_seconds": 3600, **(config or {})}
        self.made.append(self.runs.run(wanted, state=state, **more))
        return self.made[-1]

    def run_fails(self, config: Mapping[str, Any] | None = None, **more: Any) -> MarketoBulkError:
        """Return what a run fails with."""
        with pytest.raises(MarketoBulkError) as caught:
            self.run(config, **more)
        self.made.append(caught.value.run)  # type: ignore[attr-defined]
        return caught.value

    def missing(self, stream: str) -> set[Any]:
        """Return which records of a stream no run has brought."""
        key = {"leads": ("id",), "program_members": ("leadId", "programId"), "programs": ("id",)}
        store = self.emulator.store
        leads: Any = store.leads()
        start = CONFIG["start_date"]
        wanted: Any = {
            "leads": [(lead["id"],) for lead in leads if lead["updatedAt"] >= start],
            "program_members": [
                at for at, m in members_of(self.emulator).items() if m["updatedAt"] >= start
            ],
            "programs": [(program_id,) for program_id in store.programs],
        }
        brought = {
            tuple(record[name] for name in key[stream])
            for run in self.made
            for record in run.records(stream)
        }
        return set(wanted[stream]) - brought

    def left_in_queue(self) -> set[str]:
        """Return the jobs that go on in Marketo."""
        return {
            j.export_id for j in self.emulator.jobs if j.status.value in {"Queued", "Processing"}
        }

    def named(self) -> set[str]:
        """Return the jobs that the last state names."""
        marks = self.made[-1].last_state.get("bookmarks", {})
        return {job["exportId"] for mark in marks.values() for job in mark.get("export_jobs", ())}


@pytest.fixture
def drill(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Drill]:
    """Return a function that makes a drill."""

    def make(**options: Any) -> Drill:
        plain = {"members": 60, "job_seconds": 50.0, "options": NO_RATE_LIMIT}
        emulator = make_emulator(**{**plain, **options})
        return Drill(emulator, VirtualRuns(emulator, monkeypatch))

    return make


def assert_costs_itself(trial: Drill, failing: str, error: MarketoBulkError) -> None:
    """The others are whole, no job is forgotten, and the next run makes up for it."""
    others = [stream for stream in ALL if stream != failing]
    assert str(error).startswith(f"stream {failing}: ")
    assert {stream: trial.missing(stream) for stream in others} == {s: set() for s in others}
    assert trial.missing(failing)
    assert trial.left_in_queue() <= trial.named()
    trial.emulator.faults.clear()
    trial.run()
    assert trial.missing(failing) == set()
    assert trial.named() == set()


@pytest.mark.parametrize("failing", PATHS)
@pytest.mark.parametrize("way", WAYS)
def test_a_refused_call_costs_its_stream(
    drill: Callable[..., Drill], failing: str, way: str
) -> None:
    """Whatever it is, and whether the stream is being written or is yet to be."""
    trial = drill()
    trial.emulator.faults.add(Fault(path=PATHS[failing], **WAYS[way]))
    assert_costs_itself(trial, failing, trial.run_fails())


@pytest.mark.parametrize("failing", PATHS)
@pytest.mark.parametrize("way", WAYS_OF_JOBS)
def test_a_job_that_ends_badly_costs_its_stream(
    drill: Callable[..., Drill], failing: str, way: str
) -> None:
    """Its jobs and those of the other stream are never more than may be queued."""
    trial = drill()
    trial.emulator.faults.add(
        Fault(operation="export.job", path=KINDS[failing], **WAYS_OF_JOBS[way])
    )
    assert_costs_itself(trial, failing, trial.run_fails())


def test_jobs_of_a_failed_stream_keep_their_places_until_they_end(
    drill: Callable[..., Drill],
) -> None:
    """Never more than `max_queued_jobs`, those of a stream that has failed included."""
    trial = drill(job_seconds=600.0)
    trial.emulator.faults.add(
        Fault(operation="export.file", path=PATHS["leads"], code="603", times=None)
    )
    most = 0

    def look() -> None:
        nonlocal most
        most = max(most, len(trial.left_in_queue()))
        trial.runs.time.at.append((trial.runs.time.now, look))

    trial.runs.time.at.append((trial.runs.time.now, look))
    config = {"start_date": "2026-01-01T00:00:00Z", "max_queued_jobs": 3}
    trial.run_fails(config)
    assert most == 3
    assert trial.missing("program_members") == set()


@pytest.mark.parametrize("failing", [*PATHS, "programs"])
def test_the_run_ends_at_the_first_failure_if_told(
    drill: Callable[..., Drill], failing: str
) -> None:
    """With `on_stream_error: stop`."""
    trial = drill()
    trial.emulator.faults.add(
        Fault(path=PATHS.get(failing, "/rest/asset/*"), code="603", nth=1, times=None)
    )
    catalog = Drill(trial.emulator, trial.runs).catalog()
    error = trial.run_fails({"on_stream_error": "stop"}, catalog=catalog)
    assert isinstance(error, RejectedError)
    later = ALL[ALL.index(failing) + 1 :]
    assert [trial.made[-1].records(stream) for stream in later] == [[] for _ in later]


@pytest.mark.parametrize("stream", PATHS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_run_that_ends_at_once_names_the_stream_that_failed(
    drill: Callable[..., Drill], stream: str, way: dict[str, Any]
) -> None:
    """Whichever was being read: jobs of all streams are worked on together."""
    found = drill()
    found.emulator.faults.add(Fault(path=PATHS[stream], **way))
    error = found.run_fails({"on_stream_error": "stop"})
    assert str(error).startswith(f"stream {stream}: ")


def test_a_list_that_is_refused_is_not_laid_to_the_first_stream(
    drill: Callable[..., Drill],
) -> None:
    """Programs are listed before leads are read."""
    found = drill()
    found.emulator.faults.add(Fault(operation="programs.browse", code="603", times=None))
    error = found.run_fails({"on_stream_error": "stop"})
    assert str(error).startswith("stream program_members: list programs: ")


def test_each_failed_stream_has_its_line(drill: Callable[..., Drill]) -> None:
    """With the permission that each lacks."""
    trial = drill()
    catalog = trial.catalog()
    trial.emulator.faults.add(
        Fault(operation="export.create", path=PATHS["leads"], code="603", times=None),
        Fault(operation="programs.browse", code="603", times=None),
    )
    error = trial.run_fails(catalog=catalog)
    assert isinstance(error, SeveralError)
    # What members are exported by are programs.
    assert [str(each).split(":")[0] for each in error.errors] == [
        "stream leads",
        "stream program_members",
        "stream programs",
    ]
    asked = ["Read-Only Lead", "Read-Only Assets", "Read-Only Assets"]
    assert all(f'Tick "{p}"' in str(e) for p, e in zip(asked, error.errors, strict=True))


@pytest.mark.parametrize(("failing", "other"), [("leads", "program_members")])
def test_a_used_up_quota_beside_a_failure_is_told_too(
    drill: Callable[..., Drill], failing: str, other: str
) -> None:
    """It still ends the run."""
    trial = drill()
    trial.emulator.faults.add(
        Fault(operation="export.create", path=PATHS[failing], code="603", times=None),
        Fault(operation="export.create", path=PATHS[other], code="1029", nth=3, times=None,
              message="Export daily quota 500MB exceeded."),
    )  # fmt: skip
    error = trial.run_fails({"start_date": "2025-12-01T00:00:00Z", "max_queued_jobs": 2})
    assert isinstance(error, SeveralError)
    assert {type(each) for each in error.errors} == {RejectedError, DailyQuotaExceededError}
    assert trial.made[-1].records("programs") == []


@pytest.mark.parametrize(
    ("operation", "left"),
    [("describe.leads", {"programs"}), ("describe.members", {"leads", "programs"})],
)
def test_a_refused_description_costs_the_catalog_its_stream(
    drill: Callable[..., Drill],
    caplog: pytest.LogCaptureFixture,
    operation: str,
    left: set[str],
) -> None:
    """Members have fields of leads, too. A run fails by each that is selected."""
    trial = drill()
    whole = trial.catalog()
    trial.emulator.faults.add(Fault(operation=operation, code="603", times=None))
    found = {entry["tap_stream_id"] for entry in trial.catalog()["streams"]}
    lost = {"leads", "program_members"} - left
    assert found & {*ALL} == left
    assert all(f"The catalog has no stream {stream}" in caplog.text for stream in lost)
    trial.run_fails(catalog=whole)
    assert {stream for stream in ALL if not trial.missing(stream)} == left


def test_a_stream_that_is_not_selected_may_lack_its_permission(
    drill: Callable[..., Drill],
) -> None:
    """The run is whole."""
    trial = drill()
    trial.selected = ("programs",)
    catalog = trial.catalog()
    trial.emulator.faults.add(Fault(operation="describe.*", code="603", times=None))
    trial.run(catalog=catalog)
    assert trial.missing("programs") == set()


def test_jobs_of_a_full_table_that_failed_are_cancelled(drill: Callable[..., Drill]) -> None:
    """Nobody will come for them."""
    trial = drill(job_seconds=600.0)
    catalog = trial.catalog()
    for entry in catalog["streams"]:
        if entry["tap_stream_id"] == "leads":
            entry["replication_method"] = "FULL_TABLE"
    trial.emulator.faults.add(
        Fault(operation="export.file", path=PATHS["leads"], code="603", times=None)
    )
    config = {"start_date": "2026-01-01T00:00:00Z", "max_queued_jobs": 4}
    trial.run_fails(config, catalog=catalog)
    assert trial.left_in_queue() == set()
    assert any(job.cancelled_by_call for job in trial.emulator.jobs)
    assert trial.missing("program_members") == set()


def test_the_outcome_names_the_failed_streams(
    make_emulator: Callable[..., Emulator], tmp_path: Path
) -> None:
    """Exit code 1, a line for each, and the streams by name for machines."""
    options = replace(NO_RATE_LIMIT, missing_permissions=("assets",))
    emulator = make_emulator(clock=None, options=options)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings_for(emulator, {"job_journal": str(tmp_path)})))
    run = [sys.executable, "-m", "tap_marketo_bulk", "--config", str(config)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 1
    outcome = json.loads((tmp_path / "outcome.json").read_text())
    assert outcome["failedStreams"] == ["program_members", "programs"]
    assert (outcome["exitCode"], len(outcome["message"])) == (1, 2)
    assert all(line in done.stderr for line in outcome["message"])
    assert created_jobs(emulator) == []
