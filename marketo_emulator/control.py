"""The control API: look at the emulated instance and change it, on the same server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_emulator.envelope import json_response

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from marketo_emulator.request_log import RequestLog
    from marketo_emulator.world import World


class Control:
    """Answers under `/_emulator`; nothing here counts as a call."""

    def __init__(self, world: World, requests: RequestLog) -> None:
        self._world = world
        self._requests = requests

    def answer(self, request: Request) -> Response:
        """Return the answer to a request under the prefix."""
        return json_response({"path": request.path}, status=404)
