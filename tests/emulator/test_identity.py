"""The identity service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

CREDENTIALS = {
    "grant_type": "client_credentials",
    "client_id": "emulator",
    "client_secret": "emulator-secret",
}


def ask(marketo: Marketo, **changed: str) -> dict[str, Any]:
    """Return the answer to a token request."""
    reply = marketo.wire.get("/identity/oauth/token", query_string={**CREDENTIALS, **changed})
    return dict(reply.get_json())


def test_token_has_the_recorded_shape(marketo: Marketo) -> None:
    """Type, whole seconds, scope, and a token that ends in a data centre."""
    token = ask(marketo)
    assert list(token) == ["access_token", "token_type", "expires_in", "scope"]
    assert token["token_type"] == "bearer"
    assert token["expires_in"] == 3600
    assert token["access_token"].endswith(":int")


def test_asking_again_gives_what_is_left_of_the_same_token(marketo: Marketo) -> None:
    """A token cannot be renewed before it has expired."""
    first = ask(marketo)
    marketo.clock.advance(3000.5)
    second = ask(marketo)
    assert second["access_token"] == first["access_token"]
    assert second["expires_in"] == 599


def test_expired_token_is_followed_by_a_new_one(marketo: Marketo) -> None:
    """At the end of its life the client gets another."""
    first = ask(marketo)
    marketo.clock.advance(3600)
    second = ask(marketo)
    assert second["access_token"] != first["access_token"]
    assert second["expires_in"] == 3600


def test_token_may_be_asked_for_by_a_form(marketo: Marketo) -> None:
    """A POST with the same parameters in its body works."""
    reply = marketo.wire.post("/identity/oauth/token", data=CREDENTIALS)
    assert reply.get_json()["access_token"] == ask(marketo)["access_token"]


def test_each_client_has_a_token_of_its_own(make: Callable[..., Marketo]) -> None:
    """Tokens belong to clients."""
    marketo = make(other_clients=(("other", "secret"),))
    other = ask(marketo, client_id="other", client_secret="secret")
    assert other["access_token"] != ask(marketo)["access_token"]


@pytest.mark.parametrize(
    "changed", [{"client_secret": "wrong"}, {"client_id": "nobody"}, {"client_secret": ""}]
)
def test_wrong_credentials_are_401_without_an_envelope(
    marketo: Marketo, changed: dict[str, str]
) -> None:
    """The one place where Marketo uses HTTP 401."""
    reply = marketo.wire.get("/identity/oauth/token", query_string={**CREDENTIALS, **changed})
    assert reply.status_code == 401
    assert reply.get_json() == {
        "error": "invalid_client",
        "error_description": "Bad client credentials",
    }


def test_other_grant_is_refused(marketo: Marketo) -> None:
    """Only client credentials are a way in."""
    reply = marketo.wire.get(
        "/identity/oauth/token", query_string={**CREDENTIALS, "grant_type": "password"}
    )
    assert reply.status_code == 400


def test_identity_calls_are_free(make: Callable[..., Marketo]) -> None:
    """They count neither against the rate nor in the statistics."""
    marketo = make(max_calls_per_window=1)
    for _ in range(5):
        assert "access_token" in ask(marketo)
    usage = marketo.get("/rest/v1/stats/usage.json")
    assert usage["result"][0]["total"] == 1


def test_identity_headers_forbid_storing(marketo: Marketo) -> None:
    """The recorded headers of a token answer."""
    reply = marketo.wire.get("/identity/oauth/token", query_string=CREDENTIALS)
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Frame-Options"] == "DENY"
