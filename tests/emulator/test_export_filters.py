"""The filters of exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

CREATE = "/bulk/v1/program/members/export/create.json"
LEADS = "/bulk/v1/leads/export/create.json"
AT = "2026-06-01T00:00:00Z"


def exported(marketo: Marketo, **conditions: Any) -> set[int]:
    """Return the lead ids in a member export."""
    content = marketo.export(["leadId"], **conditions).decode()
    return {int(line.split(",")[-1]) for line in content.split("\n")[1:-1]}


def stored(marketo: Marketo, **values: object) -> set[int]:
    """Return the lead ids of the members that have these values."""
    return {
        int(member["leadId"])  # type: ignore[arg-type]
        for member in marketo.emulator.store.members()
        if all(member[name] == value for name, value in values.items())
    }


def refused(marketo: Marketo, path: str = CREATE, **conditions: object) -> tuple[str, str]:
    """Return code and text of a refused create."""
    return marketo.error(
        path, {"fields": ["id" if path == LEADS else "leadId"], "filter": conditions}
    )


def test_program_id_selects_one_program(marketo: Marketo) -> None:
    """All its members and nobody else."""
    assert exported(marketo, programId=1002) == stored(marketo, programId=1002)


def test_program_ids_select_several(marketo: Marketo) -> None:
    """The members of all of them, each under its own program."""
    content = marketo.export(["leadId"], programIds=[1001, 1003]).decode()
    keys = {tuple(map(int, line.split(","))) for line in content.split("\n")[1:-1]}
    assert keys == {
        (program_id, lead_id)
        for program_id in (1001, 1003)
        for lead_id in stored(marketo, programId=program_id)
    }


def test_program_without_members_gives_a_header(make: Callable[..., Marketo]) -> None:
    """No rows is not an error; the file is a header, or empty by option."""
    marketo = make()
    assert marketo.export(["leadId"], programId=1006) == b"leadId\n"
    assert make(empty_file="nothing").export(["leadId"], programId=1006) == b""


@pytest.mark.parametrize(
    "conditions",
    [{}, {"programId": 1001, "programIds": [1002]}, {"statusNames": ["Sent"]}],
)
def test_exactly_one_way_to_name_programs(marketo: Marketo, conditions: dict[str, Any]) -> None:
    """Neither none nor both."""
    assert refused(marketo, **conditions)[0] == "1003"


@pytest.mark.parametrize(
    "conditions",
    [
        {"programId": "1001"},
        {"programId": True},
        {"programId": [1001]},
        {"programIds": 1001},
        {"programIds": []},
        {"programIds": list(range(1001, 1012))},
        {"programId": 1001, "isExhausted": "true"},
        {"programId": 1001, "nurtureCadence": "fast"},
        {"programId": 1001, "statusNames": "Sent"},
        {"programId": 1001, "statusNames": []},
        {"programId": 1001, "smartListId": 1},
    ],
)
def test_condition_of_the_wrong_type_is_1003(marketo: Marketo, conditions: dict[str, Any]) -> None:
    """Types, lengths and names are checked."""
    assert refused(marketo, **conditions)[0] == "1003"


def test_ten_program_ids_are_the_most(make: Callable[..., Marketo]) -> None:
    """Ten are let in, eleven are not."""
    marketo = make(programs=11)
    ids = list(range(1001, 1012))
    assert refused(marketo, programIds=ids) == ("1003", "At most 10 'programIds' can be specified")
    assert marketo.create(["leadId"], programIds=ids[:10])


def test_unknown_program_is_refused_by_the_code_of_the_option(
    make: Callable[..., Marketo],
) -> None:
    """A program that was removed is as unknown as an invented one; the ids are named."""
    marketo = make()
    marketo.emulator.store.remove_program(1002)
    assert refused(marketo, programIds=[1001, 1002, 7]) == ("1003", "Invalid program ids [1002, 7]")
    assert refused(make(unknown_program_code="1013"), programId=7)[0] == "1013"


def test_statuses_are_alternatives(marketo: Marketo) -> None:
    """A member passes with any of the statuses."""
    either = exported(marketo, programId=1001, statusNames=["Sent", "02 Opened"])
    assert either == stored(marketo, programId=1001, statusName="Sent") | stored(
        marketo, programId=1001, statusName="02 Opened"
    )
    assert either


def test_status_of_no_program_is_refused(marketo: Marketo) -> None:
    """A status of another program is let in, one of none is not."""
    assert exported(marketo, programId=1001, statusNames=["Visited Booth"]) == set()
    assert refused(marketo, programId=1001, statusNames=["Sent", "A participé"]) == (
        "1003",
        "Invalid status names [A participé]",
    )


@pytest.mark.parametrize("exhausted", [True, False])
def test_exhausted_members(make: Callable[..., Marketo], *, exhausted: bool) -> None:
    """The flag must be equal."""
    marketo = make(members=400)
    chosen = exported(marketo, programId=1003, isExhausted=exhausted)
    assert chosen == stored(marketo, programId=1003, isExhausted=exhausted)
    assert chosen


@pytest.mark.parametrize(
    ("spelling", "value"),
    [
        ("pause", "paus"), ("paus", "paus"), ("paused", "paus"), ("norm", "norm"),
        ("normal", "norm"),
    ],
)  # fmt: skip
def test_every_spelling_of_the_cadence(
    make: Callable[..., Marketo], spelling: str, value: str
) -> None:
    """Three pages, three spellings; the file has four letters."""
    marketo = make(members=400)
    chosen = exported(marketo, programId=1003, nurtureCadence=spelling)
    assert chosen == stored(marketo, programId=1003, nurtureCadence=value)
    assert chosen


def test_cadence_spellings_can_be_fewer(make: Callable[..., Marketo]) -> None:
    """An instance may know one of the spellings alone."""
    marketo = make(cadence_spellings=("paus", "norm"))
    assert refused(marketo, programId=1003, nurtureCadence="paused")[0] == "1003"


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2026-06-01T00:00:00Z", "2026-06-01T00:00:00Z", True),
        ("2026-05-31T00:00:00Z", "2026-06-01T00:00:00Z", True),
        ("2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", True),
        ("2026-06-01T00:00:01Z", "2026-06-02T00:00:00Z", False),
        ("2026-05-31T00:00:00Z", "2026-05-31T23:59:59Z", False),
        ("2026-06-01T02:00:00+02:00", "2026-06-01T02:00:00+0200", True),
        ("2026-05-02T00:00:00Z", "2026-06-02T00:00:00Z", True),
    ],
)
def test_window_is_inclusive_at_both_ends(
    marketo: Marketo, start: str, end: str, *, found: bool
) -> None:
    """A change exactly at either end is in; offsets count; 31 days are not too many."""
    lead_id = min(stored(marketo, programId=1001))
    marketo.emulator.store.change_member(1001, lead_id, updatedAt=AT)
    chosen = exported(marketo, programId=1001, updatedAt={"startAt": start, "endAt": end})
    assert (lead_id in chosen) is found


def test_window_is_half_open_by_option(make: Callable[..., Marketo]) -> None:
    """The other reading leaves the end out."""
    marketo = make(window_end_included=False)
    lead_id = min(stored(marketo, programId=1001))
    marketo.emulator.store.change_member(1001, lead_id, updatedAt=AT)
    window = {"startAt": "2026-05-31T00:00:00Z", "endAt": AT}
    assert lead_id not in exported(marketo, programId=1001, updatedAt=window)


@pytest.mark.parametrize(
    "window",
    [
        {"startAt": "2026-05-01T00:00:00Z", "endAt": "2026-06-01T00:00:01Z"},
        {"startAt": "2026-06-02T00:00:00Z", "endAt": "2026-06-01T00:00:00Z"},
        {"startAt": "2026-06-01T00:00:00.000Z", "endAt": "2026-06-02T00:00:00Z"},
        {"startAt": "2026-06-01", "endAt": "2026-06-02"},
        {"startAt": "2026-06-31T00:00:00Z", "endAt": "2026-06-32T00:00:00Z"},
        {"startAt": "2026-06-01T00:00:00Z"},
        {"startAt": 1, "endAt": 2},
        "2026",
    ],
)
def test_window_that_makes_no_sense_is_1003(marketo: Marketo, window: object) -> None:
    """Too long by a second, backwards, with milliseconds, without times, half, no object."""
    code, text = refused(marketo, programId=1001, updatedAt=window)
    assert code == "1003"
    assert "updatedAt" in text


def test_window_is_1035_where_unsupported(make: Callable[..., Marketo]) -> None:
    """Not every subscription has the filter; the text is the one seen on the wire."""
    marketo = make(updated_at_filter_supported=False)
    window = {"startAt": AT, "endAt": AT}
    expected = ("1035", "Unsupported filter type for target subscription: updatedAt")
    assert refused(marketo, programId=1001, updatedAt=window) == expected
    assert refused(marketo, LEADS, updatedAt=window) == expected
    assert marketo.create(["id"], "leads", createdAt=window)


def test_leads_by_creation_and_change(marketo: Marketo) -> None:
    """The window is compared with the attribute that names the filter."""
    window = {"startAt": "2026-05-15T00:00:00Z", "endAt": "2026-06-15T00:00:00Z"}
    for attribute in ("createdAt", "updatedAt"):
        content = marketo.export(["id"], "leads", **{attribute: window}).decode()
        assert {int(line) for line in content.split("\n")[1:-1]} == {
            lead["id"]
            for lead in marketo.emulator.store.leads()
            if window["startAt"] <= str(lead[attribute]) <= window["endAt"]
        }


def test_leads_by_static_list(marketo: Marketo) -> None:
    """By id and by name."""
    static_list = marketo.emulator.store.static_lists[100]
    static_list.lead_ids |= {3, 5}
    by_id = marketo.export(["id"], "leads", staticListId=100)
    by_name = marketo.export(["id"], "leads", staticListName=static_list.name)
    assert by_id == by_name == b"id\n3\n5\n"


@pytest.mark.parametrize(
    ("conditions", "code"),
    [
        ({"smartListId": 1}, "1035"),
        ({"smartListName": "x"}, "1035"),
        ({"staticListId": 5}, "1013"),
        ({"staticListId": 100, "staticListName": "x"}, "1003"),
        ({"programId": 1001}, "1003"),
    ],
)
def test_lead_filter_is_one_and_known(
    marketo: Marketo, conditions: dict[str, Any], code: str
) -> None:
    """Exactly one condition, of the supported kinds."""
    assert refused(marketo, LEADS, **conditions)[0] == code
