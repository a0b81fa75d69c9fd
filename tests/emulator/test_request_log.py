"""The log of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.emulator.harness import Marketo


def test_request_is_logged_with_its_answer(marketo: Marketo) -> None:
    """What was asked, by whom, when, and what came of it."""
    marketo.get("/rest/asset/v1/programs.json", offset=2)
    entry = marketo.emulator.requests[-1]
    assert (entry.method, entry.path) == ("GET", "/rest/asset/v1/programs.json")
    assert (entry.operation, entry.query) == ("programs.browse", {"offset": "2"})
    assert (entry.status, entry.error_code) == (200, "")
    assert (entry.authorized, entry.client_id, entry.concurrency) == (True, "emulator", 1)
    assert entry.started_at == entry.finished_at == marketo.clock.now()


def test_refusal_is_logged_with_its_code(marketo: Marketo) -> None:
    """Although HTTP says 200."""
    marketo.get("/rest/v1/nothing.json")
    entry = marketo.emulator.requests[-1]
    assert (entry.operation, entry.status, entry.error_code) == ("unknown", 200, "610")


def test_create_is_logged_with_its_body(marketo: Marketo) -> None:
    """Decoded; a body that is no JSON is logged as none."""
    marketo.create(["leadId"], programId=1001)
    marketo.send("POST", marketo.emulator.requests[-1].path, data=b"{", content_type="text/plain")
    bodies = [entry.body for entry in marketo.emulator.requests.of("export.create")]
    assert bodies == [{"fields": ["leadId"], "filter": {"programId": 1001}}, None]


def test_no_secret_is_logged(marketo: Marketo) -> None:
    """Neither tokens nor client secrets, wherever they came."""
    marketo.send("GET", "/rest/asset/v1/channels.json", query_string={"access_token": "T0P"})
    text = str([entry.to_json() for entry in marketo.emulator.requests])
    assert marketo.token not in text
    assert "emulator-secret" not in text
    assert "T0P" not in text


def test_log_can_be_sliced_and_cleared(marketo: Marketo) -> None:
    """Like a list."""
    assert [entry.operation for entry in marketo.emulator.requests[:1]] == ["identity.token"]
    marketo.emulator.requests.clear()
    assert len(marketo.emulator.requests) == 0
