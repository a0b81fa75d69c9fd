"""What a token opens, and what closes it."""

from __future__ import annotations

from datetime import datetime, timezone
from random import Random
from typing import TYPE_CHECKING

from marketo_emulator.tokens import Tokens
from tests.emulator.harness import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

from tests.emulator.harness import Marketo

DESCRIBE = "/rest/v1/programs/members/describe.json"


def test_call_with_a_token_is_answered(marketo: Marketo) -> None:
    """The header is enough."""
    assert marketo.get(DESCRIBE)["success"] is True


def test_expired_token_is_602(marketo: Marketo) -> None:
    """Expiry goes by the clock, to the second."""
    marketo.clock.advance(3599)
    assert marketo.get(DESCRIBE)["success"] is True
    marketo.clock.advance(1)
    assert refusal(marketo.get(DESCRIBE)) == ("602", "Access token expired")


def test_invented_token_is_601(marketo: Marketo) -> None:
    """One that was never given out is invalid, not expired."""
    marketo.token = "00000000-0000-4000-8000-000000000000:int"
    assert refusal(marketo.get(DESCRIBE)) == ("601", "Access token invalid")


def test_missing_token_is_the_code_of_the_option(make: Callable[..., Marketo]) -> None:
    """No source says which code it is."""
    for code in ("600", "601"):
        reply = make(missing_token_code=code).wire.get(DESCRIBE)
        assert refusal(reply.get_json())[0] == code


def test_token_in_the_query_is_ignored(marketo: Marketo) -> None:
    """The legacy way is closed by default."""
    reply = marketo.wire.get(DESCRIBE, query_string={"access_token": marketo.token})
    assert refusal(reply.get_json())[0] == "601"


def test_token_in_the_query_works_by_option(make: Callable[..., Marketo]) -> None:
    """The legacy way can be opened."""
    marketo = make(token_in_query_allowed=True)
    reply = marketo.wire.get(DESCRIBE, query_string={"access_token": marketo.token})
    assert reply.get_json()["success"] is True


def test_revoked_tokens_are_601_and_replaced(marketo: Marketo) -> None:
    """What was given out before is unknown; the next one is new."""
    before = marketo.token
    marketo.emulator.revoke_tokens()
    assert refusal(marketo.get(DESCRIBE))[0] == "601"
    marketo.sign_in()
    assert marketo.token != before
    assert marketo.get(DESCRIBE)["success"] is True


def test_tokens_expired_early_are_602_and_replaced(marketo: Marketo) -> None:
    """A token can end before its hour is over."""
    before = marketo.token
    marketo.emulator.expire_tokens()
    assert refusal(marketo.get(DESCRIBE))[0] == "602"
    marketo.sign_in()
    assert marketo.token != before


def test_token_errors_come_with_http_200(marketo: Marketo) -> None:
    """HTTP knows nothing of them, on no endpoint."""
    marketo.token = "nonsense"
    for path in (DESCRIBE, "/bulk/v1/program/members/export/x/file.json"):
        reply = marketo.send("GET", path)
        assert (reply.status_code, reply.mimetype) == (200, "application/json")


def test_token_is_not_in_its_own_text() -> None:
    """Printing a token tells whose it is, not what it is."""
    tokens = Tokens({"me": "secret"}, 60, Random(1))
    token = tokens.issue("me", datetime(2026, 1, 1, tzinfo=timezone.utc))
    assert token.text not in repr(token)
