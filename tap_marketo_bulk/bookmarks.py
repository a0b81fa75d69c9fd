"""Bookmarks: up to where each program's records have been written, read from and put into state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketo_bulk.errors import ConfigurationError, DecodeError
from marketo_bulk.timestamps import parse_timestamp

from tap_marketo_bulk.cohorts import parse_ids, read_cohorts, write_cohorts
from tap_marketo_bulk.windows import Window, floor_second, format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

REPLICATION_KEY = "updatedAt"


@dataclass(frozen=True, slots=True)
class JobInFlight:
    """An export job whose records are not all written yet, as the state keeps it."""

    export_id: str
    program_ids: tuple[int, ...]
    fields: str
    """Digest of what the job asks for besides programs and window."""
    window: Window | None = None

    def to_state(self) -> dict[str, Any]:
        """Return the entry of `export_jobs`."""
        entry: dict[str, Any] = {
            "exportId": self.export_id,
            "programIds": list(self.program_ids),
            "fields": self.fields,
        }
        return entry if self.window is None else {**entry, **self.window.to_filter()}


def read_bookmarks(state: Mapping[str, Any], program_ids: Iterable[int]) -> dict[int, datetime]:
    """Return the bookmark of each program that has one.

    Shape: a state with `replication_key_value` alone is a plain bookmark and holds for every
        program; a program that `program_bookmarks` does not name is new and has none.
    Raises: ConfigurationError if the state does not parse.
    """
    try:
        if "program_bookmarks" in state:
            cohorts = read_cohorts(state["program_bookmarks"])
            found = {p: [c.bookmark for c in cohorts if p in c] for p in program_ids}
            return {p: min(marks) for p, marks in found.items() if marks}
        plain = state.get("replication_key_value")
        if plain is None:
            return {}
        return dict.fromkeys(program_ids, floor_second(parse_timestamp(plain)))
    except (DecodeError, ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"the state of program_members is not readable: {error}. "
            "Correct it, or start again without state."
        ) from error


def read_jobs(state: Mapping[str, Any]) -> list[JobInFlight]:
    """Return the jobs an earlier run left in flight, oldest window first."""
    try:
        jobs = [_read_job(entry) for entry in state.get("export_jobs", ())]
    except (DecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"export_jobs in the state of program_members is not readable: {error!r}. "
            "Remove it; the jobs are then created again."
        ) from error
    return sorted(jobs, key=lambda job: (job.window is not None, job.window, job.program_ids))


def write_state(
    state: Mapping[str, Any], bookmarks: Mapping[int, datetime], jobs: Iterable[JobInFlight]
) -> dict[str, Any]:
    """Return the new state of the stream.

    Shape: `program_bookmarks` and `export_jobs` are lists, because Meltano merges the state of a
        run that failed into the stored one key by key, and dead keys of a mapping would live on.
    """
    new: dict[str, Any] = {"replication_key": REPLICATION_KEY}
    if bookmarks:
        new["replication_key_value"] = format_timestamp(min(bookmarks.values()))
    elif "replication_key_value" in state and "program_bookmarks" not in state:
        return {**state, "export_jobs": [job.to_state() for job in jobs]}
    new["program_bookmarks"] = write_cohorts(bookmarks)
    new["export_jobs"] = [job.to_state() for job in jobs]
    return new


def _read_job(entry: Mapping[str, Any]) -> JobInFlight:
    window = None
    if entry.get("startAt") and entry.get("endAt"):
        window = Window(parse_timestamp(entry["startAt"]), parse_timestamp(entry["endAt"]))
    wanted = entry["programIds"]
    if isinstance(wanted, str):
        program_ids = tuple(p for a, b in parse_ids(wanted) for p in range(a, b + 1))
    else:
        program_ids = tuple(int(p) for p in wanted)
    return JobInFlight(str(entry["exportId"]), program_ids, str(entry["fields"]), window)
