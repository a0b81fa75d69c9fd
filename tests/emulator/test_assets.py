"""Programs and channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.emulator.harness import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

PROGRAMS = "/rest/asset/v1/programs.json"
NOTHING = "No assets found for the given search criteria."


def ids(document: dict[str, object]) -> list[int]:
    """Return the ids in a page."""
    return [asset["id"] for asset in document.get("result", [])]  # type: ignore[attr-defined]


def test_page_is_twenty_by_default(make: Callable[..., Marketo]) -> None:
    """The first twenty, from the first on."""
    marketo = make(programs=25)
    assert ids(marketo.get(PROGRAMS)) == list(range(1001, 1021))
    assert ids(marketo.get(PROGRAMS, offset=20)) == list(range(1021, 1026))


def test_page_is_two_hundred_at_most(make: Callable[..., Marketo]) -> None:
    """More cannot be asked for."""
    marketo = make(programs=201)
    assert len(ids(marketo.get(PROGRAMS, maxReturn=200))) == 200
    assert refusal(marketo.get(PROGRAMS, maxReturn=201))[0] == "1001"
    assert refusal(marketo.get(PROGRAMS, maxReturn=0))[0] == "1001"
    assert refusal(marketo.get(PROGRAMS, maxReturn="x"))[0] == "1001"


def test_past_the_end_is_a_warning_without_a_result(marketo: Marketo) -> None:
    """Success, a warning that is a plain text, and no `result` at all."""
    reply = marketo.get(PROGRAMS, offset=8)
    assert reply["success"] is True
    assert reply["warnings"] == [NOTHING]
    assert "result" not in reply
    assert list(marketo.get(PROGRAMS)) == ["success", "errors", "requestId", "warnings", "result"]


def test_program_looks_as_documented(marketo: Marketo) -> None:
    """Every attribute, in the asset API's own form of a moment; no tags and no costs."""
    program = marketo.get(PROGRAMS)["result"][0]
    assert set(program) == {
        "id", "name", "description", "createdAt", "updatedAt", "url", "type", "channel",
        "folder", "status", "workspace", "headStart",
    }  # fmt: skip
    assert program["createdAt"].endswith("Z+0000")
    assert set(program["folder"]) == {"type", "value", "folderName"}


def test_programs_are_of_several_types_and_ages(marketo: Marketo) -> None:
    """Two years of campaigns."""
    programs = marketo.get(PROGRAMS)["result"]
    created = [program["createdAt"] for program in programs]
    assert {program["type"] for program in programs} == {
        "Default", "Event", "Event with Webinar", "Engagement", "Email",
    }  # fmt: skip
    assert created[0] < "2024-10"
    assert created[-1] > "2026-03"
    assert len({program["channel"] for program in programs}) >= 5


@pytest.mark.parametrize("kind", ["id", "programId"])
def test_filter_by_id_gives_those_that_exist(marketo: Marketo, kind: str) -> None:
    """Unknown ids are left out in silence."""
    reply = marketo.get(PROGRAMS, filterType=kind, filterValues="1003,1,1001")
    assert ids(reply) == [1001, 1003]


def test_filter_without_values_is_refused(marketo: Marketo) -> None:
    """The type requires values, and must be a known one."""
    assert refusal(marketo.get(PROGRAMS, filterType="id"))[0] == "701"
    assert refusal(marketo.get(PROGRAMS, filterType="colour", filterValues="1"))[0] == "1001"


def test_filters_by_status_workspace_and_date(marketo: Marketo) -> None:
    """The rest of the filters."""
    programs = marketo.get(PROGRAMS)["result"]
    middle = programs[4]["updatedAt"].removesuffix("+0000")
    later = marketo.get(PROGRAMS, earliestUpdatedAt=middle)
    earlier = marketo.get(PROGRAMS, latestUpdatedAt=middle)
    assert [program["status"] for program in marketo.get(PROGRAMS, status="on")["result"]] == ["on"]
    assert len(ids(marketo.get(PROGRAMS, filterType="workspace", filterValues="Default"))) == 8
    assert 1005 in set(ids(later)) & set(ids(earlier))
    assert len(ids(later)) + len(ids(earlier)) == 9
    assert refusal(marketo.get(PROGRAMS, earliestUpdatedAt="soon"))[0] == "704"


def test_long_filter_may_come_as_a_form(marketo: Marketo) -> None:
    """A POST with `_method=GET` is a GET whose query may be long."""
    values = ",".join(str(number) for number in range(3000))
    query = {"filterType": "id", "filterValues": values, "maxReturn": "200"}
    too_long = marketo.send("GET", PROGRAMS, query_string=query)
    tunnelled = marketo.send("POST", PROGRAMS, data={"_method": "GET", **query})
    assert too_long.status_code == 414
    assert ids(tunnelled.get_json()) == list(range(1001, 1009))


def test_one_program_comes_with_tags_and_costs(marketo: Marketo) -> None:
    """The single answer tells more than the list."""
    program = marketo.get("/rest/asset/v1/program/1002.json")["result"][0]
    assert program["id"] == 1002
    assert program["tags"] == [{"tagType": "Region", "tagValue": "EMEA"}]
    assert program["costs"] is None


def test_unknown_program_is_a_warning(marketo: Marketo) -> None:
    """Not an error, and no `result`."""
    reply = marketo.get("/rest/asset/v1/program/9.json")
    assert reply["warnings"] == [NOTHING]
    assert "result" not in reply


def test_channels_have_steps_with_awkward_names(marketo: Marketo) -> None:
    """Custom statuses, one of them the success, some of them hidden."""
    channels = marketo.get("/rest/asset/v1/channels.json", maxReturn=200)["result"]
    statuses = [status for channel in channels for status in channel["progressionStatuses"]]
    assert "02 Opened" in {status["name"] for status in statuses}
    assert all(
        [status["success"] for status in channel["progressionStatuses"]].count(True) == 1
        for channel in channels
    )
    assert any(status["hidden"] for status in statuses)
    assert set(statuses[0]) == {"name", "step", "description", "hidden", "success"}
    assert len(marketo.get("/rest/asset/v1/channels.json", offset=2, maxReturn=3)["result"]) == 3
