"""The control API: look at the emulated instance and change it, on the same server."""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from marketo_emulator.api import data_actions, instance_actions, people_actions
from marketo_emulator.api.actions import Action, Place
from marketo_emulator.api.body import BodyError, read_json
from marketo_emulator.wire.envelope import json_response

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from marketo_emulator.wire.request_log import RequestLog
    from marketo_emulator.world import World

CONTROL_PREFIX = "/_emulator"
ACTIONS: tuple[Action, ...] = (
    *instance_actions.ACTIONS,
    *people_actions.ACTIONS,
    *data_actions.ACTIONS,
)


class Control:
    """Answers under `/_emulator`; nothing here counts as a call or meets a fault."""

    def __init__(self, world: World, requests: RequestLog) -> None:
        self._place = Place(world, requests)

    @cached_property
    def _map(self) -> Map:
        return Map(
            [
                Rule(CONTROL_PREFIX + action.path, methods=[action.method], endpoint=number)
                for number, action in enumerate(ACTIONS)
            ],
            strict_slashes=False,
        )

    def answer(self, request: Request) -> Response:
        """Return the answer to a request under the prefix.

        What a page of another host sends is refused: any page in a browser could try.
        A body counts as JSON whatever its content type says. A request that makes no sense gets
        400 with an `error` that says what was wrong and what is expected; one for something that
        is not there 404.
        """
        if (origin := request.headers.get("Origin")) and urlsplit(origin).netloc != request.host:
            return _problem(f"pages of {origin} may not call this", HTTPStatus.FORBIDDEN)
        try:
            number, arguments = self._map.bind("").match(request.path, request.method)
        except HTTPException as error:
            return _problem(error.description or error.name, error.code or 400)
        action = ACTIONS[number]
        try:
            document = action.run(self._place, dict(arguments), read_json(request))
        except BodyError as error:
            call = f"{request.method} {request.path}"
            text = f"{error}; {call} expects {action.shape}"
            return _problem(text, HTTPStatus.BAD_REQUEST)
        except KeyError as error:
            return _problem(f"there is no {error}", HTTPStatus.NOT_FOUND)
        except ValueError as error:
            return _problem(str(error), HTTPStatus.BAD_REQUEST)
        return json_response({} if document is None else document)


def _problem(text: str, status: int) -> Response:
    return json_response({"error": text}, status=status)
