"""Jobs in flight: the export jobs an earlier run left in Marketo, as the state keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketo_bulk.errors import ConfigurationError
from tap_marketo_bulk.sync.cohorts import kind_of, moment_in, parse_ids, text_in, value_in
from tap_marketo_bulk.sync.names import EVERYTHING
from tap_marketo_bulk.sync.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_marketo_bulk.sync.names import StreamNames


@dataclass(frozen=True, slots=True)
class JobInFlight:
    """An export job whose records are not all written yet."""

    export_id: str
    scope: tuple[int, ...]
    fields: str
    """Digest of what the job asks for besides scope and window."""
    window: Window | None = None
    without: tuple[str, ...] = ()
    """Selected fields it does not ask for, because export had refused them."""
    date_filter: str = ""
    """By which filter it asks for its window, where that is not the usual one."""

    def to_state(self, names: StreamNames) -> dict[str, Any]:
        """Return the entry of `export_jobs`."""
        entry: dict[str, Any] = {"exportId": self.export_id}
        if names.has_scopes:
            entry[names.scopes_key] = list(self.scope)
        entry["fields"] = self.fields
        if self.window is not None:
            entry |= self.window.to_filter()
        if self.date_filter:
            entry["filter"] = self.date_filter
        return {**entry, "without": list(self.without)} if self.without else entry


def read_jobs(state: Mapping[str, Any], names: StreamNames) -> list[JobInFlight]:
    """Return the jobs an earlier run left in flight, oldest window first, each once.

    Raises: ConfigurationError if an entry does not parse, or two say different things of a job.
    """
    try:
        jobs = _read_jobs(state.get("export_jobs", []), names)
    except ValueError as error:
        raise ConfigurationError(
            f"export_jobs in the state of {names.stream} is not readable: {error}. "
            "Remove it; the jobs are then created again."
        ) from error
    return in_order(jobs)


def in_order(jobs: Iterable[JobInFlight]) -> list[JobInFlight]:
    """Return jobs in the order in which they are taken over: oldest window first."""
    return sorted(jobs, key=lambda job: (job.window is not None, job.window, job.scope))


def _read_jobs(entries: object, names: StreamNames) -> list[JobInFlight]:
    if not isinstance(entries, list):
        raise ValueError(f"it is no list but {kind_of(entries)}")  # noqa: TRY004
    jobs: dict[str, JobInFlight] = {}
    for number, entry in enumerate(entries, 1):
        try:
            job = _read_job(entry, names)
        except ValueError as error:
            raise ValueError(f"entry {number}: {error}") from error
        twin = jobs.setdefault(job.export_id, job)
        if _work(twin) != _work(job):
            raise ValueError(f"entry {number}: another entry says something else of its exportId")
    return list(jobs.values())


def _work(job: JobInFlight) -> tuple[object, ...]:
    return set(job.scope), job.fields, job.window, set(job.without), job.date_filter


def _read_job(entry: object, names: StreamNames) -> JobInFlight:
    export_id, fields = text_in(entry, "exportId"), text_in(entry, "fields")
    scope: tuple[int, ...] = (EVERYTHING,)
    if names.has_scopes:
        scope = _scope(value_in(entry, names.scopes_key), names)
    assert isinstance(entry, dict)  # noqa: S101  # or it had no text
    without = entry.get("without", [])
    if not isinstance(without, list) or not all(isinstance(name, str) for name in without):
        raise ValueError("without is no list of names")
    date_filter = "" if entry.get("filter") is None else text_in(entry, "filter")
    if date_filter not in {"", names.whole_by}:
        raise ValueError(f"filter is not {names.whole_by or 'possible'}")
    return JobInFlight(export_id, scope, fields, _window(entry), tuple(without), date_filter)


def _window(entry: Mapping[str, Any]) -> Window | None:
    """Return the window of a job; one that lacks an end is none over everything."""
    if not {"startAt", "endAt"} & entry.keys():
        return None
    window = Window(moment_in(entry, "startAt"), moment_in(entry, "endAt"))
    if window.end < window.start:
        raise ValueError("endAt lies before startAt")
    return window


def _scope(wanted: object, names: StreamNames) -> tuple[int, ...]:
    """Return the scope of a job, given as ids or as ranges, without unfolding long ranges."""
    if isinstance(wanted, str):
        runs = parse_ids(wanted, names.scope)
    elif isinstance(wanted, list):
        runs = tuple((_id(i, names), _id(i, names)) for i in wanted)
    else:
        raise ValueError(f"{names.scopes_key} is no list but {kind_of(wanted)}")  # noqa: TRY004
    runs = tuple(dict.fromkeys(runs))
    count = sum(last - first + 1 for first, last in runs)
    if not 1 <= count <= names.scopes_per_job:
        raise ValueError(
            f"{names.scopes_key} names {count} {names.scope}s, and a job has 1 to "
            f"{names.scopes_per_job}"
        )
    return tuple(dict.fromkeys(i for first, last in runs for i in range(first, last + 1)))


def _id(value: object, names: StreamNames) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(  # noqa: TRY004
            f"{names.scopes_key} has {kind_of(value)} that is no whole number"
        )
    return value
