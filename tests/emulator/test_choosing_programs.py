"""The asset calls by which programs are chosen: names, tags, folders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.harness import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

ASSET = "/rest/asset/v1"
NOTHING = ["No assets found for the given search criteria."]


def found(marketo: Marketo, path: str, **query: Any) -> list[dict[str, Any]]:
    """Return the result of an asset call; where there is none, a warning says so."""
    reply = marketo.get(f"{ASSET}/{path}", **query)
    assert reply["success"] is True
    assert ("result" in reply) != (reply["warnings"] == NOTHING)
    return list(reply.get("result", []))


def test_program_by_name_is_exact(marketo: Marketo) -> None:
    """With tags and costs if asked for; nothing found is a warning."""
    marketo.emulator.store.change_program(1002, name="R&D + 100% / Ünïcode")
    (plain,) = found(marketo, "program/byName.json", name="R&D + 100% / Ünïcode")
    (full,) = found(
        marketo,
        "program/byName.json",
        name="R&D + 100% / Ünïcode",
        includeTags="true",
        includeCosts="True",
    )
    assert plain["id"] == full["id"] == 1002
    assert {"tags", "costs"} & set(plain) == set()
    assert full["tags"] == [{"tagType": "Region", "tagValue": "EMEA"}]
    assert found(marketo, "program/byName.json", name="r&d") == []
    assert refusal(marketo.get(f"{ASSET}/program/byName.json"))[0] == "701"


def test_programs_by_tag_come_in_another_order_each_time(make: Callable[..., Marketo]) -> None:
    """So pages overlap and skip."""
    marketo = make(programs=40)
    query = {"tagType": "Region", "tagValue": "AMER", "maxReturn": 200}
    orders = {
        tuple(program["id"] for program in found(marketo, "program/byTag.json", **query))
        for _ in range(5)
    }
    assert len(orders) > 1
    assert {frozenset(order) for order in orders} == {frozenset(range(1001, 1041, 2))}
    pages = [
        found(marketo, "program/byTag.json", **{**query, "maxReturn": 10, "offset": offset})
        for offset in (0, 10, 20)
    ]
    assert [len(page) for page in pages] == [10, 10, 0]


def test_order_by_tag_and_tags_shown_are_options(make: Callable[..., Marketo]) -> None:
    """Which tags the reply has is unknown."""
    marketo = make(program_order_by_tag="id", tags_by_tag="all")
    tags = (("Region", "EMEA"), ("Owner", "Ann"))
    marketo.emulator.store.change_program(1001, tags=tags)
    marketo.emulator.store.change_program(1003, tags=tags)
    listed = found(marketo, "program/byTag.json", tagType="Owner", tagValue="Ann")
    assert [program["id"] for program in listed] == [1001, 1003]
    assert len(listed[0]["tags"]) == 2


@pytest.mark.parametrize("query", [{"tagType": "Nope", "tagValue": "EMEA"}, {"tagType": "Region",
                                   "tagValue": "Mars"}])  # fmt: skip
def test_unknown_tag_is_a_warning(marketo: Marketo, query: dict[str, str]) -> None:
    """Type or value."""
    assert found(marketo, "program/byTag.json", **query) == []


def test_tag_types_are_texts_of_lists(marketo: Marketo) -> None:
    """A value with a comma cannot be told apart."""
    (tag,) = found(marketo, "tagType/byName.json", name="Business Unit")
    assert tag["applicableProgramTypes"] == "[program]"
    assert tag["allowableValues"] == "[Health & Care, Software, cloud, 100% Retail]"
    listed = found(marketo, "tagTypes.json")
    assert all("allowableValues" not in tag for tag in listed)
    assert found(marketo, "tagType/byName.json", name="nope") == []


def test_folders_go_down_two_levels_unless_told(marketo: Marketo) -> None:
    """Deeper ones need `maxDepth`; 0 is the root alone."""

    def ids(**query: Any) -> set[int]:
        return {folder["id"] for folder in found(marketo, "folders.json", maxReturn=200, **query)}

    assert ids(maxDepth=0) == {1}
    assert {10, 14, 30} <= ids()
    assert 20 not in ids()
    assert 22 in ids(maxDepth=9)
    assert ids(root=json.dumps({"id": 20, "type": "Folder"})) == {20, 21, 22}
    assert ids(workSpace="EMEA", maxDepth=9) == {6, 31}
    assert ids(root=json.dumps({"id": 999, "type": "Folder"})) == set()


def test_folder_has_path_parent_and_archive_mark(marketo: Marketo) -> None:
    """A slash in a name makes the path ambiguous."""
    (inner,) = found(marketo, "folder/21.json")
    (root,) = found(marketo, "folder/byName.json", name="Marketing Activities")
    (archive,) = found(marketo, "folder/byName.json", name="Archive")
    assert inner["path"] == "/Marketing Activities/Default/Campaigns 0/Events / Webinars/2026"
    assert inner["parent"] == {"id": 20, "type": "Folder"}
    assert (root["parent"], root["isSystem"]) == (None, True)
    assert archive["isArchive"] is True
    assert found(marketo, "folder/999.json") == []


def test_type_of_a_folder_is_spelt_by_option(make: Callable[..., Marketo]) -> None:
    """In capitals in some samples."""
    (folder,) = found(make(folder_type="FOLDER"), "folder/21.json")
    assert folder["folderId"] == {"id": 21, "type": "FOLDER"}


def test_folder_content_is_ids_and_types(marketo: Marketo) -> None:
    """Folders and programs, direct ones alone."""
    content = found(marketo, "folder/10/content.json", type="Folder", maxReturn=200)
    assert content == [
        {"id": 20, "type": "Folder"},
        {"id": 1005, "type": "Program"},
    ]


@pytest.mark.parametrize(
    "query", [{"root": "nonsense"}, {"root": "[1]"}, {"maxDepth": "-1"}, {"maxReturn": "201"}]
)
def test_folders_of_no_sense_are_refused(marketo: Marketo, query: dict[str, str]) -> None:
    """With 1001."""
    assert refusal(marketo.get(f"{ASSET}/folders.json", **query))[0] == "1001"


def test_program_can_lie_in_a_program(marketo: Marketo) -> None:
    """Its id may be that of a folder; the filter by folder does not take one for the other."""
    store = marketo.emulator.store
    store.change_program(1003, folder=("Program", 10, "Outer"), workspace="EMEA")
    listed = {program["id"]: program for program in found(marketo, "programs.json", maxReturn=200)}
    assert listed[1003]["folder"] == {"type": "Program", "value": 10, "folderName": "Outer"}
    by_folder = found(marketo, "programs.json", filterType="folderId", filterValues="10")
    assert [program["id"] for program in by_folder] == [1005]
    by_workspace = found(marketo, "programs.json", filterType="workspace", filterValues="EMEA")
    assert [program["id"] for program in by_workspace] == [1003]


def test_filters_may_be_ignored(make: Callable[..., Marketo]) -> None:
    """Then every program comes."""
    marketo = make(program_filters_ignored=True)
    listed = found(marketo, "programs.json", filterType="id", filterValues="1001")
    assert len(listed) == 8


def test_renamed_program_has_its_name_everywhere(marketo: Marketo) -> None:
    """In the list, with a new `updatedAt`, and in its members' rows."""
    marketo.emulator.store.change_program(1001, name="Fresh")
    (program,) = found(marketo, "program/1001.json")
    assert (program["name"], program["updatedAt"]) == ("Fresh", "2026-06-15T18:00:00Z+0000")
    assert marketo.export(["program"], programId=1001).split(b"\n")[1] == b"Fresh"


def test_channel_by_name_is_exact(marketo: Marketo) -> None:
    """Under both spellings of the parameter; by option with the step 0."""
    for name in ("name", "Name"):
        (channel,) = found(marketo, "channel/byName.json", **{name: "Nurture"})
        assert [status["name"] for status in channel["progressionStatuses"]] == [
            "Member",
            "Engaged",
        ]
    assert found(marketo, "channel/byName.json", name="nope") == []


def test_channels_have_step_zero_by_option(make: Callable[..., Marketo]) -> None:
    """`Not in Program` is listed somewhere, and not elsewhere."""
    channels = found(make(not_in_program_listed=True), "channels.json")
    assert {channel["progressionStatuses"][0]["name"] for channel in channels} == {"Not in Program"}


def test_lists_and_partitions_are_told(marketo: Marketo) -> None:
    """By page, by id, by name."""
    lists = marketo.get("/rest/v1/lists.json", batchSize=1)
    more = marketo.get("/rest/v1/lists.json", batchSize=1, nextPageToken=lists["nextPageToken"])
    assert [found["id"] for page in (lists, more) for found in page["result"]] == [100, 101]
    assert "nextPageToken" not in more
    by_name = marketo.get("/rest/v1/lists.json", name="Webinar follow-up")
    assert [found["id"] for found in by_name["result"]] == [101]
    assert marketo.get("/rest/v1/lists/100.json")["result"][0]["name"] == "Newsletter readers"
    assert refusal(marketo.get("/rest/v1/lists/7.json"))[0] == "1013"
    partitions = marketo.get("/rest/v1/leads/partitions.json")["result"]
    assert [partition["name"] for partition in partitions] == ["Default", "EMEA"]


def test_range_of_updates(marketo: Marketo, make: Callable[..., Marketo]) -> None:
    """Holds the programs changed in it; one of the future is refused."""
    marketo.clock.advance(60)
    marketo.emulator.store.change_program(1004, description="x")
    span = {"earliestUpdatedAt": "2026-06-15T18:00:30Z", "latestUpdatedAt": "2026-06-15T19:00:00Z"}
    assert [program["id"] for program in found(marketo, "programs.json", **span)] == [1004]
    late = {"earliestUpdatedAt": "2026-06-15T18:01:01Z"}
    assert refusal(marketo.get(f"{ASSET}/programs.json", **late))[0] == "1003"
    strict = make(update_range_needs_both=True)
    for name in span:
        assert refusal(strict.get(f"{ASSET}/programs.json", **{name: span[name]}))[0] == "1002"
