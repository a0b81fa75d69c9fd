"""The identity service: credentials in, access token out (C§2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_emulator.wire.envelope import json_response

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from marketo_emulator.wire.call import Call
    from marketo_emulator.world import World

_HEADERS = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "X-XSS-Protection": "1; mode=block",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
}


def issue_token(world: World, call: Call) -> Response:
    """Answer with the client's token, or with 401 and an object that is no envelope."""
    values = call.request.values
    client_id, secret = values.get("client_id", ""), values.get("client_secret", "")
    with world.at() as now:
        if values.get("grant_type") != "client_credentials":
            return _refusal("unsupported_grant_type", "Unsupported grant type", 400)
        if not world.tokens.accepts(client_id, secret):
            return _refusal("invalid_client", "Bad client credentials", 401)
        token = world.tokens.issue(client_id, now)
        response = json_response(
            {
                "access_token": token.text,
                "token_type": "bearer",
                "expires_in": token.seconds_left(now),
                "scope": f"{client_id}@example.com",
            },
            chunked=True,
        )
    response.headers.update(_HEADERS)
    return response


def _refusal(error: str, description: str, status: int) -> Response:
    document = {"error": error, "error_description": description}
    response = json_response(document, chunked=True, status=status)
    response.headers.update(_HEADERS)
    return response
