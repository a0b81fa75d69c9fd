"""The folders and tag types (C§25)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from marketo_emulator.api.asset_pages import page
from marketo_emulator.data.folders import FOLDERS, ROOT_ID, TAG_TYPES, Folder, below, find_folder
from marketo_emulator.wire.envelope import asset_success
from marketo_emulator.wire.errors import NO_ASSETS, MarketoError

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from marketo_emulator.wire.call import Call
    from marketo_emulator.world import World

_USUAL_DEPTH = 2


def browse_folders(world: World, call: Call) -> Response:
    """Answer with a page of the folders below a root, two levels unless told otherwise."""
    depth = call.number("maxDepth", _USUAL_DEPTH)
    if depth < 0:
        raise MarketoError("1001", f"Invalid value '{depth}'. Required of type 'Integer'")
    workspace = call.parameters.get("workSpace", "")
    root = _root(call.parameters.get("root", ""))
    found = [
        folder.shown(world.options.folder_type)
        for folder in (below(root, depth) if root else ())
        if not workspace or folder.workspace == workspace
    ]
    return page(call, found)


def get_folder(world: World, call: Call) -> Response:
    """Answer with one folder, or with the warning that there is none."""
    return _one(world, call, find_folder(call.arguments["folder_id"]))


def get_folder_by_name(world: World, call: Call) -> Response:
    """Answer with the folder of exactly this name, or with the warning that there is none."""
    name = call.parameters.get("name", "")
    if not name:
        raise MarketoError("701", "name cannot be blank")
    return _one(world, call, next((folder for folder in FOLDERS if folder.name == name), None))


def get_folder_content(world: World, call: Call) -> Response:
    """Answer with what lies directly in a folder or a program: ids and types alone."""
    folder_id, kind = call.arguments["folder_id"], call.parameters.get("type", "Folder")
    folder_type = world.options.folder_type
    found: list[dict[str, object]] = []
    if kind.lower() == "folder":
        found += [
            {"id": folder.folder_id, "type": folder_type}
            for folder in FOLDERS
            if folder.parent_id == folder_id
        ]
    with world.at():
        for program in world.store.programs.values():
            parent_kind, parent_id, _ = program.parent
            if parent_id == folder_id and parent_kind.lower() == kind.lower():
                found.append({"id": program.program_id, "type": "Program"})
    return page(call, found)


def browse_tag_types(_world: World, call: Call) -> Response:
    """Answer with a page of the tag types, without values."""
    return page(call, [kind.shown() for kind in TAG_TYPES])


def get_tag_type(_world: World, call: Call) -> Response:
    """Answer with the tag type of exactly this name and its values."""
    name = call.parameters.get("name", "")
    found = [kind.shown(with_values=True) for kind in TAG_TYPES if kind.name == name]
    return asset_success(call.request_id, found, "" if found else NO_ASSETS)


def _one(world: World, call: Call, folder: Folder | None) -> Response:
    found = [] if folder is None else [folder.shown(world.options.folder_type)]
    return asset_success(call.request_id, found, "" if found else NO_ASSETS)


def _root(text: str) -> Folder | None:
    """Return the root asked for as `{"id": 14, "type": "Folder"}`, or the root of all."""
    if not text:
        return find_folder(ROOT_ID)
    try:
        document = json.loads(text)
        return find_folder(int(document["id"]))
    except (KeyError, TypeError, ValueError):
        raise MarketoError("1001", f"Invalid value '{text}'. Required of type 'folder'") from None
