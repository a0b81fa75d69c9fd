"""What a sync of program members writes, byte for byte: STATE, messages, and what jobs ask for.

The files under `golden/` were written by the version before the engine was shared by all export
objects. They are a contract: stored STATE and loaded tables outlive a version. Of the STATE of a
run only the last is compared: when there is one in between is a matter of pace.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Fault, Options
from tests.tap_runs import DAY_SECONDS, TapRun, created_jobs, make_tap
from tests.virtual_runs import VirtualRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from marketo_emulator import Emulator

GOLDEN = Path(__file__).parent / "golden"
BEGIN_OF_RUN = '{"type": "SCHEMA", "stream": "program_members"'
CONFIG = {"lead_fields": ["email"]}
START = {**CONFIG, "start_date": "2026-04-01T00:00:00Z"}
NO_UPDATED_AT = Fault(
    operation="export.create",
    code="1035",
    message="Unsupported filter type for target subscription: updatedAt",
)


class Story:
    """Runs against one emulator, and everything they have written."""

    def __init__(self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        self.emulator = emulator
        self.virtual = VirtualRuns(emulator, monkeypatch)
        self.messages: list[dict[str, Any]] = []

    def run(self, config: dict[str, Any], **options: Any) -> TapRun:
        """Run the tap, to its end or to where it is told to stop."""
        try:
            found = self.virtual.run(config, **options)
        except SystemExit as error:
            found = error.run  # type: ignore[attr-defined]
        self.messages += found.messages
        return found

    def stop_after(self, seconds: float) -> None:
        """Have the process told to stop so long from now."""

        def stop() -> None:
            raise SystemExit(143)

        moment = self.virtual.time.now + timedelta(seconds=seconds)
        self.virtual.time.at.append((moment, stop))

    def lines(self) -> Iterator[str]:
        """Yield the messages and the jobs asked for, without what differs in every run."""
        text = "\n".join(
            [
                *(json.dumps(_settled(message), ensure_ascii=False) for message in self.messages),
                *(json.dumps({"job": job}, ensure_ascii=False) for job in self._jobs()),
            ]
        )
        for number, job in enumerate(self.emulator.jobs, 1):
            text = text.replace(job.export_id, f"export-{number}")
        yield from text.splitlines()

    def _jobs(self) -> list[dict[str, Any]]:
        return created_jobs(self.emulator)


def without_passing_states(lines: Iterable[str]) -> list[str]:
    """Return the lines but for STATE that another one of the same run follows."""
    kept: list[str] = []
    passing: int | None = None
    for line in lines:
        if line.startswith(BEGIN_OF_RUN):
            passing = None
        if line.startswith('{"type": "STATE"'):
            if passing is not None:
                del kept[passing]
            passing = len(kept)
        kept.append(line)
    return kept


def _settled(message: dict[str, Any]) -> dict[str, Any]:
    for key in ("time_extracted", "version"):
        if key in message:
            message = {**message, key: "…"}
    return message


def windows_and_incremental(story: Story) -> None:
    """A first load by windows, then what has changed in a day."""
    first = story.run(START)
    story.emulator.advance(DAY_SECONDS)
    story.emulator.store.touch_members(3, seed=1)
    story.emulator.advance(3600)
    story.run(START, state=first.last_state)


def snapshot(story: Story) -> None:
    """A first load without a start date."""
    story.run(CONFIG)


def plain_bookmark(story: Story) -> None:
    """The state of any tap of the SDK, and two of three programs."""
    bookmark = {"replication_key": "updatedAt", "replication_key_value": "2026-05-20T00:00:00Z"}
    story.run(
        {**CONFIG, "program_ids": [1001, 1003]},
        state={"bookmarks": {"program_members": bookmark}},
    )


def interrupted(story: Story) -> None:
    """A run that is told to stop while jobs are at work, and the one that takes them over."""
    config = {**START, "max_queued_jobs": 3, "window_days": 10}
    story.stop_after(130)
    first = story.run(config)
    assert first.bookmark["export_jobs"]
    story.emulator.advance(3600)
    story.run(config, state=first.last_state)


def unfit_jobs(story: Story) -> None:
    """A run that asks for other members than the jobs it finds."""
    config = {**START, "max_queued_jobs": 3}
    story.stop_after(55)
    first = story.run(config)
    assert first.bookmark["export_jobs"]
    story.run({**config, "status_names": ["Member"]}, state=first.last_state)


def full_table(story: Story) -> None:
    """Everything, no bookmark."""
    catalog = make_tap(story.emulator, CONFIG).catalog_dict
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    story.run(CONFIG, catalog=catalog)


def no_updated_at(story: Story) -> None:
    """A subscription without the filter: whole extracts, filtered here."""
    story.emulator.faults.add(NO_UPDATED_AT)
    first = story.run(START)
    story.emulator.advance(DAY_SECONDS)
    story.emulator.store.touch_members(3, seed=1)
    story.emulator.advance(3600)
    story.emulator.faults.add(NO_UPDATED_AT)
    story.run(START, state=first.last_state)


def refused_field(story: Story) -> None:
    """A field that describe lists and export refuses, and jobs without it that are taken over."""
    story.stop_after(55)
    first = story.run(START)
    assert first.bookmark["export_jobs"]
    story.run(START, state=first.last_state)


STORIES: dict[Callable[[Story], None], dict[str, Any]] = {
    windows_and_incremental: {},
    snapshot: {},
    plain_bookmark: {},
    interrupted: {"job_seconds": 50.0},
    unfit_jobs: {"job_seconds": 50.0},
    full_table: {},
    no_updated_at: {},
    refused_field: {"job_seconds": 50.0, "options": Options(refused_fields=("trackName",))},
}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_every_byte_is_as_it_was(
    make_emulator: Callable[..., Emulator],
    monkeypatch: pytest.MonkeyPatch,
    story: Callable[[Story], None],
) -> None:
    """Whoever keeps a STATE, or a table, can change versions in both directions."""
    told = Story(make_emulator(members=12, **STORIES[story]), monkeypatch)
    story(told)
    golden = GOLDEN / f"{story.__name__}.jsonl"
    written = golden.read_text("utf-8").splitlines()
    assert without_passing_states(told.lines()) == without_passing_states(written)
