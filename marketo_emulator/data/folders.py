"""The folders and tags programs are sorted by (C§25)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketo_emulator.data.programs import asset_moment

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT_ID = 1
_MADE_AT = 1_600_000_000


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of the marketing activities."""

    folder_id: int
    name: str
    parent_id: int | None
    workspace: str = "Default"
    is_archived: bool = False
    folder_type: str = "Marketing Folder"

    def shown(self, folder_type: str) -> dict[str, object]:
        """Return the folder as the asset API shows it; `folder_type` is how its type is spelt."""
        parent = self.parent_id
        return {
            "id": self.folder_id,
            "name": self.name,
            "description": "",
            "createdAt": asset_moment(_MADE_AT),
            "updatedAt": asset_moment(_MADE_AT),
            "url": f"https://app-emulator.marketo.com/#MF{self.folder_id}A1",
            "folderId": {"id": self.folder_id, "type": folder_type},
            "folderType": self.folder_type,
            "parent": None if parent is None else {"id": parent, "type": folder_type},
            "path": path_of(self),
            "workspace": self.workspace,
            "isArchive": self.is_archived,
            "isSystem": parent is None,
            "accessZoneId": 1,
        }


FOLDERS = (
    Folder(ROOT_ID, "Marketing Activities", None, folder_type="Zone"),
    Folder(5, "Default", ROOT_ID, folder_type="Zone"),
    Folder(6, "EMEA", ROOT_ID, workspace="EMEA", folder_type="Zone"),
    *(Folder(10 + number, f"Campaigns {number}", 5) for number in range(5)),
    # A name with a slash makes paths ambiguous; the folder in it is deeper than is shown unasked.
    Folder(20, "Events / Webinars", 10),
    Folder(21, "2026", 20),
    Folder(22, "Q1", 21),
    Folder(30, "Archive", 5, is_archived=True),
    Folder(31, "Campaigns EMEA", 6, workspace="EMEA"),
)
_BY_ID = {folder.folder_id: folder for folder in FOLDERS}


def path_of(folder: Folder) -> str:
    """Return the names from the root on, joined by slashes."""
    above = "" if folder.parent_id is None else path_of(_BY_ID[folder.parent_id])
    return f"{above}/{folder.name}"


def find_folder(folder_id: int) -> Folder | None:
    """Return the folder of this id, or None."""
    return _BY_ID.get(folder_id)


def below(folder: Folder, depth: int) -> Iterator[Folder]:
    """Return a folder and those in it, down to so many levels."""
    yield folder
    if depth:
        for inner in FOLDERS:
            if inner.parent_id == folder.folder_id:
                yield from below(inner, depth - 1)


@dataclass(frozen=True, slots=True)
class TagType:
    """A kind of tag, and which values it may have."""

    name: str
    values: tuple[str, ...]
    program_types: tuple[str, ...] = ("program", "email_batch", "nurture", "event", "webinar")
    required: bool = False

    def shown(self, *, with_values: bool = False) -> dict[str, object]:
        """Return the tag type; lists are texts here, so a value with a comma cannot be told."""
        shown: dict[str, object] = {
            "tagType": self.name,
            "applicableProgramTypes": f"[{','.join(self.program_types)}]",
            "required": self.required,
        }
        return {**shown, "allowableValues": f"[{', '.join(self.values)}]"} if with_values else shown


TAG_TYPES = (
    TagType("Region", ("EMEA", "AMER", "APAC"), required=True),
    TagType("Business Unit", ("Health & Care", "Software, cloud", "100% Retail"), ("program",)),
    TagType("Owner", (), ("event", "webinar")),
)
