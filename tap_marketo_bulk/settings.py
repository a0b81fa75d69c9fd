"""Settings: what the tap can be told, and the values it works with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from marketo_bulk import ConfigurationError, Connection, DecodeError
from marketo_bulk.limits import (
    CALLS_PER_WINDOW_DEFAULT,
    CALLS_PER_WINDOW_MAX,
    CONCURRENT_CALLS_DEFAULT,
    CONCURRENT_CALLS_MAX,
    EXPORT_QUEUE_MAX_JOBS,
    EXPORT_WINDOW_MAX_DAYS,
    MAX_RETRY_DEFAULT_SECONDS,
    REQUEST_TIMEOUT_DEFAULT_SECONDS,
)
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

SECONDS = th.CustomType(
    {
        "type": ["number", "string", "null"],
        "exclusiveMinimum": 0,
        "pattern": r"^[0-9]*\.?[0-9]*[1-9][0-9]*\.?[0-9]*$",
    }
)
"""More than zero seconds. As text too, because environment variables reach a plugin so, and because
Meltano cannot pass on fractions (`kind: decimal`) at all."""

CONNECTION_SETTINGS = (
    th.Property(
        "munchkin_id",
        th.StringType,
        title="Munchkin ID",
        description="Munchkin ID of the Marketo instance, such as `123-ABC-456`. "
        "Needed unless `base_url` is set.",
    ),
    th.Property(
        "base_url",
        th.StringType,
        title="Base URL",
        description="REST endpoint of the instance, with or without `/rest`. "
        "Default: `https://<munchkin_id>.mktorest.com`.",
    ),
    th.Property(
        "identity_url",
        th.StringType,
        title="Identity URL",
        description="Identity endpoint of the instance. Default: `<base_url>/identity`.",
    ),
    th.Property(
        "client_id",
        th.StringType,
        required=True,
        title="Client ID",
        description="Client ID of the custom service in Marketo's LaunchPoint.",
    ),
    th.Property(
        "client_secret",
        th.StringType,
        required=True,
        secret=True,
        title="Client secret",
        description="Client secret of the custom service.",
    ),
    th.Property(
        "calls_per_20_seconds",
        th.IntegerType(minimum=1, maximum=CALLS_PER_WINDOW_MAX),
        default=CALLS_PER_WINDOW_DEFAULT,
        title="Calls per 20 seconds",
        description="Most API calls in any 20 seconds. Marketo allows 100 to all integrations "
        "together and recommends half of that for one.",
    ),
    th.Property(
        "max_concurrent_calls",
        th.IntegerType(minimum=1, maximum=CONCURRENT_CALLS_MAX),
        default=CONCURRENT_CALLS_DEFAULT,
        title="Concurrent calls",
        description="Most API calls at once. Marketo allows 10 to all integrations together and "
        "recommends half of that for one.",
    ),
    th.Property(
        "request_timeout_seconds",
        SECONDS,
        default=REQUEST_TIMEOUT_DEFAULT_SECONDS,
        title="Request timeout",
        description="Seconds without a byte from Marketo after which a call is given up and tried "
        "again.",
    ),
    th.Property(
        "max_retry_seconds",
        SECONDS,
        default=MAX_RETRY_DEFAULT_SECONDS,
        title="Longest retry",
        description="Seconds a transient fault (network, time-outs, rate limits) may last before "
        "the run fails.",
    ),
)
"""The settings that tap and target share; a test compares the two declarations."""

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
        SECONDS,
        default=POLL_INTERVAL_SECONDS,
        title="Poll interval",
        description="Seconds between two looks at the status of a job. Marketo updates it once a "
        "minute at most.",
    ),
    th.Property(
        "job_timeout_seconds",
        SECONDS,
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
        description="Where export files are kept until their records are written. Default: a "
        "private temporary directory.",
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
            download_dir=Path(directory) if directory else None,
        )


def connection_from(config: Mapping[str, Any]) -> Connection:
    """Return how to reach Marketo.

    Raises: ConfigurationError if neither `munchkin_id` nor `base_url` says where it is.
    """
    base_url = config.get("base_url")
    if not base_url:
        munchkin_id = config.get("munchkin_id")
        if not munchkin_id:
            raise ConfigurationError("set munchkin_id, or base_url: neither says where Marketo is")
        base_url = f"https://{munchkin_id}.mktorest.com"
    return Connection(
        base_url=base_url,
        identity_url=config.get("identity_url"),
        client_id=config["client_id"],
        client_secret=config["client_secret"],
        calls_per_20_seconds=config.get("calls_per_20_seconds", CALLS_PER_WINDOW_DEFAULT),
        max_concurrent_calls=config.get("max_concurrent_calls", CONCURRENT_CALLS_DEFAULT),
        request_timeout_seconds=float(
            config.get("request_timeout_seconds", REQUEST_TIMEOUT_DEFAULT_SECONDS)
        ),
        max_retry_seconds=float(config.get("max_retry_seconds", MAX_RETRY_DEFAULT_SECONDS)),
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
