"""The life of an export: statuses, queue, quota, visibility, retention."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.harness import NOON, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

DAY = 86_400


def test_export_runs_from_created_to_completed(marketo: Marketo) -> None:
    """A job shows each status in turn, and each time only from then on."""
    export_id = marketo.create(["leadId"], programId=1001)
    created = marketo.status(export_id)
    marketo.enqueue(export_id)
    queued = marketo.status(export_id)
    marketo.clock.advance(61)
    processing = marketo.status(export_id)
    marketo.clock.advance(60)
    completed = marketo.status(export_id)

    assert [created["status"], queued["status"]] == ["Created", "Queued"]
    assert set(created) == {"exportId", "format", "status", "createdAt"}
    assert set(queued) - set(created) == {"queuedAt"}
    assert processing["status"] == "Processing"
    assert set(processing) - set(queued) == {"startedAt"}
    assert completed["status"] == "Completed"
    assert set(completed) - set(processing) == {
        "finishedAt",
        "numberOfRecords",
        "fileSize",
        "fileChecksum",
    }
    assert completed["queuedAt"] == "2026-06-15T18:00:00Z"
    assert completed["finishedAt"] == "2026-06-15T18:01:30Z"


def test_status_tells_size_digest_and_count_of_the_file(marketo: Marketo) -> None:
    """What the status says of the file is true of its bytes."""
    export_id = marketo.create(["leadId", "dietaryNotes"], programId=1002)
    marketo.enqueue(export_id)
    marketo.clock.advance(120)
    status = marketo.status(export_id)
    content = marketo.file(export_id).data

    assert status["fileSize"] == len(content)
    assert status["fileChecksum"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert status["numberOfRecords"] == len(marketo.emulator.store.member_rows[1002])


def run(marketo: Marketo, **conditions: Any) -> str:
    """Create and enqueue an export of lead ids; return its id."""
    export_id = marketo.create(["leadId"], **(conditions or {"programId": 1001}))
    assert marketo.enqueue(export_id)["success"] is True
    return export_id


def statuses(marketo: Marketo) -> list[str]:
    """Return the true status of every job."""
    return [job.status.value for job in marketo.emulator.jobs]


def test_two_jobs_process_at_once_first_in_first_out(marketo: Marketo) -> None:
    """Two workers; the third job starts when the first ends, and not when it is looked at."""
    for delay in (0, 10, 10):
        marketo.clock.advance(delay)
        run(marketo)
    assert statuses(marketo) == ["Processing", "Processing", "Queued"]
    marketo.clock.advance(70)
    assert statuses(marketo) == ["Completed", "Processing", "Processing"]
    marketo.clock.advance(3000)
    starts = [job.started_at for job in marketo.emulator.jobs]
    assert [(start - NOON).total_seconds() for start in starts if start] == [0, 10, 90]


def test_all_kinds_of_export_share_the_workers(marketo: Marketo) -> None:
    """Leads wait for members."""
    run(marketo)
    run(marketo)
    lead_export = marketo.create(["id"], "leads", staticListId=100)
    marketo.enqueue(lead_export, "leads")
    assert statuses(marketo) == ["Processing", "Processing", "Queued"]


def test_eleventh_job_in_the_queue_is_refused(marketo: Marketo) -> None:
    """Ten, the two at work included; a created job takes no place."""
    for _ in range(10):
        run(marketo)
    export_id = marketo.create(["leadId"], programId=1001)
    assert refusal(marketo.enqueue(export_id)) == ("1029", "Too many jobs in queue")
    assert marketo.status(export_id)["status"] == "Created"
    marketo.clock.advance(90)
    assert marketo.enqueue(export_id)["success"] is True


def test_places_can_be_held_by_others_for_a_time(marketo: Marketo) -> None:
    """Jobs of other integrations fill the queue without being seen."""
    marketo.emulator.others_use(queued_exports=10, seconds=1200)
    export_id = marketo.create(["leadId"], programId=1001)
    assert refusal(marketo.enqueue(export_id))[1] == "Too many jobs in queue"
    marketo.clock.advance(1200)
    assert marketo.enqueue(export_id)["success"] is True


def test_job_cannot_be_enqueued_twice(marketo: Marketo) -> None:
    """Queued or processing it is there already; ended it is over."""
    export_id = run(marketo)
    again = marketo.enqueue(export_id)
    marketo.clock.advance(600)
    assert refusal(again) == ("1029", "Job already queued")
    assert refusal(marketo.enqueue(export_id))[0] == "1003"


def test_status_is_refreshed_once_a_minute(marketo: Marketo) -> None:
    """What a worker does shows at the next full minute after the job was enqueued."""
    export_id = run(marketo)
    seen = []
    for _ in range(5):
        seen.append(marketo.status(export_id)["status"])
        marketo.clock.advance(30)
    assert seen == ["Queued", "Queued", "Processing", "Processing", "Completed"]


def test_status_refresh_follows_the_option(make: Callable[..., Marketo]) -> None:
    """Zero shows everything at once."""
    marketo = make(status_refresh_seconds=0)
    export_id = run(marketo)
    assert marketo.status(export_id)["status"] == "Processing"
    marketo.clock.advance(90)
    assert marketo.status(export_id)["status"] == "Completed"


def test_job_of_no_length_shows_at_the_first_refresh(make: Callable[..., Marketo]) -> None:
    """However quick it was."""
    marketo = make(job_seconds=0, status_refresh_seconds=60)
    export_id = run(marketo)
    before = marketo.status(export_id)["status"]
    marketo.clock.advance(60)
    assert [before, marketo.status(export_id)["status"]] == ["Queued", "Completed"]


def test_short_jobs_are_refreshed_as_often_as_they_run(make: Callable[..., Marketo]) -> None:
    """A quick emulator is not slowed down by a minute it does not need."""
    marketo = make(job_seconds=0.05)
    export_id = run(marketo)
    marketo.clock.advance(0.05)
    assert marketo.status(export_id)["status"] == "Completed"


def test_job_seconds_may_depend_on_the_job(make: Callable[..., Marketo]) -> None:
    """A callable is asked for each job."""
    marketo = make(job_seconds=lambda job: 5 if job.kind == "leads" else 500)
    run(marketo)
    lead_export = marketo.create(["id"], "leads", staticListId=100)
    marketo.enqueue(lead_export, "leads")
    marketo.clock.advance(100)
    assert statuses(marketo) == ["Processing", "Completed"]


def test_snapshot_is_that_of_the_start_of_processing(make: Callable[..., Marketo]) -> None:
    """Members that come or change while a job waits are in its file, later ones are not."""
    marketo = make(max_running_exports=1)
    store = marketo.emulator.store
    run(marketo)
    waiting = run(marketo)
    store.add_member(1001, lead_id=None)
    marketo.clock.advance(95)
    store.remove_member(1001, next(iter(store.member_rows[1001])))
    expected = len(store.member_rows[1001]) + 1
    marketo.clock.advance(3000)
    content = marketo.file(waiting).data
    assert content.count(b"\n") == expected + 1


def test_cancel_ends_a_job_and_frees_its_place(marketo: Marketo) -> None:
    """From created, queued and processing, at once, with its times kept."""
    created = marketo.create(["leadId"], programId=1001)
    working, _, waiting = run(marketo), run(marketo), run(marketo)
    replies = [
        marketo.post(f"/bulk/v1/program/members/export/{export_id}/cancel.json")["result"][0]
        for export_id in (created, working, waiting)
    ]
    assert [reply["status"] for reply in replies] == ["Cancelled"] * 3
    assert ["queuedAt" in reply for reply in replies] == [False, True, True]
    assert marketo.status(working)["status"] == "Cancelled"
    assert statuses(marketo) == ["Cancelled", "Cancelled", "Processing", "Cancelled"]
    assert marketo.file(working).status_code == 404


def test_cancelled_worker_takes_the_next_job(make: Callable[..., Marketo]) -> None:
    """The next job starts at the moment of the cancellation."""
    marketo = make(max_running_exports=1)
    first = run(marketo)
    run(marketo)
    marketo.clock.advance(30)
    marketo.post(f"/bulk/v1/program/members/export/{first}/cancel.json")
    marketo.clock.advance(500)
    second = marketo.emulator.jobs[1]
    assert second.started_at == NOON + timedelta(seconds=30)


def test_cancelled_is_spelt_by_option(make: Callable[..., Marketo]) -> None:
    """The prose has one l."""
    marketo = make(cancelled_spelling="Canceled")
    export_id = marketo.create(["leadId"], programId=1001)
    marketo.post(f"/bulk/v1/program/members/export/{export_id}/cancel.json")
    assert marketo.status(export_id)["status"] == "Canceled"


def test_ended_job_cannot_be_cancelled(marketo: Marketo) -> None:
    """Completed stays completed."""
    export_id = run(marketo)
    marketo.clock.advance(600)
    reply = marketo.post(f"/bulk/v1/program/members/export/{export_id}/cancel.json")
    assert refusal(reply) == ("1003", "Export job is already Completed")


def test_quota_blocks_create_and_enqueue_until_midnight(make: Callable[..., Marketo]) -> None:
    """Used up by finished files; running jobs finish; the text is the one seen on the wire."""
    marketo = make(daily_export_bytes=2_000_000)
    waiting = marketo.create(["leadId"], programId=1001)
    running = run(marketo)
    marketo.emulator.others_use(exported_bytes=2_000_000)
    text = ("1029", "Export daily quota 2MB exceeded.")
    assert refusal(marketo.enqueue(waiting)) == text
    assert (
        marketo.error(
            "/bulk/v1/program/members/export/create.json",
            {"fields": ["leadId"], "filter": {"programId": 1001}},
        )
        == text
    )
    marketo.clock.advance(600)
    assert marketo.status(running)["status"] == "Completed"
    marketo.clock.advance(11 * 3600 - 600)
    marketo.sign_in()
    assert marketo.enqueue(waiting)["success"] is True


def test_quota_is_charged_by_size_when_a_job_completes(make: Callable[..., Marketo]) -> None:
    """A job that runs costs nothing yet."""
    marketo = make(daily_export_bytes=20)
    export_id = run(marketo)
    marketo.clock.advance(60)
    assert run(marketo)
    marketo.clock.advance(60)
    assert marketo.status(export_id)["fileSize"] > 20
    assert (
        marketo.error(
            "/bulk/v1/program/members/export/create.json",
            {"fields": ["leadId"], "filter": {"programId": 1001}},
        )[0]
        == "1029"
    )


def test_jobs_of_another_client_are_unknown(make: Callable[..., Marketo]) -> None:
    """Status, list and file belong to the client that created the job."""
    marketo = make(other_clients=(("other", "secret"),))
    export_id = run(marketo)
    marketo.clock.advance(600)
    marketo.sign_in("other", "secret")
    path = f"/bulk/v1/program/members/export/{export_id}"
    assert refusal(marketo.get(f"{path}/status.json"))[0] == "1013"
    assert refusal(marketo.post(f"{path}/enqueue.json"))[0] == "1013"
    assert refusal(marketo.post(f"{path}/cancel.json"))[0] == "1013"
    assert marketo.get("/bulk/v1/program/members/export.json")["result"] == []
    assert marketo.file(export_id).status_code == 404


def test_job_of_another_kind_is_unknown(marketo: Marketo) -> None:
    """A member export cannot be found among leads."""
    export_id = run(marketo)
    marketo.clock.advance(600)
    status = marketo.get(f"/bulk/v1/leads/export/{export_id}/status.json")
    assert refusal(status) == ("1013", f"Export job '{export_id}' not found")
    assert marketo.file(export_id, "leads").status_code == 404


def test_file_is_gone_before_its_status(marketo: Marketo) -> None:
    """Seven days for the file, thirty for the status."""
    export_id = run(marketo)
    marketo.clock.advance(90 + 7 * DAY)
    marketo.sign_in()
    kept = marketo.file(export_id).status_code
    marketo.clock.advance(1)
    gone = marketo.file(export_id).status_code
    completed = marketo.status(export_id)["status"]
    marketo.clock.advance(23 * DAY)
    marketo.sign_in()
    forgotten = marketo.get(f"/bulk/v1/program/members/export/{export_id}/status.json")
    assert [kept, gone, completed] == [200, 404, "Completed"]
    assert refusal(forgotten)[0] == "1013"


def test_list_pages_through_recent_jobs(marketo: Marketo) -> None:
    """A token of 24 hex digits until the last page, which has none, nor `moreResult`."""
    made = [marketo.create(["leadId"], programId=1001) for _ in range(5)]
    path = "/bulk/v1/program/members/export.json"
    first = marketo.get(path, batchSize=3)
    second = marketo.get(path, batchSize=3, nextPageToken=first["nextPageToken"])
    listed = [job["exportId"] for page in (first, second) for job in page["result"]]
    assert listed == made
    assert re.fullmatch(r"[0-9a-f]{24}", first["nextPageToken"])
    assert set(second) == {"requestId", "result", "success"}


def test_list_filters_by_status_in_any_spelling(marketo: Marketo) -> None:
    """Commas or repeated, either case, either number of l."""
    export_id = marketo.create(["leadId"], programId=1001)
    marketo.post(f"/bulk/v1/program/members/export/{export_id}/cancel.json")
    run(marketo)
    path = "/bulk/v1/program/members/export.json"
    for text in ("canceled", "Cancelled", "cancelled,Completed"):
        found = marketo.get(path, status=text)["result"]
        assert [job["exportId"] for job in found] == [export_id]
    repeated = marketo.send("GET", f"{path}?status=Queued&status=Cancelled").get_json()
    assert len(repeated["result"]) == 2


@pytest.mark.parametrize("query", [{"batchSize": 301}, {"batchSize": 0}, {"nextPageToken": "zz"}])
def test_list_refuses_what_makes_no_sense(marketo: Marketo, query: dict[str, object]) -> None:
    """Page sizes are 1 to 300, tokens are its own."""
    assert refusal(marketo.get("/bulk/v1/program/members/export.json", **query))[0] == "1003"


def test_list_forgets_jobs_after_a_week(marketo: Marketo) -> None:
    """Counted from creation."""
    marketo.create(["leadId"], programId=1001)
    marketo.clock.advance(7 * DAY)
    marketo.sign_in()
    kept = marketo.get("/bulk/v1/program/members/export.json")["result"]
    marketo.clock.advance(1)
    gone = marketo.get("/bulk/v1/program/members/export.json")["result"]
    assert [len(kept), len(gone)] == [1, 0]


def test_created_job_may_show_a_queue_time_by_option(make: Callable[..., Marketo]) -> None:
    """Some samples have it, recordings do not."""
    marketo = make(queued_at_in_created=True)
    assert "queuedAt" in marketo.status(marketo.create(["leadId"], programId=1001))


def test_program_removed_while_its_job_waits_gives_no_rows(make: Callable[..., Marketo]) -> None:
    """The snapshot is of what is there when processing starts."""
    marketo = make(max_running_exports=1)
    run(marketo)
    waiting = run(marketo, programId=1002)
    marketo.emulator.store.remove_program(1002)
    marketo.clock.advance(3000)
    assert marketo.file(waiting).data == b"leadId\n"
