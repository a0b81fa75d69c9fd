"""The page at `/`, as it is sent; `browser.py` looks at it in a browser."""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Emulator, Fault, VirtualClock
from marketo_emulator.api.control import ACTIONS
from tests.emulator.harness import NOON, Marketo

if TYPE_CHECKING:
    from collections.abc import Callable


def html(marketo: Marketo) -> str:
    """Return the page."""
    return marketo.wire.get("/").get_data(as_text=True)


def state(marketo: Marketo) -> dict[str, Any]:
    """Return what the page shows."""
    return dict(marketo.wire.get("/_emulator/page").get_json())


def test_page_is_one_file_that_loads_nothing(marketo: Marketo) -> None:
    """No foreign host, no other file, and a policy that says so."""
    reply = marketo.wire.get("/")
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+", html(marketo)))
    assert reply.content_type == "text/html; charset=utf-8"
    assert addresses <= {"http://www.w3.org"}
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=(?!.data:)", html(marketo))
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert "connect-src 'self'" in reply.headers["Content-Security-Policy"]


def test_page_is_free_and_meets_no_fault(make: Callable[..., Marketo]) -> None:
    """It is no call of Marketo's; only GET and HEAD have it."""
    marketo = make(max_calls_per_window=1)
    marketo.emulator.faults.add(Fault(code="611", times=None))
    assert [marketo.wire.get("/").status_code for _ in range(3)] == [200] * 3
    assert marketo.wire.head("/").status_code == 200
    assert len(marketo.emulator.requests) == 1
    assert marketo.wire.post("/").get_json()["success"] is False


def test_buttons_call_what_there_is(marketo: Marketo) -> None:
    """Each body is taken by the call it is sent to."""
    page = html(marketo)
    buttons = re.findall(r'data-post="([^"]+)"(?: data-body=\'([^\']+)\')?', page)
    assert len(buttons) >= 5
    for path, body in buttons:
        reply = marketo.wire.post(f"/_emulator{path}", data=body or "{}")
        assert reply.status_code == 200, path
    presets = re.search(r"const presets = (\[.+?\n\]);", page, re.DOTALL)
    assert presets is not None
    quoted = re.sub(r"([{,] ?)(\w+): ", r'\1"\2": ', presets[1]).replace(",\n]", "\n]")
    for name, fault in json.loads(quoted):
        reply = marketo.wire.post("/_emulator/faults", data=json.dumps(fault))
        assert reply.status_code == 200, name
    assert "/page" in {action.path for action in ACTIONS}


def test_state_has_what_happens(marketo: Marketo) -> None:
    """Quotas, jobs with their times, faults with how often they fired, calls and errors."""
    export_id = marketo.create(["leadId"], programId=1001)
    marketo.enqueue(export_id)
    data = {"file": (BytesIO(b"email\nnew@example.com\n"), "f.csv")}
    marketo.send("POST", "/bulk/v1/leads.json?format=csv", data=data)
    marketo.emulator.faults.add(Fault(operation="programs.*", code="713"))
    marketo.get("/rest/asset/v1/programs.json")
    marketo.clock.advance(5)
    shown = state(marketo)
    quotas = {quota["name"]: (quota["used"], quota["limit"]) for quota in shown["quotas"]}
    assert quotas == {
        "Export files today": (0, 500_000_000),
        "Calls today": (4, 50_000),
        "Calls in 20 s": (4, 100),
        "Export queue": (1, 10),
        "Import queue": (1, 10),
    }
    assert [(job["what"], job["status"], job["finished"]) for job in shown["jobs"]] == [
        ("export", "Processing", None),
        ("import", "Importing", None),
    ]
    assert shown["now"] - shown["jobs"][0]["started"] == 5
    assert shown["faults"] == [{"fault": {"operation": "programs.*", "code": "713"}, "fired": 1}]
    assert (sum(shown["calls"]["calls"]), sum(shown["calls"]["errors"])) == (5, 1)
    assert shown["requests"][0]["operation"] == "programs.browse"
    assert len(shown["programs"]) == 8
    assert marketo.token not in json.dumps(shown)


def test_state_shows_who_changed_last(marketo: Marketo) -> None:
    """Twenty members and leads at most."""
    marketo.clock.advance(60)
    marketo.emulator.store.change_member(1003, next(iter(marketo.emulator.store.member_rows[1003])))
    marketo.emulator.store.change_lead(9, city="Bonn")
    shown = state(marketo)
    assert (len(shown["members"]), len(shown["leads"])) == (20, 20)
    assert shown["members"][0]["programId"] == 1003
    assert (shown["leads"][0]["id"], shown["leads"][0]["city"]) == (9, "Bonn")


def test_state_of_an_empty_instance() -> None:
    """There is nothing to show, and nothing fails; neither does a day later."""
    clock = VirtualClock(NOON)
    marketo = Marketo(Emulator(programs=0, members=0, clock=clock), clock)
    assert (state(marketo)["programs"], state(marketo)["jobs"]) == ([], [])
    clock.advance(86_400)
    assert sum(state(marketo)["calls"]["calls"]) == 0


def test_jobs_that_ended_in_every_way_are_shown(marketo: Marketo) -> None:
    """Created, cancelled, failed and complete."""
    marketo.emulator.faults.add(Fault(operation="export.job", outcome="Failed"))
    ids = [marketo.create(["leadId"], programId=1001 + number) for number in range(4)]
    for export_id in ids[:3]:
        marketo.enqueue(export_id)
    marketo.post(f"/bulk/v1/program/members/export/{ids[2]}/cancel.json")
    marketo.clock.advance(600)
    statuses = [job["status"] for job in state(marketo)["jobs"]]
    assert statuses == ["Failed", "Completed", "Cancelled", "Created"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost", 200),
        ("https://example.com", 403),
        ("null", 403),
        ("http://localhost:81", 403),
        ("http://localhost.example.com", 403),
    ],
)
def test_pages_of_other_hosts_may_not_control(marketo: Marketo, origin: str, status: int) -> None:
    """Any page in a browser could try; the emulator's own may."""
    reply = marketo.wire.post(
        "/_emulator/clock/advance", data='{"seconds": 5}', headers={"Origin": origin}
    )
    assert reply.status_code == status
    assert ("error" in reply.get_json()) is (status != 200)
