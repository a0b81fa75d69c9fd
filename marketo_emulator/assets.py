"""The asset: programs and channels as the asset API lists them (C§4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_emulator.envelope import asset_success
from marketo_emulator.errors import NO_ASSETS, MarketoError
from marketo_emulator.programs import CHANNELS
from marketo_emulator.values import parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from werkzeug.wrappers import Response

    from marketo_emulator.call import Call
    from marketo_emulator.programs import Program
    from marketo_emulator.world import World

_DEFAULT_PAGE = 20
_MAX_PAGE = 200


def browse_programs(world: World, call: Call) -> Response:
    """Answer with one page of the programs that pass every filter."""
    wanted = _program_filter(call)
    with world.at():
        found = [program.shown() for program in world.store.programs.values() if wanted(program)]
    return _page(call, found)


def get_program(world: World, call: Call) -> Response:
    """Answer with one program, or with the warning that there is none."""
    with world.at():
        program = world.store.programs.get(call.arguments["program_id"])
    found = [] if program is None else [program.shown_alone()]
    return asset_success(call.request_id, found, "" if found else NO_ASSETS)


def browse_channels(_world: World, call: Call) -> Response:
    """Answer with one page of the channels."""
    return _page(call, [channel.shown() for channel in CHANNELS])


def _page(call: Call, found: Sequence[dict[str, object]]) -> Response:
    """Return a page: no total, no token; past the end a warning takes the result's place."""
    size = call.number("maxReturn", _DEFAULT_PAGE)
    offset = call.number("offset", 0)
    if not 1 <= size <= _MAX_PAGE or offset < 0:
        message = f"Invalid value '{size}' or '{offset}'. 'maxReturn' is 1 to {_MAX_PAGE}"
        raise MarketoError("1001", message)
    page = found[offset : offset + size]
    return asset_success(call.request_id, page, "" if page else NO_ASSETS)


def _program_filter(call: Call) -> Callable[[Program], bool]:
    parameters = call.parameters
    kind = parameters.get("filterType", "")
    values = [value.strip() for value in parameters.get("filterValues", "").split(",")]
    if kind and values == [""]:
        raise MarketoError("701", "filterValues cannot be blank")
    attribute = _FILTERS.get(kind)
    if attribute is None:
        raise MarketoError("1001", f"Invalid value '{kind}'. Required of type 'filterType'")
    status = parameters.get("status", "")
    earliest = _moment(parameters.get("earliestUpdatedAt"), 0)
    latest = _moment(parameters.get("latestUpdatedAt"), 1 << 40)

    def wanted(program: Program) -> bool:
        return (
            (not kind or attribute(program) in values)
            and (not status or program.status == status)
            and earliest <= program.updated_at <= latest
        )

    return wanted


_FILTERS: dict[str, Callable[[Program], str]] = {
    "": lambda _program: "",
    "id": lambda program: str(program.program_id),
    "programId": lambda program: str(program.program_id),
    "folderId": lambda program: str(10 + program.program_id % 5),
    "workspace": lambda program: program.workspace,
}


def _moment(text: str | None, default: int) -> int:
    if not text:
        return default
    try:
        # A plus sign that was not encoded arrives as a blank.
        return parse_moment(text.replace(" ", "+"))
    except ValueError:
        raise MarketoError("704", f"Invalid date format: {text}") from None
