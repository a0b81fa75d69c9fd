"""When STATE is due: by bytes, by age, and always where a run or a stream ends."""

from __future__ import annotations

import json
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from tap_marketo_bulk.sync.state_pace import AGE_MAX_SECONDS, BYTES_RATIO, StatePace
from tests.virtual_runs import VirtualRuns

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator

CONFIG = {"start_date": "2026-04-01T00:00:00Z", "window_days": 1}
STATE_BYTES = 1_000


class Hours:
    """A clock that is set."""

    def __init__(self) -> None:
        self.seconds = 5.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.seconds


@pytest.fixture
def clock() -> Hours:
    """Return a clock that is set."""
    return Hours()


@pytest.fixture
def pace(clock: Hours) -> StatePace:
    """Return a pace whose first STATE has been said."""
    pace = StatePace(clock)
    pace.has_news = True
    assert not pace.due_in()
    pace.said(STATE_BYTES)
    return pace


def test_nothing_new_is_never_due(pace: StatePace, clock: Hours) -> None:
    """Neither by bytes nor by age."""
    pace.add(STATE_BYTES * BYTES_RATIO)
    clock.seconds += AGE_MAX_SECONDS
    assert pace.due_in() == inf


@pytest.mark.parametrize("lacking", [0, 1])
def test_ten_times_its_bytes_make_it_due(pace: StatePace, lacking: int) -> None:
    """And not a byte less."""
    pace.has_news = True
    pace.add(STATE_BYTES * BYTES_RATIO - lacking)
    assert (pace.due_in() == 0.0) == (not lacking)


def test_a_minute_makes_it_due(pace: StatePace, clock: Hours) -> None:
    """It says after how many seconds to ask again."""
    pace.has_news = True
    clock.seconds += 20
    assert pace.due_in() == AGE_MAX_SECONDS - 20
    clock.seconds += AGE_MAX_SECONDS
    assert not pace.due_in()


def test_bytes_count_from_the_last_state_on(pace: StatePace, clock: Hours) -> None:
    """What one STATE vouches for is no reason for the next."""
    pace.has_news = True
    pace.add(STATE_BYTES * BYTES_RATIO)
    pace.said(STATE_BYTES)
    pace.has_news = True
    assert pace.due_in() == AGE_MAX_SECONDS


@pytest.fixture
def runs(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., VirtualRuns]:
    """Return a function that returns runs on a virtual clock; jobs take so many seconds."""

    def make(job_seconds: float, members: int = 200) -> VirtualRuns:
        return VirtualRuns(make_emulator(members=members, job_seconds=job_seconds), monkeypatch)

    return make


def size(messages: list[dict[str, Any]]) -> int:
    """Return the bytes of messages as they are written."""
    return sum(len(json.dumps(message)) for message in messages)


@pytest.mark.slow
def test_state_is_a_tenth_of_the_records_but_for_one_a_minute(
    runs: Callable[..., VirtualRuns],
) -> None:
    """Jobs come and end every few seconds, and each has a few records."""
    made = runs(job_seconds=1.0)
    before = made.time.now
    run = made.run({**CONFIG, "poll_interval_seconds": 5})
    minutes = (made.time.now - before).total_seconds() / AGE_MAX_SECONDS
    states = run.of_type("STATE")
    by_age = int(minutes) + 2  # one at the beginning, and one at the end of the stream
    assert len(made.calls("export.create")) > 50
    assert size(states[by_age:]) * BYTES_RATIO <= size(run.of_type("RECORD"))
    assert not run.bookmark["export_jobs"]


def test_what_is_new_waits_a_minute_although_nothing_else_happens(
    runs: Callable[..., VirtualRuns], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files are there every ten minutes: STATE of the second does not wait for the third."""
    made = runs(job_seconds=300.0, members=12)
    moments: list[float] = []
    said = StatePace.said

    def noting(self: StatePace, state_bytes: int) -> None:
        moments.append(made.time())
        said(self, state_bytes)

    monkeypatch.setattr(StatePace, "said", noting)
    made.run({**CONFIG, "window_days": 31, "max_queued_jobs": 2, "poll_interval_seconds": 600})
    waited = {round(later - earlier) for earlier, later in pairwise(moments)}
    assert AGE_MAX_SECONDS in waited


def test_volume_lets_state_out_within_the_minute(runs: Callable[..., VirtualRuns]) -> None:
    """Files of many records that are there at once: STATE comes between them."""
    made = runs(job_seconds=0.0)
    run = made.run({"start_date": "2026-01-01T00:00:00Z"})
    kinds = [
        m["type"] for m in run.messages if m.get("stream") == "program_members" or "value" in m
    ]
    between = kinds[kinds.index("RECORD") : len(kinds) - kinds[::-1].index("RECORD")]
    assert "STATE" in between
