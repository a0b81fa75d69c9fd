from __future__ import annotations

from typing import TYPE_CHECKING

from tests.target.runs import leads, people, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.target.runs import Record, Run


def test_records_become_leads(emulator: Emulator, config: Record, run: Callable[..., Run]) -> None:
    """Every record ends as a lead, and the STATE after them is passed on."""
    result = run(singer_lines(people(50)), config)
    assert result.error is None
    assert result.states == [{"records": 50}]
    assert {lead["firstName"] for lead in leads(emulator).values()} == {
        f"Name {number}" for number in range(50)
    }
    assert result.summary["imported"] == "50"
