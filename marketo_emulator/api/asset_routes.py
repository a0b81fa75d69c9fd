"""The routes of the asset API."""

from __future__ import annotations

from marketo_emulator.api import assets, folder_calls
from marketo_emulator.api.route import ASSET, ASSETS, GET, Route

_PROGRAM = f"{ASSET}/program"
_FOLDER = f"{ASSET}/folder"

ROUTES = tuple(
    Route(operation, GET, path, handler, ASSETS)
    for operation, path, handler in (
        ("programs.browse", f"{ASSET}/programs.json", assets.browse_programs),
        ("programs.get", f"{_PROGRAM}/<int:program_id>.json", assets.get_program),
        ("programs.by_name", f"{_PROGRAM}/byName.json", assets.get_program_by_name),
        ("programs.by_tag", f"{_PROGRAM}/byTag.json", assets.browse_programs_by_tag),
        ("channels.browse", f"{ASSET}/channels.json", assets.browse_channels),
        ("channels.by_name", f"{ASSET}/channel/byName.json", assets.get_channel_by_name),
        ("tags.browse", f"{ASSET}/tagTypes.json", folder_calls.browse_tag_types),
        ("tags.by_name", f"{ASSET}/tagType/byName.json", folder_calls.get_tag_type),
        ("folders.browse", f"{ASSET}/folders.json", folder_calls.browse_folders),
        ("folders.get", f"{_FOLDER}/<int:folder_id>.json", folder_calls.get_folder),
        ("folders.by_name", f"{_FOLDER}/byName.json", folder_calls.get_folder_by_name),
        (
            "folders.content",
            f"{_FOLDER}/<int:folder_id>/content.json",
            folder_calls.get_folder_content,
        ),
    )
)
