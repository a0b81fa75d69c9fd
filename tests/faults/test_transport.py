"""What goes wrong on the way to Marketo and back, each named by its id (docs/faults.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk.errors import DailyQuotaExceededError, RejectedError, ServiceUnavailableError
from marketo_emulator import Fault
from tests.faults.drill import jobs_in
from tests.tap_runs import DAY_SECONDS, created_jobs

if TYPE_CHECKING:
    from tests.faults.drill import Drill

READS = ["describe.members", "describe.leads", "programs.browse", "export.status", "export.file"]


@pytest.mark.fault(
    "A13", "every call gets 606 for half a minute", "waits out Marketo's window of 20 s, twice"
)
def test_a13_rate_limit_is_waited_out(drill: Drill) -> None:
    """Few refused calls, no more waiting than needed, nothing lost."""
    drill.arm(Fault(operation="export.*", code="606", times=None, for_seconds=30))
    drill.assert_whole(drill.run())
    assert 30 <= sum(drill.clock.slept) <= 60
    assert sum(entry.error_code == "606" for entry in drill.emulator.requests) <= 3


@pytest.mark.fault("A14", "every third call gets 615", "calls again after a moment")
def test_a14_concurrency_limit_is_waited_out(drill: Drill) -> None:
    """However often it comes, each call is made in the end, and has its effect once."""
    drill.arm(Fault(operation="*.*", nth=3, every=3, code="615", times=None))
    drill.assert_whole(drill.run())
    assert len(drill.emulator.jobs) == 1
    assert drill.clock.slept == [1] * len(drill.clock.slept) != []


@pytest.mark.parametrize(
    ("operation", "left"), [("export.create", 0), ("export.status", 1), ("export.file", 1)]
)
@pytest.mark.fault(
    "A15",
    "the day's calls are used up (607) at create, at a poll or at the download",
    "stops with exit code 75; a job that runs stays in STATE and the next day's run takes it over",
)
def test_a15_used_up_calls_stop_the_run(drill: Drill, operation: str, left: int) -> None:
    """Not tried again; a job there is is not made again."""
    drill.arm(Fault(operation=operation, code="607", times=None))
    error, failed = drill.run_fails(DailyQuotaExceededError)
    assert "607" in str(error)
    assert drill.count(operation) == 1
    assert len(jobs_in(failed)) == left
    drill.emulator.advance(DAY_SECONDS)
    drill.assert_next_run_completes(failed)
    # Taken over, and a job for the day since; or one job for all, made a day later.
    assert len(drill.emulator.jobs) == left + 1


@pytest.mark.parametrize("operation", READS)
@pytest.mark.fault(
    "A16",
    "a gateway's HTML page with status 200, in place of JSON or of a file",
    "asks again; a page is never taken for an answer or for rows",
)
def test_a16_page_with_status_200_is_asked_for_again(drill: Drill, operation: str) -> None:
    """One page costs one more call."""
    drill.arm(Fault(operation=operation, body="<html>502 Bad Gateway</html>"))
    drill.assert_whole(drill.run())
    assert drill.clock.slept == [1]


@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.fault("A17", "502, 503, 504 with a page", "asks again with growing pauses")
def test_a17_gateway_errors_are_waited_out(drill: Drill, operation: str, status: int) -> None:
    """Twice is made up for by two waits."""
    drill.arm(Fault(operation=operation, status=status, times=2))
    drill.assert_whole(drill.run())
    assert drill.clock.slept == [1, 2]


@pytest.mark.parametrize("how", [{"status": 503}, {"reset": "before"}])
@pytest.mark.fault(
    "A17",
    "… without end, or nobody answers",
    "fails after `max_retry_seconds`; the job stays in STATE and the next run takes it over",
)
def test_a17_outage_ends_the_run_in_time(drill: Drill, how: dict[str, Any]) -> None:
    """Waits that grow to a minute, as long as configured and no longer; one job for both runs."""
    drill.arm(Fault(operation="export.status", times=None, **how))
    error, failed = drill.run_fails(ServiceUnavailableError, {"max_retry_seconds": 300})
    assert "status export" in str(error)
    assert 240 <= sum(drill.clock.slept) <= 300
    assert len(jobs_in(failed)) == 1
    drill.assert_next_run_completes(failed)
    whole = [job for job in created_jobs(drill.emulator) if "updatedAt" not in job["filter"]]
    assert len(whole) == 1


@pytest.mark.fault(
    "A18",
    "the connection breaks after a job was created",
    "creates again; the first job is never enqueued and costs nothing",
)
def test_a18_lost_reply_to_create_costs_an_idle_job(drill: Drill) -> None:
    """Two jobs, of which one runs."""
    drill.arm(Fault(operation="export.create", reset="after"))
    drill.assert_whole(drill.run())
    assert [job.status.value for job in drill.emulator.jobs] == ["Created", "Completed"]


@pytest.mark.fault(
    "A19",
    "the connection breaks after a job was enqueued",
    "looks at its status, and does not enqueue it again",
)
def test_a19_lost_reply_to_enqueue_is_looked_up(drill: Drill) -> None:
    """The status says that the job is queued."""
    drill.arm(Fault(operation="export.enqueue", reset="after"))
    drill.assert_whole(drill.run())
    assert drill.operations()[:3] == ["create", "enqueue", "status"]
    assert drill.count("export.enqueue") == 1


@pytest.mark.fault("A19", "… or before it was", "looks at its status, enqueues it again")
def test_a19_lost_enqueue_is_repeated(drill: Drill) -> None:
    """The status says that the job is only created."""
    drill.arm(Fault(operation="export.enqueue", reset="before"))
    drill.assert_whole(drill.run())
    assert drill.operations()[:4] == ["create", "enqueue", "status", "enqueue"]
    assert len(drill.emulator.jobs) == 1


@pytest.mark.fault(
    "A20",
    "a file trickles in, never silent for long",
    "drops the connection after a minute with too little, resumes by Range",
)
def test_a20_trickling_file_is_resumed(drill: Drill) -> None:
    """What has come is kept, and the rest is asked for anew."""
    drill.clock.tick = 2.0
    drill.arm(Fault(operation="export.file", drip_bytes=500, drip_seconds=0.001))
    drill.assert_whole(drill.run())
    assert drill.statuses("export.file") == [200, 206]


@pytest.mark.parametrize("how", [{"put": {"errors": []}}, {"drop": ("errors",)}])
@pytest.mark.fault(
    "A21",
    "`success: false` with `errors` empty or missing",
    "fails and names the call and the request id",
)
def test_a21_failure_without_a_reason_is_an_error(drill: Drill, how: dict[str, Any]) -> None:
    """Marketo's support needs the request id, so the error has it."""
    drill.arm(Fault(operation="export.status", code="611", **how))
    error, failed = drill.run_fails(RejectedError)
    assert "without saying why" in str(error)
    assert error.request_id
    assert error.request_id in str(error)
    drill.assert_next_run_completes(failed)


@pytest.mark.fault("A22", "create answers success without `result`", "creates again after a moment")
def test_a22_created_job_without_a_result_is_created_again(drill: Drill) -> None:
    """A job whose id nobody knows is none."""
    drill.arm(Fault(operation="export.create", drop=("result",)))
    drill.assert_whole(drill.run())
    assert drill.operations()[:3] == ["create", "create", "enqueue"]


@pytest.mark.fault(
    "A22",
    "the list of programs is a success without `result`",
    "takes it for no programs; the bookmarks stay, so that the next run misses nothing",
)
def test_a22_list_without_a_result_is_empty(drill: Drill) -> None:
    """Nothing is written, and the run after it goes on from the run before it."""
    first = drill.run()
    drill.emulator.advance(DAY_SECONDS)
    drill.emulator.store.touch_members(5)
    drill.emulator.advance(DAY_SECONDS)
    drill.arm(Fault(operation="programs.browse", drop=("result",)))
    second = drill.run(state=first.last_state)
    assert second.records() == []
    before = drill.count("export.create")
    third = drill.run(state=second.last_state)
    drill.assert_whole(first, third)
    assert ["updatedAt" in job["filter"] for job in created_jobs(drill.emulator)[before:]] == [True]


@pytest.mark.fault("A23", "an error code is a number", "is the code it would be as text")
def test_a23_code_as_a_number_is_the_code(drill: Drill) -> None:
    """606 is waited for, with or without quotes."""
    drill.arm(Fault(operation="export.status", code="606", rewrites=("integer_codes",)))
    drill.assert_whole(drill.run())
    assert drill.clock.slept == [20]


@pytest.mark.fault(
    "A24",
    "an error code nobody knows",
    "calls again twice where that does no harm; then fails and says that the code is unknown",
)
def test_a24_unknown_code_is_tried_three_times(drill: Drill) -> None:
    """Twice is survived, for ever is an error with code and message."""
    unknown = {"operation": "export.status", "code": "9999", "message": "Something new"}
    drill.arm(Fault(**unknown, times=2))  # type: ignore[arg-type]
    drill.assert_whole(drill.run())
    before = drill.count("export.status")
    drill.arm(Fault(**unknown, times=None))  # type: ignore[arg-type]
    error, failed = drill.run_fails(RejectedError)
    assert "9999 Something new" in str(error)
    assert "not known here" in str(error)
    assert drill.count("export.status") == before + 3
    drill.assert_next_run_completes(failed)


@pytest.mark.parametrize("operation", READS[:4])
@pytest.mark.fault("A26", "half of a JSON answer", "asks again")
def test_a26_truncated_json_is_asked_for_again(drill: Drill, operation: str) -> None:
    """An answer that stops in the middle is none."""
    drill.arm(Fault(operation=operation, rewrites=("half",)))
    drill.assert_whole(drill.run())
    assert drill.clock.slept == [1]
