"""Schedule: everything that will happen in one simulation, as plain data drawn from a seed."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING, Any

from tests.simulation.choosing import with_choosing
from tests.simulation.described import OPTIONAL
from tests.simulation.fault_menu import draw_faults
from tests.simulation.narrowing import draw_narrowing, draw_short_list
from tests.simulation.program_menu import with_rarer_choice
from tests.simulation.remembering import with_memory
from tests.simulation.streams_menu import with_member_field, with_streams

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

START = datetime(2026, 6, 15, 12, tzinfo=timezone.utc)
HOUR = 3_600.0
DAY = 24 * HOUR
POLLS_MAX = 60
ANNOUNCED = ["fileSize", "fileChecksum", "numberOfRecords"]
NONE = {"numberOfRecords": 0}
ODD_NONE = {"result.0.numberOfRecords": "0"}
DISTURBING = frozenset({"queue", "export_bytes", "calls", "expire_tokens", "revoke_tokens"})
DISTURBING |= {"forbid", "allow"}


@dataclass(frozen=True)
class Run:
    """One run of the tap.

    `faults` are armed as it starts. `kill` says how and at which step the process dies.
    `state` says which STATE the next run starts from: the last, or the one before, because the
    target had not committed the last; `kept` is then the share of the lines after it that the
    target has nevertheless.
    """

    at: float
    faults: tuple[dict[str, Any], ...] = ()
    kill: dict[str, Any] | None = None
    state: str = "last"
    kept: float = 1.0
    config: dict[str, Any] = field(default_factory=dict)
    """Settings of this run alone: a few programs only, or filters that leave members out."""
    ahead: float | None = None
    """Begin from the bookmark of another tap, which has read everything, and whose clock was so
    many seconds ahead of Marketo's."""


@dataclass(frozen=True)
class Schedule:
    """One simulation.

    Units: every `at` is in seconds since its start.
    """

    seed: int
    world: dict[str, Any]
    config: dict[str, Any]
    events: tuple[dict[str, Any], ...] = ()
    runs: tuple[Run, ...] = field(default_factory=tuple)

    def to_json(self) -> str:
        """Return the schedule as a JSON document."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Schedule:
        """Return the schedule of a JSON document."""
        plain = json.loads(text)
        runs = tuple(Run(**{**run, "faults": tuple(run["faults"])}) for run in plain.pop("runs"))
        return cls(**{**plain, "events": tuple(plain["events"]), "runs": runs})

    @property
    def ends_at(self) -> float:
        """The moment of the last thing that is bound to happen."""
        ends = (float(event["at"] + event.get("seconds", 0)) for event in self.events)
        return max(self.runs[-1].at, 0.0, *ends)

    def undisturbed(self) -> Schedule:
        """Return the schedule with nothing in its way; members change as they do."""
        runs = tuple(Run(run.at) for run in self.runs)
        events = tuple(event for event in self.events if event["do"] not in DISTURBING)
        return replace(self, events=events, runs=runs)


def draw_schedule(seed: int) -> Schedule:
    """Return the schedule of a seed."""
    dice = Random(seed)
    runs = _draw_runs(dice)
    span = runs[-1].at + 2 * HOUR
    world = _draw_world(dice)
    config = _draw_config(dice, world["programs"])
    events = _draw_events(dice, runs, span, config)
    runs = _with_changes(Random(f"changes {seed}"), runs, world, config)
    config["poll_interval_seconds"] = _draw_interval(dice, world, runs, events)
    schedule = Schedule(seed, world, config, events, runs)
    schedule = with_choosing(schedule, Random(f"choosing {seed}"), Run)
    schedule = with_streams(schedule, Random(f"streams {seed}"))
    schedule = with_member_field(schedule, Random(f"member field {seed}"))
    schedule = with_rarer_choice(schedule, Random(f"programs {seed}"), START)
    return with_memory(schedule, Random(f"memory {seed}"), Run)


def _with_changes(
    dice: Random, runs: tuple[Run, ...], world: dict[str, Any], config: dict[str, Any]
) -> tuple[Run, ...]:
    """Return runs, some of which are about less than the others, or begin from another's bookmark.

    Shape: drawn from dice of their own, so that everything else of a seed stays what it was.
    """
    changed = []
    for run in runs:
        changed.append(run)
        later = stamp(START - timedelta(days=dice.choice((1, 3, 30))))
        if dice.random() < 0.15:
            changed[-1] = replace(run, config=draw_narrowing(dice, world, config, later))
        elif dice.random() < 0.15:
            short = draw_short_list(dice, world["programs"])
            changed[-1] = replace(run, faults=(*run.faults, short))
        if dice.random() < 0.1 and world["date_skew"] <= 0:
            # Where `Date` is ahead of the times of changes, nothing tells a run where it stands.
            changed[-1] = replace(changed[-1], ahead=dice.choice((1.0, 15.0, 60.0, 300.0, 590.0)))
    return tuple(changed)


def stamp(moment: datetime) -> str:
    """Return a moment as settings have it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _draw_world(dice: Random) -> dict[str, Any]:
    some_seconds = dice.choice(((0.5, 5), (5, 90), (5, 90), (5, 90), (20, 600), (60, 2500)))
    options: dict[str, Any] = {}

    def maybe(chance: float, **option: Any) -> None:
        if dice.random() < chance:
            options.update(option)

    maybe(0.12, updated_at_filter_supported=False)
    maybe(0.3, window_end_included=False)
    maybe(0.2, status_refresh_seconds=dice.choice((0, 30)))
    maybe(0.2, cancelled_spelling="Canceled")
    maybe(0.2, queued_at_in_created=True)
    maybe(0.2, unknown_program_code=dice.choice(("702", "610", "1004")))
    maybe(0.2, unknown_job_code=dice.choice(("610", "1004")))
    maybe(0.2, finished_cancel_code="1029")
    maybe(0.2, reset_timezone="fixed_cst")
    maybe(0.2, token_lifetime_seconds=dice.choice((90, 600)))
    maybe(0.1, header_names="ui_labels")
    described = dice.choice((None, *[sorted(dice.sample(OPTIONAL, 5))] * 7))
    if described is None or "webinarUrl" in described:
        maybe(0.5, refused_fields=["webinarUrl"])
    maybe(0.8, compress_json=False)
    maybe(0.2, refused_calls_count=False)
    maybe(0.1, file_retention_days=7, status_retention_days=7)
    if dice.random() < 0.3:
        # Both together would announce a record in an empty file, which the tap refuses to believe.
        options.update(dice.choice(({"empty_file": "nothing"}, {"number_of_records_offset": 1})))
    return {
        "described": described,
        "programs": dice.choice((2, 3, 4, 6, 9, 11, 13)),
        "programs_stream": dice.random() < 0.25,
        "members": dice.randrange(6, 51),
        "seed": dice.randrange(2),
        "begins_after": dice.choice((0, dice.randrange(86_400))),
        "latency": dice.choice((0.05, 0.2, 1.0)),
        "job_seconds": [round(dice.uniform(*some_seconds), 1) for _ in range(7)],
        "date_skew": dice.choice((0, 0, 0, 0, 0, 0, -600, 600, dice.randrange(-600, 600))),
        "options": options,
    }


def _draw_config(dice: Random, programs: int) -> dict[str, Any]:
    config: dict[str, Any] = {
        "max_queued_jobs": dice.choice((1, 2, 3, 5, 5, 5, 10)),
    }
    days = dice.choice((None, None, None, 4, 20, 45, 90, 200))
    if days is not None:
        config["start_date"] = stamp(START - timedelta(days=days, seconds=dice.randrange(86_400)))
        lengths = (1, 7, 31) if days <= 4 else (7, 31) if days <= 45 else (31,)
        config["window_days"] = dice.choice(lengths)
        if dice.random() < 0.25:
            config["backfill"] = "snapshot"
    for chance, name, values in (
        (0.5, "on_daily_quota", ("wait",)),
        (0.8, "job_timeout_seconds", (2 * HOUR,)),
        (0.2, "max_retry_seconds", (1, 60, 3600)),
        (0.2, "calls_per_20_seconds", (5, 20, 100)),
        (0.2, "request_timeout_seconds", (60,)),
    ):
        if dice.random() < chance:
            config[name] = dice.choice(values)
    if dice.random() < 0.15:
        ids = dice.sample(range(1001, 1001 + programs), dice.randrange(1, programs))
        config["program_ids"] = sorted(ids)
    return config


def _draw_interval(
    dice: Random, world: dict[str, Any], runs: tuple[Run, ...], events: Iterable[dict[str, Any]]
) -> int:
    """Return how often to poll: in most schedules no job is looked at a hundred times."""
    faults = [fault for run in runs for fault in run.faults]
    durations = (
        sum(world["job_seconds"]) / 2,
        *(fault.get("job_seconds", 0) for fault in faults),
        *(fault.get("for_seconds", 0) for fault in faults),
        *(2 * HOUR for fault in faults if fault.get("outcome") == "Stuck"),
        *(event.get("seconds", 0) for event in events),
    )
    longest = max(durations)  # of a tuple: there may be no fault and no event
    usual = (20, 60, 60, 180, 180)
    enough = [seconds for seconds in usual if longest <= seconds * POLLS_MAX]
    if dice.random() < 0.05:
        return dice.choice(usual)
    return dice.choice(enough) if enough else math.ceil(longest / POLLS_MAX)


def _draw_runs(dice: Random) -> tuple[Run, ...]:
    at, runs = 0.0, []
    for _ in range(dice.choice((1, 2, 2, 3, 3, 4))):
        runs.append(_draw_run(dice, at))
        gaps = (30.0, HOUR, DAY, DAY, dice.uniform(0, 3 * DAY), 8 * DAY)
        at += dice.choice(gaps)
    gone = {name for run in runs for fault in run.faults for name in _not_announced(fault)}
    if gone.issuperset(ANNOUNCED):
        runs = [replace(run, faults=tuple(_that_show(run.faults))) for run in runs]
    if gone.issuperset(ANNOUNCED[:2]):
        # Nothing would contradict a count of no records.
        runs = [replace(r, faults=tuple(f for f in r.faults if not _says_none(f))) for r in runs]
    return tuple(runs)


def _not_announced(fault: dict[str, Any]) -> set[str]:
    """Return what a fault lets Marketo not say of a file, or say in a form that nobody can read."""
    return {
        name.removeprefix("result.0.") for name in (*fault.get("drop", ()), *fault.get("put", ()))
    }


def _says_none(fault: dict[str, Any]) -> bool:
    """Return whether a fault makes Marketo count no records, in whatever form."""
    put = fault.get("put", {})
    return put in (NONE, ODD_NONE)


def _that_show(faults: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield faults less those that nobody can see in the file of a job that announces nothing.

    A file without a byte is asked for once more, and then believed.
    """
    was_empty = False
    for fault in faults:
        is_empty = fault.get("rewrites") == ["empty"]
        if is_empty and was_empty:
            continue
        was_empty = was_empty or is_empty
        if "cut_after_bytes" in fault:
            yield {name: value for name, value in fault.items() if name != "chunked"}
        elif fault.get("rewrites") != ["row_missing"]:
            yield fault


def _draw_run(dice: Random, at: float) -> Run:
    kill = None
    if dice.random() < 0.6:
        kill = {
            "how": dice.choice(("term", "term", "kill")),
            "place": dice.choice(("any", "any", "send", "reply", "sleep", "wait", "write")),
            "step": int(2 ** dice.uniform(0, 6.5)),
            "cut": dice.random(),
        }
    return Run(
        at=round(at, 1),
        faults=tuple(draw_faults(dice, dice.choice((0, 0, 1, 1, 2, 3, 5)))),
        kill=kill,
        state=dice.choice(("last", "last", "before")),
        kept=dice.choice((0.0, 1.0, round(dice.random(), 2))),
    )


def _draw_events(
    dice: Random, runs: tuple[Run, ...], span: float, config: dict[str, Any]
) -> tuple[dict[str, Any], ...]:
    events = []
    for _ in range(dice.choice((2, 5, 10, 20))):
        # Most things happen while a run is under way, or shortly before one.
        near = dice.choice(runs).at + dice.choice((-300, 5, 60, 600, 4000)) * dice.random()
        at = dice.choice((near, near, near, dice.uniform(0, span)))
        events.append({"at": round(max(0.1, at), 1), **_draw_event(dice)})
    if "program_ids" in config:
        events = [event for event in events if event["do"] != "remove_program"]
    return tuple(sorted(events, key=lambda event: event["at"]))


def _draw_event(dice: Random) -> dict[str, Any]:
    seed = dice.randrange(10**6)
    members = (
        {"do": "touch", "count": dice.randrange(1, 8), "seed": seed},
        {"do": "touch", "count": dice.randrange(1, 8), "seed": seed},
        {"do": "touch", "count": 100, "seed": seed},
        {"do": "touch_late", "count": dice.randrange(1, 8), "seed": seed, "behind": 45},
        {"do": "join", "count": dice.randrange(1, 5), "seed": seed},
        {"do": "rejoin", "seed": seed},
        {"do": "leave", "count": dice.randrange(1, 4), "seed": seed},
    )
    programs = (
        {"do": "add_program", "members": dice.randrange(6), "age_days": dice.choice((0, 2, 50))},
        {"do": "remove_program", "seed": seed},
    )
    others = (
        {"do": "queue", "places": dice.choice((5, 9, 10)), "seconds": dice.choice((600, 7200))},
        {"do": "export_bytes"},
        {"do": "calls"},
        {"do": "expire_tokens"},
        {"do": "revoke_tokens"},
    )
    return dice.choice(dice.choice((members, members, members, programs, others)))
