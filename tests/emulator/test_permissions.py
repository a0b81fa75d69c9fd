"""Permissions of API users, and faults at every call."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Fault
from marketo_emulator.api.route import PERMISSIONS, Route
from marketo_emulator.routes import ROUTES
from tests.emulator.harness import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

CALLED = [route for route in ROUTES if route.operation != "identity.token"]
every_route = pytest.mark.parametrize(
    "route", CALLED, ids=lambda route: f"{route.operation} {route.path}"
)


def call(marketo: Marketo, route: Route) -> dict[str, Any]:
    """Return the JSON of the answer to a call by this route."""
    path = route.path.replace("<api_name>", "car_c").replace("<int:program_id>", "1001")
    path = re.sub(r"<[\w:]+>", "1", path)
    more: dict[str, Any] = {}
    if route.operation == "import.create":
        more["data"] = {"file": (BytesIO(b"email\na@example.com\n"), "f.csv")}
    elif route.methods == ("POST",):
        more["json"] = {}
    return dict(marketo.send(route.methods[0], path, **more).get_json(silent=True) or {})


@every_route
def test_missing_permission_is_603_for_its_calls_alone(
    make: Callable[..., Marketo], route: Route
) -> None:
    """Whatever else would have been wrong with the call."""
    lacking = make(missing_permissions=PERMISSIONS)
    able = make(missing_permissions=tuple(p for p in PERMISSIONS if p != route.permission))
    codes = [
        (answer.get("errors") or [{"code": ""}])[0]["code"]
        for answer in (call(lacking, route), call(able, route))
    ]
    assert (codes[0] == "603") is bool(route.permission)
    assert codes[1] not in {"603", "610", "605"}


def test_permission_may_be_missing_for_one_client(make: Callable[..., Marketo]) -> None:
    """The other one may call."""
    marketo = make(other_clients=(("two", "second"),), missing_permissions=("two:activity",))
    path = "/rest/v1/activities/types.json"
    assert marketo.get(path)["success"] is True
    marketo.sign_in("two", "second")
    assert refusal(marketo.get(path)) == ("603", "Access denied")
    assert marketo.get("/rest/asset/v1/programs.json")["success"] is True


@every_route
def test_faults_happen_at_every_call(marketo: Marketo, route: Route) -> None:
    """Found by its operation, and without an effect."""
    marketo.emulator.faults.add(Fault(operation=route.operation, code="713"))
    assert refusal(call(marketo, route))[0] == "713"
    assert marketo.emulator.faults.fired() == [1]
    assert marketo.emulator.jobs == []
    assert marketo.emulator.imports == []


def test_faults_can_be_told_apart_by_path(marketo: Marketo) -> None:
    """The same operation of another kind of object is spared."""
    marketo.emulator.faults.add(
        Fault(operation="export.create", path="/bulk/v1/activities/*", code="603", times=None)
    )
    body = {"fields": ["leadId"], "filter": {"programId": 1001}}
    assert marketo.post("/bulk/v1/program/members/export/create.json", body)["success"] is True
    assert marketo.error("/bulk/v1/activities/export/create.json", {})[0] == "603"


def test_lost_reply_has_its_effect(marketo: Marketo) -> None:
    """The import of members is there, though nobody knows its id."""
    marketo.emulator.faults.add(Fault(operation="import.create", reset="after"))
    route = next(route for route in CALLED if "members/import.json" in route.path)
    with pytest.raises(ConnectionResetError):
        marketo.send(
            "POST",
            route.path.replace("<int:program_id>", "1005"),
            query_string={"format": "csv", "programMemberStatus": "On List"},
            data={"file": (BytesIO(b"email\na@example.com\n"), "f.csv")},
        )
    assert len(marketo.emulator.imports) == 1
