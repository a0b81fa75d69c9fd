"""What goes wrong with the list of programs, each named by its id (docs/faults.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from marketo_emulator import Fault
from tests.tap_runs import make_tap, members_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.drill import Drill

BROWSE = "programs.browse"


def offsets(drill: Drill) -> list[str]:
    """Return the offsets of the pages that were asked for."""
    return [entry.query["offset"] for entry in drill.emulator.requests.of(BROWSE)]


@pytest.mark.fault(
    "S1", "a page past the end has a warning and no `result`", "is the end of the list"
)
def test_s1_page_past_the_end_is_the_end(make_drill: Callable[..., Drill]) -> None:
    """No programs: one call, no record, no error."""
    drill = make_drill(programs=0, members=0)
    run = drill.run()
    assert (run.records("programs"), run.records(), offsets(drill)) == ([], [], ["0"])


@pytest.mark.fault("S2", "the last page is exactly 200 long", "asks for one more")
def test_s2_full_last_page_is_followed_by_one_more(make_drill: Callable[..., Drill]) -> None:
    """200 programs are two calls, and each program is there once."""
    drill = make_drill(programs=200, members=0)
    with make_tap(drill.emulator).client as client:
        found = [program["id"] for program in client.iter_programs()]
    assert found == [*drill.emulator.store.programs]
    assert offsets(drill) == ["0", "180"]


@pytest.mark.fault(
    "S3",
    "programs are deleted or made between two pages, so that the rest moves",
    "overlaps pages by 20, leaves out what it has seen; members of all programs are there",
)
@pytest.mark.parametrize("change", ["deleted", "made"])
def test_s3_programs_that_move_between_pages_are_found(
    make_drill: Callable[..., Drill], change: str
) -> None:
    """Ten programs go, or one comes, while the first page is being read."""
    drill = make_drill(programs=220, members=220)
    store = drill.emulator.store

    def meanwhile() -> None:
        if change == "made":
            store.add_program(members=1)
        for program_id in range(1001, 1011) if change == "deleted" else ():
            store.remove_program(program_id)

    drill.clock.on_sleep = meanwhile
    drill.arm(Fault(operation=BROWSE, nth=2, status=502))
    run = drill.run()
    assert [record["id"] for record in run.records("programs")][-1] == [*store.programs][-1]
    members = {(m["leadId"], m["programId"]) for m in store.members()}
    assert run.table().keys() == members


@pytest.mark.fault("S4", "warnings beside a `result`", "uses the result, logs the warnings")
def test_s4_warnings_beside_a_result_are_logged(
    drill: Drill, caplog: pytest.LogCaptureFixture
) -> None:
    """All members are there, and so is the warning."""
    drill.arm(Fault(operation=BROWSE, put={"warnings": ["Something is odd"]}))
    drill.assert_whole(drill.run())
    assert any("Something is odd" in record.message for record in caplog.records)


@pytest.mark.fault("S5", "moments are written as `…Z+0000`", "are moments in the records")
def test_s5_moments_of_programs_are_read(drill: Drill) -> None:
    """The record has the same moment as an ISO date-time."""
    moments = {"createdAt": "2019-04-12T05:58:10Z+0000", "updatedAt": "2020-01-02T03:04:05Z+0000"}
    drill.arm(
        Fault(operation=BROWSE, put={f"result.0.{name}": text for name, text in moments.items()})
    )
    run = drill.run()
    drill.assert_whole(run)
    program = run.records("programs")[0]
    assert (program["createdAt"], program["updatedAt"]) == (
        "2019-04-12T05:58:10+00:00",
        "2020-01-02T03:04:05+00:00",
    )


@pytest.mark.fault(
    "S6",
    "a program has `description` null, an empty status, an unknown type, `costs` null",
    "is a record as any other",
)
def test_s6_unusual_programs_are_records(drill: Drill) -> None:
    """Nothing about a program but its id is needed."""
    odd = {"description": None, "status": "", "type": "Something New", "costs": None}
    drill.arm(
        Fault(
            operation=BROWSE,
            put={f"result.0.{name}": value for name, value in odd.items()},
            drop=("result.1.createdAt", "result.1.channel"),
        )
    )
    run = drill.run()
    drill.assert_whole(run)
    first, second, _ = run.records("programs")
    assert {name: first.get(name, "absent") for name in odd} == {**odd, "costs": "absent"}
    assert second["id"] == 1002


@pytest.mark.fault(
    "T7.8",
    "a page of programs is shorter than asked for, and not the last",
    "goes on until a page is empty; the members of all programs are there",
)
@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.parametrize("left_out", [{57}, {0}, {199}, set(range(20, 200)), set(range(180))])
def test_t7_8_short_page_does_not_end_the_list(
    make_drill: Callable[..., Drill], first: int, left_out: set[int]
) -> None:
    """250 programs, of which a page leaves some out that others, or a later run, show."""
    drill = make_drill(programs=250, members=250)
    drop = tuple(f"result.{index}" for index in sorted(left_out, reverse=True))
    drill.arm(Fault(operation=BROWSE, nth=first, drop=drop))
    run = drill.run()
    listed = {record["id"] for record in run.records("programs")}
    programs = [*drill.emulator.store.programs]
    begins = 0 if first == 1 else 180
    hidden = {programs[begins + index] for index in left_out if begins + index < len(programs)}
    assert set(programs) - listed <= hidden
    members = members_of(drill.emulator)
    assert run.table().keys() == {key for key in members if key[1] in listed}


@pytest.mark.fault(
    "T7.9",
    "a program's `createdAt` is no moment, or lies in the future",
    "names the program in a warning and reads its members from `start_date` on",
)
@pytest.mark.parametrize(
    "odd", ["yesterday", 1555048690000, "2020-13-45T00:00:00Z", True, ["x"], "2099-01-01T00:00:00Z"]
)
def test_t7_9_odd_creation_date_of_a_program_costs_nobody_a_member(
    drill: Drill, caplog: pytest.LogCaptureFixture, odd: object
) -> None:
    """All members since the start are there; the program is named, once for each stream."""
    drill.arm(Fault(operation=BROWSE, put={"result.1.createdAt": odd}))
    start = "2024-01-01T00:00:00Z"
    run = drill.run({"start_date": start})
    young = {
        key for key, member in members_of(drill.emulator).items() if member["updatedAt"] >= start
    }
    assert run.table().keys() == young
    assert any(program_id == 1002 for _, program_id in young)
    named = [r.message for r in caplog.records if "program 1002 has a createdAt" in r.message]
    assert len(named) == (1 if odd == "2099-01-01T00:00:00Z" else 2)


@pytest.mark.parametrize("created_at", ["0001-01-01T00:00:00Z", "2026-06-15T12:30:00Z", "", None])
def test_t7_9_unusual_but_possible_creation_dates(drill: Drill, created_at: str | None) -> None:
    """The first of days, a clock that is half an hour ahead, none at all."""
    drill.arm(Fault(operation=BROWSE, put={"result.1.createdAt": created_at}))
    start = "2024-01-01T00:00:00Z"
    run = drill.run({"start_date": start})
    young = {
        key for key, member in members_of(drill.emulator).items() if member["updatedAt"] >= start
    }
    changed_now = {key for key in young if key[1] != 1002}
    assert run.table().keys() >= changed_now
    if created_at != "2026-06-15T12:30:00Z":
        assert run.table().keys() == young
