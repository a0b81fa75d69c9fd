"""A missing permission is named, whatever call it is needed for."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import (
    ACTIVITIES,
    LEADS,
    PROGRAM_MEMBERS,
    ExportObject,
    ExportRequest,
    MarketoBulk,
    RejectedError,
    custom_object,
)
from marketo_bulk.imports import objects as imports
from marketo_bulk.imports.requests import ImportOptions
from tests.tap_runs import NO_RATE_LIMIT, settings_for, unpaced

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from marketo_emulator import Emulator

    Call: TypeAlias = Callable[[MarketoBulk], Any]

CARS = custom_object("car_c")
EXPORTED = {
    "Read-Only Lead": (PROGRAM_MEMBERS, LEADS),
    "Read-Only Activity": (ACTIVITIES,),
    "Read-Only Custom Object": (CARS,),
}
CALLS: dict[str, tuple[str, str, Call]] = {
    "programs": ("assets", "Read-Only Assets", lambda c: list(c.iter_programs())),
    "one program": ("assets", "Read-Only Assets", lambda c: c.get_program(1001)),
    "a list": ("lead", "Read-Only Lead", lambda c: c.has_list(1)),
    "partitions": ("lead", "Read-Only Lead", lambda c: c.list_partitions()),
    "an import": (
        "lead write",
        "Read-Write Lead",
        lambda c: c.create_import(imports.LEADS, io.BytesIO(b"email\na@b.c\n"), ImportOptions()),
    ),
}


def calls_about(each: ExportObject) -> dict[str, Call]:
    """Return the calls about the exports of an object."""
    calls: dict[str, Call] = {
        "create": lambda c: c.create_export(ExportRequest(each, ("x",), {})),
        "enqueue": lambda c: c.enqueue_export(each, "e1"),
        "status": lambda c: c.get_export_status(each, "e1"),
        "list": lambda c: list(c.list_exports(each)),
    }
    if each.describe is not None:
        calls["describe"] = lambda c: c.describe_export(each)
    return calls


for permission, objects in EXPORTED.items():
    for each in objects:
        for name, call in calls_about(each).items():
            missing = permission.removeprefix("Read-Only ").lower()
            CALLS[f"{name} of {each.path}"] = missing, permission, call


@pytest.mark.parametrize(("missing", "permission", "call"), CALLS.values(), ids=CALLS)
def test_each_call_names_the_permission_it_needs(
    make_emulator: Callable[..., Emulator],
    missing: str,
    permission: str,
    call: Call,
) -> None:
    """As the roles of Marketo call it."""
    emulator = make_emulator(options=replace(NO_RATE_LIMIT, missing_permissions=(missing,)))
    connection = unpaced(settings_for(emulator))
    with MarketoBulk.connect(connection) as client, pytest.raises(RejectedError) as caught:
        call(client)
    assert f'Tick "{permission}" in the role' in str(caught.value)
