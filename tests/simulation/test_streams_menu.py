"""What schedules draw of the streams beside members: each stream and each setting has its turn."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.simulation.schedule import draw_schedule
from tests.simulation.streams_menu import OBJECTS, PER_TYPE, SHARE

if TYPE_CHECKING:
    from tests.simulation.schedule import Schedule

SEEDS = 1_500
STREAMS = {
    "activities",
    "activity_types",
    "channels",
    "deleted_leads",
    "leads",
    "removed_program_members",
    *(f"custom_object_{name}" for name in OBJECTS),
    *(f"type {type_id}" for type_id in PER_TYPE),
}
SETTINGS = {
    "activity_overlap_minutes",
    "activity_streams",
    "activity_types",
    "backfill_new_fields",
    "custom_objects",
    "exclude_program_ids",
    "exclude_program_channels",
    "exclude_program_names",
    "exclude_program_tags",
    "on_stream_error",
    "program_channels",
    "program_folders",
    "program_names",
    "program_tags",
    "program_types",
    "programs_detail",
    "programs_updated_since",
    "track_removed_members",
}
MEMBER_FIELD = "later field of program_members"
BUDGETS = {"daily_bytes_budget_mb", "daily_calls_budget"}


def test_each_stream_and_setting_is_drawn() -> None:
    """Not in every hundred schedules, but in these."""
    schedules = [s for s in map(draw_schedule, range(SEEDS)) if "streams" in s.world]
    assert abs(len(schedules) / SEEDS - SHARE) < 0.05
    drawn: Counter[str] = Counter()
    for schedule in schedules:
        drawn.update(_drawn_by(schedule))
    assert [
        what for what in sorted({MEMBER_FIELD} | STREAMS | SETTINGS | BUDGETS) if not drawn[what]
    ] == []


def _drawn_by(schedule: Schedule) -> set[str]:
    of_runs = {name for run in schedule.runs for name in run.config}
    streams = schedule.world["streams"]
    later = f"later field of {(streams.get('new_field') or {}).get('stream')}"
    return {later, *streams["names"], *schedule.config, *of_runs}
