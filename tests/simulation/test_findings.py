"""What schedules have found once, each as the smallest schedule that shows it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.simulation.schedule import DAY, HOUR, START, Run, Schedule, draw_schedule, stamp
from tests.simulation.simulation import Simulation, excess, play

QUEUE_FULL = {
    "operation": "export.enqueue",
    "code": "1029",
    "message": "Too many jobs in queue",
    "times": None,
}


def world(**different: Any) -> dict[str, Any]:
    """Return a small world without any trouble."""
    plain: dict[str, Any] = {
        "described": None,
        "programs_stream": True,
        "programs": 3,
        "members": 30,
        "seed": 1,
        "begins_after": 0,
        "latency": 0.1,
        "job_seconds": [30.0],
        "date_skew": 0,
        "options": {},
    }
    return {**plain, **different}


def findings(
    *runs: Run, config: dict[str, Any] | None = None, events: Any = (), **different: Any
) -> list[str]:
    """Return what is wrong in the end with these runs, in a world different from the plain one."""
    return play(Schedule(1, world(**different), config or {}, tuple(events), runs)).findings


def days_ago(days: float) -> dict[str, Any]:
    """Return the setting of a first extract that goes back some days."""
    return {"start_date": stamp(START - timedelta(days=days))}


def terminated(step: int, place: str = "wait") -> dict[str, Any]:
    """Return a SIGTERM at a step of a kind."""
    return {"how": "term", "place": place, "step": step, "cut": 0.0}


def test_a_job_behind_two_that_run_does_not_keep_the_scheduler_busy() -> None:
    """Three jobs, two of which run for ten minutes: the third's poll is not due before them."""
    assert not findings(Run(0), config=days_ago(90), job_seconds=[600.0])


def test_a_job_made_again_waits_for_its_place() -> None:
    """While a damaged file was downloaded its job's place went to another: the limit holds."""
    damaged = {"operation": "export.file", "rewrites": ["swapped_case"], "times": 2}
    config = {**days_ago(200), "max_queued_jobs": 1}
    run = Run(0, faults=(damaged,))
    assert not findings(run, config=config, members=80, job_seconds=[30.0, 400.0])


def test_a_used_up_quota_is_not_asked_for_again_and_again() -> None:
    """While the jobs that run are waited for, the one that was refused rests: 4 polls, no more."""
    refused = {
        "operation": "export.enqueue",
        "nth": 2,
        "times": None,
        "for_seconds": HOUR,
        "code": "1029",
        "message": "Export daily quota 500MB exceeded.",
    }
    schedule = Schedule(
        1,
        world(job_seconds=[200.0]),
        days_ago(60),
        runs=(Run(0, faults=(refused,)),),
    )
    outcome = play(schedule)
    assert outcome.findings == []
    assert outcome.calls < 30


def test_a_job_may_take_its_time_after_it_stood_in_the_queue_for_long() -> None:
    """Seven jobs of an hour each, none of which takes longer than the two hours allowed."""
    config = {**days_ago(200), "max_queued_jobs": 10, "job_timeout_seconds": 2 * HOUR}
    outcome = play(Schedule(1, world(job_seconds=[HOUR]), config, runs=(Run(0),)))
    assert outcome.findings == []
    assert outcome.interrupted == 0


def test_jobs_taken_over_that_wait_for_their_turn_stay_in_state() -> None:
    """The first job taken over finds the queue full, so that others wait when the run ends."""
    failed = {"operation": "export.job", "outcome": "Failed"}
    full = {**QUEUE_FULL, "nth": 4, "for_seconds": HOUR}
    first = Run(0, faults=(failed, full), kill=terminated(5))
    second = Run(60, kill=terminated(1))
    seconds = [1.0, 9000.0, 9000.0]
    assert not findings(first, second, config=days_ago(90), job_seconds=seconds)


def test_a_job_too_old_to_be_taken_over_is_cancelled() -> None:
    """A job that never got into the queue is not left behind eight days later."""
    first = Run(0, faults=(QUEUE_FULL,), kill=terminated(2))
    assert not findings(first, Run(8 * DAY))


def test_a_snapshot_taken_over_leaves_out_what_is_older_than_start_date() -> None:
    """Older rows are dropped here, whichever run started the job."""
    config = {**days_ago(200), "backfill": "snapshot"}
    assert not findings(Run(0, kill=terminated(1)), Run(HOUR), config=config)


def test_an_empty_file_that_should_not_be_is_not_taken_over_again() -> None:
    """The next run creates a new job instead of failing over the same file for a week."""
    announced = {"operation": "export.job", "put": {"numberOfRecords": 13}}
    run = Run(0, faults=(announced,))
    empty = {"empty_file": "nothing"}
    assert not findings(run, config=days_ago(0.04), options=empty)


def test_a_date_header_ahead_of_the_times_of_changes_loses_nothing() -> None:
    """A window that ends in the future does not move the bookmark beyond its job's creation."""
    changes = [{"at": 127.0, "do": "touch", "count": 9, "seed": 1}]
    assert not findings(Run(0), config=days_ago(4), events=changes, date_skew=600)


def test_a_bookmark_does_not_pass_over_what_an_earlier_window_left_out() -> None:
    """Of two windows that end in the future the second begins where nothing is known yet."""
    changes = [{"at": 127.0, "do": "touch", "count": 9, "seed": 1}]
    config = days_ago(31 - 300 / DAY)
    assert not findings(Run(0), config=config, events=changes, date_skew=600)


def test_a_job_that_waits_for_the_quota_to_be_made_again_is_not_polled() -> None:
    """It failed, and nothing more can be said of it: eighteen hours, and no thousand calls."""
    failed = {"operation": "export.job", "outcome": "Failed", "nth": 1}
    config = {**days_ago(20), "on_daily_quota": "wait"}
    schedule = Schedule(
        1,
        world(job_seconds=[200.0]),
        config,
        ({"at": 100.0, "do": "export_bytes"},),
        (Run(0, faults=(failed,)),),
    )
    outcome = play(schedule)
    assert outcome.findings == []
    assert outcome.jobs > 1
    assert outcome.polls < 30


def test_a_job_to_be_made_again_hides_none_that_stand_behind_it() -> None:
    """Two jobs failed and wait for the quota: what has finished behind them is read meanwhile."""
    failed = {"operation": "export.job", "outcome": "Failed", "times": 2}
    config = {**days_ago(90), "on_daily_quota": "wait"}
    events = ({"at": 100.0, "do": "export_bytes"},)
    schedule = Schedule(1, world(job_seconds=[200.0]), config, events, (Run(0, faults=(failed,)),))
    simulation = Simulation(schedule)
    assert simulation.play().findings == []
    files = simulation.world.application.requests.of("export.file")
    assert files[0].started_at - START < timedelta(hours=1)


def test_an_empty_file_that_nothing_vouches_for_is_asked_for_again() -> None:
    """A job without size, checksum and number of records, whose file once comes without a byte."""
    bare = {
        "operation": "export.job",
        "drop": ["fileSize", "fileChecksum", "numberOfRecords"],
    }
    empty = {"operation": "export.file", "rewrites": ["empty"]}
    assert not findings(Run(0, faults=(bare, empty)), config=days_ago(20))


def test_a_status_without_created_at_does_not_take_it_back() -> None:
    """Marketo's clock is ahead, and the answer that ends the job leaves out when it was created."""
    forgetful = {"operation": "export.status", "nth": 3, "drop": ["result.0.createdAt"]}
    config = days_ago(4.6)
    changes = [{"at": 2.9, "do": "touch", "count": 100, "seed": 1}]
    seconds = [152.6]
    run = Run(0, faults=(forgetful,))
    assert not findings(run, config=config, events=changes, job_seconds=seconds, date_skew=600)


def test_a_bookmark_does_not_pass_over_an_older_job_still_to_be_written() -> None:
    """A job taken over fails, and the one made instead knows more than the next, made before it."""
    failed = {"operation": "export.job", "outcome": "Failed"}
    first = Run(0, faults=(failed,), kill=terminated(1))
    changes = [{"at": at, "do": "touch", "count": 100, "seed": at} for at in (100, 300)]
    assert not findings(first, Run(200), events=changes, job_seconds=[900.0], date_skew=600)


def test_a_token_refused_is_no_refusal_of_the_job_it_was_for() -> None:
    """The run ends, and the next one enqueues the job that was created."""
    expired = {"operation": "export.enqueue", "code": "602"}
    refused = {"operation": "identity.token", "nth": 2, "code": "9999", "message": "Something new"}
    assert not findings(Run(0, faults=(expired, refused)))


def test_jobs_taken_over_take_no_place_too_many() -> None:
    """One of two jobs is still to be enqueued: it waits until the other has left the queue."""
    wrong = {"operation": "export.job", "put": {"fileChecksum": f"sha256:{0:064}"}}
    stuck = {"operation": "export.job", "nth": 2, "outcome": "Stuck"}
    first = Run(0, faults=(wrong, stuck), kill=terminated(1))
    second = Run(DAY, kill={"how": "kill", "place": "wait", "step": 3, "cut": 0.0})
    assert not findings(first, second, config={"max_queued_jobs": 1}, programs=11)


def test_a_schedule_in_which_nothing_happens_can_be_drawn() -> None:
    """No fault, and no event but the removal of programs that the settings name."""
    schedule = draw_schedule(21_776)
    assert (schedule.events, [run.faults for run in schedule.runs]) == ((), [()])
    assert play(schedule).findings == []


NO_WINDOWS = {"operation": "export.create", "code": "1035", "message": "Unsupported filter type"}


def test_all_members_in_place_of_windows_come_after_the_jobs_taken_over() -> None:
    """The filter is refused of late: what an earlier job has is older than what comes instead."""
    runs = Run(0), Run(2000, kill=terminated(1)), Run(2400, faults=(NO_WINDOWS,))
    changes = [{"at": at, "do": "touch", "count": 100, "seed": 1} for at in (1000, 2300)]
    config = days_ago(4)
    seconds = [30.0, 900.0, 30.0]
    assert not findings(*runs, config=config, events=changes, job_seconds=seconds)


def test_all_members_in_place_of_windows_leave_no_job_behind() -> None:
    """The first of three jobs taken over is to be made again, and refused; the others go on."""
    failed = {"operation": "export.job", "outcome": "Failed"}
    full = {**QUEUE_FULL, "nth": 4, "for_seconds": 300}
    first = Run(0, faults=(failed, full), kill=terminated(5))
    gone = {"operation": "export.enqueue", "code": "1003", "message": "Export job is Cancelled"}
    second = Run(900, faults=(gone, NO_WINDOWS))
    seconds = [1.0, 9000.0, 9000.0]
    assert not findings(first, second, config=days_ago(90), job_seconds=seconds)


def test_a_program_deleted_while_its_jobs_wait_leaves_none_behind() -> None:
    """It is listed and gone a second later, when the first of its jobs is to be made again."""
    failed = {"operation": "export.job", "outcome": "Failed"}
    full = {**QUEUE_FULL, "nth": 4, "for_seconds": 300}
    first = Run(0, faults=(failed, full), kill=terminated(5))
    gone = {"operation": "export.enqueue", "code": "1003", "message": "Export job is Cancelled"}
    events = [{"at": 901.2, "do": "remove_program", "seed": 1}]
    config = {**days_ago(90), "program_ids": [1001]}
    different = {"programs": 2, "job_seconds": [1.0, 9000.0, 9000.0]}
    runs = first, Run(900, faults=(gone,))
    (found,) = findings(*runs, config=config, events=events, **different)
    assert "the last run" in found
    assert "no such program, or the API user cannot see it" in found


def test_jobs_taken_over_of_a_later_stream_hold_their_places() -> None:
    """The first stream has one more window meanwhile, and waits with it until a place is free."""
    config = {**days_ago(20), "max_queued_jobs": 2}
    streams = {"names": ["custom_object_car_c", "leads"]}
    runs = Run(0, kill=terminated(1)), Run(HOUR)
    assert not findings(*runs, config=config, streams=streams, job_seconds=[3 * HOUR])


def test_a_date_header_ahead_of_deletions_loses_none() -> None:
    """The lead is deleted after the run, and before the end that its bookmark has."""
    config = {**days_ago(4), "activity_overlap_minutes": 1}
    events = [{"at": 400.0, "do": "delete_lead", "seed": 1}]
    different: dict[str, Any] = {"streams": {"names": ["deleted_leads"]}, "date_skew": 600}
    assert not findings(Run(0), config=config, events=events, **different)


def test_a_first_load_taken_over_is_as_of_when_its_jobs_were_made() -> None:
    """What changed since then is for the next run, and the bookmark says so."""
    events = [{"at": 1800.0, "do": "write_leads", "count": 100, "seed": 1}]
    runs = Run(0, kill=terminated(1)), Run(HOUR)
    different: dict[str, Any] = {"streams": {"names": ["leads"]}, "job_seconds": [900.0]}
    assert not findings(*runs, events=events, **different)


def test_a_job_that_never_ends_is_not_waited_for_from_day_to_day() -> None:
    """A day's budget of calls is used up long before the job's two hours are over."""
    stuck = {"operation": "export.job", "outcome": "Stuck"}
    run = Run(0, faults=(stuck,), config={"daily_calls_budget": 20})
    config = {"on_daily_quota": "wait", "job_timeout_seconds": 2 * HOUR}
    assert not findings(run, config={**config, "poll_interval_seconds": 180})


def test_a_job_of_a_stream_that_has_failed_gives_its_place_up_when_it_is_cancelled() -> None:
    """Two jobs of leads take too long: the first ends the stream, and then the others go on."""
    slow = {"operation": "export.job", "job_seconds": 20_000, "times": 2}
    config = {**days_ago(60), "max_queued_jobs": 2, "job_timeout_seconds": 2 * HOUR}
    different: dict[str, Any] = {"streams": {"names": ["leads"]}, "job_seconds": [900.0]}
    assert not findings(Run(0, faults=(slow,)), config=config, **different)


@pytest.mark.parametrize("seed", [20_030_675, 41_000_482])
def test_a_job_that_may_not_be_cancelled_any_more_is_nobodys_fault(seed: int) -> None:
    """Memberships that ended are looked up, and the stream fails.

    The permission has gone by then, or the token of each attempt has ended.
    """
    assert play(draw_schedule(seed)).findings == []


def test_ids_of_members_wait_for_the_places_of_a_failed_stream() -> None:
    """Activities fail and leave five jobs in the queue; then ended memberships are looked up."""
    assert play(draw_schedule(1_402_889)).findings == []


def test_a_whole_extract_is_as_old_as_the_job_of_a_first_load_it_goes_on_with() -> None:
    """Leads change after an earlier run has made that job, and before this run makes the others."""
    slow = {"operation": "export.job", "nth": 3, "times": 4, "job_seconds": 20_000}
    runs = Run(0, faults=(slow,)), Run(DAY, config={"daily_calls_budget": 20})
    events = [{"at": DAY + 30, "do": "write_leads", "count": 100, "seed": 1}]
    different = {
        "streams": {"names": ["custom_object_car_c", "leads"]},
        "options": {"updated_at_filter_supported": False},
    }
    config = {"job_timeout_seconds": 2 * HOUR}
    assert not findings(*runs, config=config, events=events, **different)


def test_a_deletion_read_weeks_before_a_run_ends_is_known() -> None:
    """The run waits sixteen days for its quota, and Marketo keeps deletions for fourteen."""
    assert play(draw_schedule(7_600_226)).findings == []


@pytest.mark.parametrize("config", [{}, days_ago(40), days_ago(90)])
@pytest.mark.parametrize("until", [1, 2, 5])
def test_a_program_renamed_while_its_first_jobs_wait_is_read_anew(
    config: dict[str, Any], until: int
) -> None:
    """It has no bookmark yet that could be older than the new name."""
    events = [{"at": 2000.0, "do": "rename", "seed": 1}, {"at": 2400.0, "do": "rename", "seed": 2}]
    runs = Run(0, kill=terminated(until)), Run(HOUR), Run(2 * HOUR)
    watched = {"changed_programs": "activities", "full_check_days": 1, **config}
    assert not findings(*runs, config=watched, events=events, programs=3, job_seconds=[900.0])


def test_jobs_whose_creation_was_not_answered_are_no_waste() -> None:
    """Twelve answers in a row are lost, and each has made a job."""
    schedule = draw_schedule(14_006_832)
    assert excess(schedule, play(schedule)) == []
