"""The envelope: the JSON around every result, a little different in each family (C§1.2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from http import HTTPStatus
    from random import Random

    from marketo_emulator.wire.errors import HttpError, MarketoError

JSON_TYPE = "application/json;charset=UTF-8"
_RANDOM_PART_END = 0x20000


def new_request_id(random: Random, now: datetime) -> str:
    """Return an id like the real ones: `<hex>#<milliseconds since 1970 in hex>`."""
    return f"{random.randrange(0x10, _RANDOM_PART_END):x}#{int(now.timestamp() * 1000):x}"


def json_response(document: object, *, chunked: bool = False, status: int = 200) -> Response:
    """Return JSON with a length, or without one for the families that send it in chunks."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    response = Response(text.encode(), status=status, content_type=JSON_TYPE)
    if chunked:
        response.automatically_set_content_length = False
        del response.headers["Content-Length"]
    return response


def mapi_success(
    request_id: str, result: Sequence[Mapping[str, object]] | None, **more: object
) -> Response:
    """Return the success of a lead database or bulk call; empty lists of errors are left out."""
    document: dict[str, object] = {"requestId": request_id}
    if result is not None:
        document["result"] = result
    return json_response({**document, "success": True, **more})


def asset_success(
    request_id: str, result: Sequence[Mapping[str, object]], warning: str = ""
) -> Response:
    """Return the success of an asset call; without a match there is a warning and no result."""
    document: dict[str, object] = {
        "success": True,
        "errors": [],
        "requestId": request_id,
        "warnings": [warning] if warning else [],
    }
    if result:
        document["result"] = result
    return json_response(document, chunked=True)


def failure(request_id: str, error: MarketoError) -> Response:
    """Return a refusal: HTTP 200, with the code as text."""
    return json_response(
        {
            "requestId": request_id,
            "success": False,
            "errors": [{"code": error.code, "message": error.message}],
        }
    )


def http_failure(error: HttpError) -> Response:
    """Return a refusal that is told by the HTTP status and is no envelope."""
    return plain_response(error.body, error.status, error.content_type)


def plain_response(body: str, status: HTTPStatus, content_type: str = "text/plain") -> Response:
    """Return a body that is not JSON."""
    return Response(body.encode(), status=status.value, content_type=content_type)
