from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from target_marketo_bulk.outcomes.state_gate import StateGate

if TYPE_CHECKING:
    from random import Random


class Lines(list[str]):
    """STATE lines passed on."""

    @property
    def values(self) -> list[Any]:
        """The states."""
        return [json.loads(line) for line in self]


def test_state_waits_for_every_unit_before_it() -> None:
    """A state goes out when the last of the units opened before it is settled."""
    lines = Lines()
    gate = StateGate(lines.append)
    gate.hold("a", last_unit=2)
    gate.settle(2, last_unit=2)
    gate.release()
    assert lines.values == []
    gate.settle(1, last_unit=2)
    gate.release()
    assert lines.values == ["a"]


def test_later_units_do_not_hold_a_state_back() -> None:
    """What was opened after a state is no concern of it."""
    lines = Lines()
    gate = StateGate(lines.append)
    gate.hold("a", last_unit=1)
    gate.hold("b", last_unit=2)
    gate.settle(1, last_unit=3)
    gate.release()
    assert lines.values == ["a"]


def test_state_without_units_goes_out_at_once() -> None:
    """Nothing before it, nothing to wait for."""
    lines = Lines()
    gate = StateGate(lines.append)
    gate.hold({"x": 1}, last_unit=0)
    assert gate.release()
    assert lines.values == [{"x": 1}]


EVENTS = st.lists(st.sampled_from(["open", "state", "settle", "release"]), max_size=40)


@given(EVENTS, st.randoms(use_true_random=False))
def test_no_state_is_early_and_the_last_is_never_lost(events: list[str], dice: Random) -> None:
    """Whatever happens in which order: a state passed on is true, and all are in the end."""
    lines = Lines()
    gate = StateGate(lines.append)
    opened = 0
    open_units: list[int] = []
    needs: dict[int, list[int]] = {}
    for event in [*events, "state"]:
        if event == "open":
            opened += 1
            open_units.append(opened)
        elif event == "state":
            needs[len(needs)] = list(open_units)
            gate.hold(len(needs) - 1, last_unit=opened)
        elif event == "settle" and open_units:
            unit = dice.choice(open_units)
            open_units.remove(unit)
            gate.settle(unit, last_unit=opened)
        elif event == "release":
            gate.release()
        for state in lines.values:
            assert set(needs[state]).isdisjoint(open_units)
    for unit in open_units:
        gate.settle(unit, last_unit=opened)
    gate.release()
    assert lines.values[-1] == len(needs) - 1
    assert lines.values == sorted(lines.values)
    assert not gate.is_holding
