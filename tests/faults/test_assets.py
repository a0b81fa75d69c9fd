"""What goes wrong with the list of programs, each named by its id (docs/faults.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tap_runs import make_tap

from marketo_emulator import Fault

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
