"""Settings: what the tap can be told, and the values it works with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from marketo_bulk import ConfigurationError, DecodeError
from marketo_bulk.connection_settings import SECONDS
from marketo_bulk.limits import EXPORT_QUEUE_MAX_JOBS, EXPORT_WINDOW_MAX_DAYS
from marketo_bulk.timestamps import parse_timestamp
from singer_sdk import typing as th

from tap_marketo_bulk.member_exports import CADENCE_SPELLINGS, MemberFilters
from tap_marketo_bulk.windows import floor_second

if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOW_DAYS = EXPORT_WINDOW_MAX_DAYS
POLL_INTERVAL_SECONDS = 60
JOB_TIMEOUT_SECONDS = 21_600
MAX_QUEUED_JOBS = 5

_OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$", re.IGNORECASE)

SECONDS_TYPE = th.CustomType(dict(SECONDS))

TAP_SETTINGS = (
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Members updated before this moment are left out. Default: everything, "
        "extracted with one job per 10 programs instead of one per window.",
    ),
    th.Property(
        "program_ids",
        th.ArrayType(th.IntegerType),
        title="Program IDs",
        description="Programs to extract. Default: every program the API user can see.",
    ),
    th.Property(
        "status_names",
        th.ArrayType(th.StringType),
        title="Status names",
        description="Only members with one of these program statuses.",
    ),
    th.Property(
        "is_exhausted",
        th.BooleanType,
        title="Exhausted",
        description="Only members who have (`true`) or have not (`false`) exhausted the content of "
        "an engagement program.",
    ),
    th.Property(
        "nurture_cadence",
        th.StringType,
        allowed_values=list(CADENCE_SPELLINGS),
        title="Nurture cadence",
        description="Only members with this cadence in an engagement program.",
    ),
    th.Property(
        "window_days",
        th.IntegerType(minimum=1, maximum=EXPORT_WINDOW_MAX_DAYS),
        default=WINDOW_DAYS,
        title="Window days",
        description="Longest stretch of `updatedAt` one export job asks for, in days. Marketo "
        "allows 31.",
    ),
    th.Property(
        "backfill",
        th.StringType,
        allowed_values=["windows", "snapshot"],
        default="windows",
        title="Backfill",
        description="How a program seen for the first time is extracted: `windows` from "
        "`start_date` on, or `snapshot`, one job per 10 programs whatever their age.",
    ),
    th.Property(
        "poll_interval_seconds",
        SECONDS_TYPE,
        default=POLL_INTERVAL_SECONDS,
        title="Poll interval",
        description="Seconds between two looks at the status of a job. Marketo updates it once a "
        "minute at most.",
    ),
    th.Property(
        "job_timeout_seconds",
        SECONDS_TYPE,
        default=JOB_TIMEOUT_SECONDS,
        title="Job timeout",
        description="Seconds after which a job that has not finished is cancelled and the run "
        "fails.",
    ),
    th.Property(
        "max_queued_jobs",
        th.IntegerType(minimum=1, maximum=EXPORT_QUEUE_MAX_JOBS),
        default=MAX_QUEUED_JOBS,
        title="Queued jobs",
        description="Most of the 10 places in Marketo's export queue to take; the queue is shared "
        "with all other integrations.",
    ),
    th.Property(
        "on_daily_quota",
        th.StringType,
        allowed_values=["stop", "wait"],
        default="stop",
        title="On daily quota",
        description="When Marketo's daily quota is used up: `stop` keeps what is done and fails, "
        "`wait` sleeps until the quota is reset.",
    ),
    th.Property(
        "on_bad_value",
        th.StringType,
        allowed_values=["fail", "null"],
        default="fail",
        title="On bad value",
        description="When a value does not fit its type: `fail` stops the run and names it, `null` "
        "replaces it and logs how often.",
    ),
    th.Property(
        "download_dir",
        th.StringType,
        title="Download directory",
        description="Where export files are kept, without a name, until their records are "
        "written. Default: the system's temporary directory.",
    ),
)


@dataclass(frozen=True, slots=True)
class TapSettings:
    """The tap's own settings, with defaults filled in and checked against each other."""

    start_date: datetime | None
    program_ids: tuple[int, ...]
    filters: MemberFilters
    window_length: timedelta
    snapshot: bool
    poll_interval_seconds: float
    job_timeout_seconds: float
    max_queued_jobs: int
    wait_for_daily_quota: bool
    on_bad_value: Literal["fail", "null"]
    download_dir: Path | None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> TapSettings:
        """Return the settings of a validated config.

        Raises: ConfigurationError if `start_date` is not a moment.
        """
        directory = config.get("download_dir")
        return cls(
            start_date=_moment(config.get("start_date")),
            program_ids=tuple(dict.fromkeys(config.get("program_ids") or ())),
            filters=MemberFilters(
                status_names=tuple(config.get("status_names") or ()),
                is_exhausted=config.get("is_exhausted"),
                nurture_cadence=config.get("nurture_cadence"),
            ),
            window_length=timedelta(days=config.get("window_days", WINDOW_DAYS)),
            snapshot=config.get("backfill") == "snapshot",
            poll_interval_seconds=float(config.get("poll_interval_seconds", POLL_INTERVAL_SECONDS)),
            job_timeout_seconds=float(config.get("job_timeout_seconds", JOB_TIMEOUT_SECONDS)),
            max_queued_jobs=config.get("max_queued_jobs", MAX_QUEUED_JOBS),
            wait_for_daily_quota=config.get("on_daily_quota") == "wait",
            on_bad_value="null" if config.get("on_bad_value", "fail") in {"null", None} else "fail",
            download_dir=_existing(directory) if directory else None,
        )


def _moment(text: str | None) -> datetime | None:
    """Return a date, or a date and time, as a moment; without an offset it is UTC."""
    if not text:
        return None
    full = text if "T" in text or " " in text else f"{text}T00:00:00"
    has_offset = _OFFSET.search(full) is not None
    try:
        return floor_second(parse_timestamp(full if has_offset else f"{full}Z"))
    except DecodeError as error:
        raise ConfigurationError(
            f"start_date {text!r} is not a date such as 2026-01-31 or 2026-01-31T00:00:00Z"
        ) from error


def _existing(directory: str) -> Path:
    path = Path(directory)
    if not path.is_dir():
        raise ConfigurationError(f"download_dir {directory!r} is not a directory: create it")
    return path
