"""The control API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Emulator
from tests.emulator.harness import MEMBERS, Marketo, refusal

if TYPE_CHECKING:
    from collections.abc import Callable


def control(marketo: Marketo, method: str, path: str = "", body: object = None) -> Any:
    """Return the answer of the control API, which wants no token."""
    more: dict[str, Any] = {} if body is None else {"json": body}
    return marketo.wire.open(f"/_emulator{path}", method=method, **more).get_json()


def test_summary_counts_what_there_is(marketo: Marketo) -> None:
    """And tells the time."""
    marketo.create(["leadId"], programId=1001)
    assert control(marketo, "GET") == {
        "now": "2026-06-15T18:00:00+00:00",
        "programs": 8,
        "members": 120,
        "leads": 72,
        "exports": 1,
        "imports": 0,
        "requests": 2,
    }


def test_control_is_free_and_meets_no_fault(make: Callable[..., Marketo]) -> None:
    """It is not logged either."""
    marketo = make(max_calls_per_window=1)
    control(marketo, "POST", "/faults", {"code": "611", "times": None})
    for _ in range(5):
        assert "now" in control(marketo, "GET")
    assert len(marketo.emulator.requests) == 1


def test_options_are_shown(make: Callable[..., Marketo]) -> None:
    """All of them, by name."""
    shown = control(make(ssv_delimiter=" "), "GET", "/options")
    assert shown["ssv_delimiter"] == " "
    assert shown["max_calls_per_window"] == 100


def test_members_and_leads_are_those_of_the_store(marketo: Marketo) -> None:
    """As JSON."""
    store = marketo.emulator.store
    assert control(marketo, "GET", "/members") == list(store.members())
    assert control(marketo, "GET", "/leads") == list(store.leads())


def test_time_passes_for_members(marketo: Marketo) -> None:
    """Some change, some join, some people are new."""
    store = marketo.emulator.store
    marketo.clock.advance(60)
    reply = control(
        marketo,
        "POST",
        "/members/change",
        {"count": 25, "seed": 2, "new_members": 3, "new_leads": 4},
    )
    updated = [
        [member["programId"], member["leadId"]]
        for member in store.members()
        if member["updatedAt"] == "2026-06-15T18:01:00Z"
    ]
    assert [len(reply[key]) for key in ("changed", "added", "leads")] == [25, 3, 4]
    assert sorted(updated) == sorted(reply["changed"] + reply["added"])
    assert len(store.lead_rows) == 72 + 3 + 4


def test_one_member_can_be_changed_and_removed(marketo: Marketo) -> None:
    """By program and lead."""
    lead_id = next(iter(marketo.emulator.store.member_rows[1003]))
    path = f"/members/1003/{lead_id}"
    assert control(marketo, "POST", path, {"eventRole": "Host"})["eventRole"] == "Host"
    assert control(marketo, "DELETE", path) == {}
    assert control(marketo, "DELETE", path) == {"error": f"there is no {lead_id}"}


def test_programs_come_and_go(marketo: Marketo) -> None:
    """With their members."""
    made = control(marketo, "POST", "/programs", {"name": "Fresh", "members": 7, "age_days": 2})
    listed = {program["id"]: program for program in control(marketo, "GET", "/programs")}
    assert listed[made["id"]]["members"] == 7
    assert control(marketo, "DELETE", f"/programs/{made['id']}") == {}
    assert len(control(marketo, "GET", "/programs")) == 8


def test_faults_are_set_shown_and_cleared(marketo: Marketo) -> None:
    """One or several at once."""
    control(marketo, "POST", "/faults", {"operation": "programs.browse", "code": "608"})
    control(marketo, "POST", "/faults", [{"code": "713", "nth": 2}, {"code": "719", "nth": 3}])
    assert [fault["code"] for fault in control(marketo, "GET", "/faults")] == ["608", "713", "719"]
    assert refusal(marketo.get("/rest/asset/v1/programs.json"))[0] == "608"
    control(marketo, "DELETE", "/faults")
    assert control(marketo, "GET", "/faults") == []


def test_jobs_are_shown_whoever_owns_them(marketo: Marketo) -> None:
    """Exports with their kind and owner, imports with their counters."""
    export_id = marketo.create(["leadId"], programId=1001)
    shown = control(marketo, "GET", "/exports")
    assert [(job["exportId"], job["object"], job["owner"]) for job in shown] == [
        (export_id, MEMBERS, "emulator")
    ]
    assert control(marketo, "GET", "/imports") == []


def test_requests_are_shown_and_forgotten(marketo: Marketo) -> None:
    """With the body of a create, and no token."""
    marketo.create(["leadId"], programId=1001)
    shown = control(marketo, "GET", "/requests")
    assert shown[-1]["body"] == {"fields": ["leadId"], "filter": {"programId": 1001}}
    assert marketo.token not in str(shown)
    control(marketo, "DELETE", "/requests")
    assert control(marketo, "GET", "/requests") == []


def test_virtual_clock_can_be_advanced(marketo: Marketo) -> None:
    """Jobs go on with it."""
    export_id = marketo.create(["leadId"], programId=1001)
    marketo.enqueue(export_id)
    summary = control(marketo, "POST", "/clock/advance", {"seconds": 600})
    assert summary["now"] == "2026-06-15T18:10:00+00:00"
    assert marketo.status(export_id)["status"] == "Completed"


def test_real_clock_can_be_advanced_too() -> None:
    """A served emulator has a real one; a day can be skipped all the same."""
    emulator = Emulator(programs=1, members=1)
    marketo = Marketo(emulator, emulator.clock)  # type: ignore[arg-type]
    before = emulator.clock.now()
    control(marketo, "POST", "/clock/advance", {"seconds": 86_400})
    assert (emulator.clock.now() - before).days == 1


@pytest.mark.parametrize(("what", "code"), [("revoke", "601"), ("expire", "602")])
def test_tokens_can_be_ended(marketo: Marketo, what: str, code: str) -> None:
    """Revoked ones are unknown, expired ones are expired."""
    control(marketo, "POST", f"/tokens/{what}")
    assert refusal(marketo.get("/rest/asset/v1/channels.json"))[0] == code


def test_others_can_take_places_and_quota(marketo: Marketo) -> None:
    """As if other integrations were at work."""
    export_id = marketo.create(["leadId"], programId=1001)
    control(marketo, "POST", "/others", {"queued_exports": 10, "seconds": 60})
    full = refusal(marketo.enqueue(export_id))
    marketo.clock.advance(60)
    control(marketo, "POST", "/others", {"exported_bytes": 500_000_000})
    spent = refusal(marketo.enqueue(export_id))
    assert [full[1], spent[1]] == ["Too many jobs in queue", "Export daily quota 500MB exceeded."]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("DELETE", "/members", None, 405),
        ("POST", "/faults", {"colour": 1}, 400),
        ("POST", "/members/change", {"colour": 1}, 400),
        ("POST", "/members/change", "text", 400),
        ("POST", "/members/1003/1", {"nope": 1}, 404),
        ("DELETE", "/programs/7", None, 404),
        ("POST", "/clock/advance", {"seconds": -1}, 400),
    ],
)
def test_control_says_what_is_wrong(
    marketo: Marketo, method: str, path: str, body: object, status: int
) -> None:
    """In an `error`, with an HTTP status."""
    more: dict[str, Any] = {} if body is None else {"json": body}
    reply = marketo.wire.open(f"/_emulator{path}", method=method, **more)
    assert reply.status_code == status
    assert reply.get_json()["error"]
