"""Between runs that follow one another by minutes, what the instance says of itself is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator.faults.fault import Fault
from tap_marketo_bulk.tap import TapMarketoBulk
from tests.tap_runs import DAY_SECONDS, created_jobs, members_of, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun

    RunTap = Callable[..., TapRun]

TEN_MINUTES = 600
CONFIG = {"changed_programs": "activities"}


class Pipeline:
    """Runs of one pipeline, and the calls of the last of them."""

    def __init__(self, emulator: Emulator, run_tap: RunTap, folder: Path) -> None:
        self.emulator = emulator
        self._run_tap = run_tap
        self.config: dict[str, Any] = {**CONFIG, "job_journal": str(folder)}
        self._state: dict[str, Any] = {}
        self.table: dict[tuple[int, int], dict[str, Any]] = {}
        self.kept = folder / "instance.json"

    def run(self) -> list[str]:
        """Run once, ten minutes after the run before, and return the operations of its calls."""
        self.emulator.advance(TEN_MINUTES)
        before = len(self.emulator.requests)
        run = self._run_tap(self.emulator, self.config, state=self._state)
        self._state = run.last_state
        self.table |= run.table()
        return [entry.operation for entry in list(self.emulator.requests)[before:]]

    @property
    def is_right(self) -> bool:
        """Whether the table is Marketo's."""
        return self.table == members_of(self.emulator)


@pytest.fixture
def pipeline(make_emulator: Callable[..., Emulator], run_tap: RunTap, tmp_path: Path) -> Pipeline:
    """Return a pipeline over 420 programs that has run twice."""
    found = Pipeline(make_emulator(programs=420, members=900), run_tap, tmp_path)
    found.run()
    found.run()
    return found


def test_a_quiet_run_makes_four_calls(pipeline: Pipeline) -> None:
    """A token, a list of updated programs, a paging token and a page."""
    calls = pipeline.run()
    assert calls == ["identity.token", "programs.browse", "activities.token", "activities.list"]
    (request,) = [r for r in pipeline.emulator.requests if r.operation == "programs.browse"][-1:]
    assert "earliestUpdatedAt" in request.query
    assert "latestUpdatedAt" in request.query


def test_programs_that_are_new_or_renamed_are_found(pipeline: Pipeline) -> None:
    """An update is asked for, and a creation is one."""
    store = pipeline.emulator.store
    program = store.add_program(members=3)
    store.change_program(1005, name="Another name")
    calls = pipeline.run()
    assert calls.count("programs.browse") == 2
    scopes = [job["filter"]["programIds"] for job in created_jobs(pipeline.emulator)[-1:]]
    assert scopes == [[1005, program.program_id]]
    assert pipeline.is_right


def test_a_deleted_program_is_forgotten_once_it_is_met(pipeline: Pipeline) -> None:
    """Until then it is on the list of the day."""
    store = pipeline.emulator.store
    program_id = store.touch_members(1)[0][0]
    pipeline.emulator.advance(120)
    store.remove_program(program_id)
    assert "programs.get" in pipeline.run()
    assert "programs.get" not in pipeline.run()


def test_once_a_day_everything_is_asked_for_anew(pipeline: Pipeline) -> None:
    """A field that is new, a program that is gone."""
    pipeline.emulator.advance(DAY_SECONDS)
    calls = pipeline.run()
    assert sum(call.startswith("describe.") for call in calls) == 2
    assert "activities.types" in calls
    assert calls.count("programs.browse") == 4


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"instance": "another", "entries": {}}', '{"entries": 3}']
)
def test_what_cannot_be_read_is_asked_for(pipeline: Pipeline, content: str) -> None:
    """Nothing depends on it."""
    pipeline.kept.write_text(content, encoding="utf-8")
    assert "describe.members" in pipeline.run()
    assert pipeline.is_right


def test_entries_that_are_not_whole_are_asked_for(pipeline: Pipeline) -> None:
    """As those of another version."""
    text = pipeline.kept.read_text(encoding="utf-8").replace('"listed"', '"seen"')
    pipeline.kept.write_text(text, encoding="utf-8")
    assert "describe.members" in pipeline.run()


def test_a_refused_list_of_updates_is_made_up_for(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    """All programs are listed then."""
    pipeline.emulator.faults.add(_refusing_updates())
    calls = pipeline.run()
    assert calls.count("programs.browse") == 5
    assert "so all are listed" in caplog.text


def test_discovery_asks_anew(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    """Who asks for a catalog wants that of now."""
    before = len(pipeline.emulator.requests)
    tap = TapMarketoBulk(
        config=settings_for(pipeline.emulator, pipeline.config), setup_mapper=False
    )
    with tap.client:
        tap.run_discovery()
    assert "streams" in capsys.readouterr().out
    operations = [entry.operation for entry in list(pipeline.emulator.requests)[before:]]
    assert "describe.members" in operations


def test_without_the_setting_nothing_is_kept(
    emulator: Emulator, run_tap: RunTap, tmp_path: Path
) -> None:
    """A run asks for everything, as it always has."""
    run_tap(emulator, {"job_journal": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []


def _refusing_updates() -> Fault:
    return Fault.from_json({"operation": "programs.browse", "code": "1003"})
