"""The control API: look at the emulated instance and change it, on the same server."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from marketo_emulator.envelope import json_response
from marketo_emulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.wrappers import Request, Response

    from marketo_emulator.request_log import RequestLog
    from marketo_emulator.world import World

CONTROL_PREFIX = "/_emulator"


class Control:
    """Answers under `/_emulator`; nothing here counts as a call or meets a fault."""

    def __init__(self, world: World, requests: RequestLog) -> None:
        self._world = world
        self._requests = requests

    @cached_property
    def _map(self) -> Map:
        world, requests = self._world, self._requests
        actions: dict[tuple[str, str], Callable[..., object]] = {
            ("GET", ""): self._summary,
            ("GET", "/options"): lambda: asdict(world.options),
            ("GET", "/requests"): self._list_requests,
            ("DELETE", "/requests"): requests.clear,
            ("GET", "/exports"): self._list_exports,
            ("GET", "/imports"): self._list_imports,
            ("GET", "/programs"): self._list_programs,
            ("POST", "/programs"): self._add_program,
            ("DELETE", "/programs/<int:program_id>"): world.store.remove_program,
            ("GET", "/members"): lambda: list(world.store.members()),
            ("POST", "/members/change"): self._change_members,
            ("POST", "/members/<int:program_id>/<int:lead_id>"): self._change_member,
            ("DELETE", "/members/<int:program_id>/<int:lead_id>"): world.store.remove_member,
            ("GET", "/leads"): lambda: list(world.store.leads()),
            ("GET", "/faults"): lambda: [fault.to_json() for fault in world.faults],
            ("POST", "/faults"): self._add_faults,
            ("DELETE", "/faults"): world.faults.clear,
            ("POST", "/clock/advance"): self._advance,
            ("POST", "/tokens/revoke"): world.revoke_tokens,
            ("POST", "/tokens/expire"): world.expire_tokens,
            ("POST", "/others"): world.others_use,
        }
        return Map(
            [
                Rule(CONTROL_PREFIX + path, methods=[method], endpoint=action)
                for (method, path), action in actions.items()
            ],
            strict_slashes=False,
        )

    def answer(self, request: Request) -> Response:
        """Return the answer to a request under the prefix.

        A request that makes no sense gets 400 and one for something that is not there 404, with
        an `error` that says why.
        """
        try:
            action, arguments = self._map.bind("").match(request.path, request.method)
            body = request.get_json() if request.method == "POST" and request.data else {}
            document = action(**arguments, **self._parameters(body))
        except HTTPException as error:
            return _problem(error.description or error.name, error.code or 400)
        except KeyError as error:
            return _problem(f"there is no {error}", HTTPStatus.NOT_FOUND)
        except (TypeError, ValueError) as error:
            return _problem(str(error), HTTPStatus.BAD_REQUEST)
        return json_response({} if document is None else document)

    @staticmethod
    def _parameters(body: object) -> Mapping[str, Any]:
        if isinstance(body, list):
            return {"faults": body}
        if not isinstance(body, dict):
            message = "the body must be an object"
            raise TypeError(message)
        return body

    def _summary(self) -> dict[str, object]:
        with self._world.at() as now:
            store = self._world.store
            return {
                "now": now.isoformat(),
                "programs": len(store.programs),
                "members": store.member_count,
                "leads": len(store.lead_rows),
                "exports": len(self._world.exports.jobs),
                "imports": len(self._world.imports.jobs),
                "requests": len(self._requests),
            }

    def _list_requests(self) -> list[dict[str, Any]]:
        return [entry.to_json() for entry in self._requests]

    def _list_exports(self) -> list[dict[str, object]]:
        with self._world.at() as now:
            exports = self._world.exports
            return [
                {**exports.shown(job, now), "object": job.kind, "owner": job.owner}
                for job in exports.jobs.values()
            ]

    def _list_imports(self) -> list[dict[str, object]]:
        with self._world.at():
            return [job.shown(counters=True) for job in self._world.imports.jobs.values()]

    def _list_programs(self) -> list[dict[str, object]]:
        with self._world.at():
            store = self._world.store
            return [
                {**program.shown(), "members": len(store.member_rows[program_id])}
                for program_id, program in store.programs.items()
            ]

    def _add_program(
        self, name: str = "", members: int = 0, age_days: float = 0
    ) -> dict[str, object]:
        program = self._world.store.add_program(name, members=members, age_days=age_days)
        return program.shown()

    def _change_members(
        self, count: int = 0, seed: int = 0, new_members: int = 0, new_leads: int = 0
    ) -> dict[str, object]:
        store = self._world.store
        with self._world.at():
            changed = store.touch_members(count, seed=seed)
            added = store.join_members(new_members, seed=seed)
            leads = [store.add_lead() for _ in range(new_leads)]
        return {"changed": changed, "added": added, "leads": leads}

    def _change_member(self, program_id: int, lead_id: int, **values: Any) -> object:  # noqa: ANN401 - field values
        self._world.store.change_member(program_id, lead_id, **values)
        return self._world.store.member(program_id, lead_id)

    def _add_faults(self, faults: list[dict[str, Any]] | None = None, **fault: Any) -> object:  # noqa: ANN401 - as in JSON
        added = [Fault.from_json(document) for document in faults or [fault]]
        self._world.faults.add(*added)
        return [fault.to_json() for fault in added]

    def _advance(self, seconds: float) -> dict[str, object]:
        self._world.clock.advance(seconds)
        return self._summary()


def _problem(text: str, status: int) -> Response:
    return json_response({"error": text}, status=status)
