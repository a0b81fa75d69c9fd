"""The asset: programs and channels as the asset API lists them (C§4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_emulator.api.asset_pages import page
from marketo_emulator.clock import to_epoch
from marketo_emulator.data.programs import CHANNELS
from marketo_emulator.data.values import parse_moment
from marketo_emulator.wire.envelope import asset_success
from marketo_emulator.wire.errors import NO_ASSETS, InvalidDataError, MarketoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from marketo_emulator.data.programs import Program
    from marketo_emulator.options import Options
    from marketo_emulator.wire.call import Call
    from marketo_emulator.world import World


def browse_programs(world: World, call: Call) -> Response:
    """Answer with one page of the programs that pass every filter."""
    wanted = _program_filter(call, ignored=world.options.program_filters_ignored)
    with world.at() as now:
        _check_range(call, world.options, to_epoch(now))
        found = [program.shown() for program in world.store.programs.values() if wanted(program)]
    return page(call, found)


def get_program(world: World, call: Call) -> Response:
    """Answer with one program, or with the warning that there is none."""
    with world.at():
        program = world.store.programs.get(call.arguments["program_id"])
    found = [] if program is None else [program.shown_alone()]
    return asset_success(call.request_id, found, "" if found else NO_ASSETS)


def get_program_by_name(world: World, call: Call) -> Response:
    """Answer with the program of exactly this name, or with the warning that there is none."""
    name = call.parameters.get("name", "")
    if not name:
        raise MarketoError("701", "name cannot be blank")
    hidden = {
        key
        for key, parameter in (("tags", "includeTags"), ("costs", "includeCosts"))
        if call.parameters.get(parameter, "").lower() != "true"
    }
    with world.at():
        found = [
            {key: value for key, value in program.shown_alone().items() if key not in hidden}
            for program in world.store.programs.values()
            if program.name == name
        ]
    return asset_success(call.request_id, found, "" if found else NO_ASSETS)


def browse_programs_by_tag(world: World, call: Call) -> Response:
    """Answer with a page of the programs with a tag, in an order that is new each time (C§25)."""
    wanted = call.parameters.get("tagType", ""), call.parameters.get("tagValue", "")
    if "" in wanted:
        raise MarketoError("701", "tagType and tagValue cannot be blank")
    only_matching = world.options.tags_by_tag == "matching"
    with world.at():
        found = [
            {
                **program.shown(),
                "tags": [
                    tag
                    for tag in program.shown_tags()
                    if not only_matching or tuple(tag.values()) == wanted
                ],
            }
            for program in world.store.programs.values()
            if wanted in program.tag_values
        ]
        if world.options.program_order_by_tag == "random":
            world.random.shuffle(found)
    return page(call, found)


def browse_channels(world: World, call: Call) -> Response:
    """Answer with one page of the channels."""
    listed = world.options.not_in_program_listed
    return page(call, [channel.shown(with_step_zero=listed) for channel in CHANNELS])


def get_channel_by_name(world: World, call: Call) -> Response:
    """Answer with the channel of exactly this name; the parameter is spelt in two ways."""
    name = call.parameters.get("name") or call.parameters.get("Name", "")
    listed = world.options.not_in_program_listed
    found = [channel.shown(with_step_zero=listed) for channel in CHANNELS if channel.name == name]
    return asset_success(call.request_id, found, "" if found else NO_ASSETS)


def _program_filter(call: Call, *, ignored: bool) -> Callable[[Program], bool]:
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
            (not kind or ignored or attribute(program) in values)
            and (not status or program.status == status)
            and earliest <= program.updated_at <= latest
        )

    return wanted


def _check_range(call: Call, options: Options, now: int) -> None:
    """Refuse a range of updates that begins after now, or lacks an end where one is needed."""
    earliest, latest = (call.parameters.get(f"{end}UpdatedAt") for end in ("earliest", "latest"))
    if options.update_range_needs_both and bool(earliest) != bool(latest):
        raise MarketoError(
            "1002", "Missing value for one of 'earliestUpdatedAt', 'latestUpdatedAt'"
        )
    if _moment(earliest, 0) > now:
        raise InvalidDataError("'earliestUpdatedAt' is in the future")


def _folder_id(program: Program) -> str:
    """Return the id of the folder it lies directly in; sub-folders do not count (C20.28)."""
    kind, parent_id, _ = program.parent
    return str(parent_id) if kind.lower() == "folder" else ""


_FILTERS: dict[str, Callable[[Program], str]] = {
    "": lambda _program: "",
    "id": lambda program: str(program.program_id),
    "programId": lambda program: str(program.program_id),
    "folderId": _folder_id,
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
