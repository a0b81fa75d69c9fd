"""Settings: what the tap can be told, and the values it works with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from singer_sdk import typing as th

from marketo_bulk import ConfigurationError, DecodeError
from marketo_bulk.limits import EXPORT_QUEUE_MAX_JOBS, EXPORT_WINDOW_MAX_DAYS, ID_MAX
from marketo_bulk.timestamps import floor_second, parse_timestamp
from singer_marketo.locations import UnusableLocationError, cannot_be_used, own_path
from singer_marketo.settings import SECONDS
from tap_marketo_bulk.output.batch_config import COMPRESSIONS
from tap_marketo_bulk.program_settings import (
    PROGRAM_CHOICE,
    PROGRAM_CHOICE_NAMES,
    SINCE,
    ProgramWishes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MEGABYTE = 1_000_000
BUDGET_MAX = 10**9
"""Far above what any subscription allows on a day."""
WINDOW_DAYS = EXPORT_WINDOW_MAX_DAYS
POLL_INTERVAL_SECONDS = 60
JOB_TIMEOUT_SECONDS = 21_600
MAX_QUEUED_JOBS = 5
FULL_CHECK_DAYS = 7
FULL_CHECK_DAYS_MAX = 30
"""A look at activities by an export job spans 31 days at most, its overlap included."""
ACTIVITY_OVERLAP_MINUTES = 10
MINUTES_MAX = EXPORT_WINDOW_MAX_DAYS * 24 * 60

_OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$", re.IGNORECASE)

SECONDS_TYPE = th.CustomType(dict(SECONDS))

FILTER_SETTINGS = (
    "program_ids",
    *PROGRAM_CHOICE_NAMES,
    "status_names",
    "is_exhausted",
    "nurture_cadence",
    "lead_static_list_ids",
    "lead_smart_list_ids",
)
"""What decides which records are asked for: pipelines differ by it, and no replay follows it."""

TAP_SETTINGS = (
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Records that changed before this moment are left out. Default: everything; "
        "program members then need one job per 10 programs instead of one per window.",
    ),
    th.Property(
        "program_ids",
        th.ArrayType(th.IntegerType(minimum=1, maximum=ID_MAX)),
        title="Program IDs",
        description="Programs to extract. Default: every program the API user can see.",
    ),
    *PROGRAM_CHOICE,
    th.Property(
        "programs_detail",
        th.BooleanType,
        default=False,
        title="Programs detail",
        description="Whether `programs` also has `tags`, `costs`, `startDate` and `endDate`. It "
        "costs one call for each program.",
    ),
    th.Property(
        "status_names",
        th.ArrayType(th.StringType(min_length=1)),
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
        allowed_values=["normal", "paused"],
        title="Nurture cadence",
        description="Only members with this cadence in an engagement program.",
    ),
    th.Property(
        "changed_programs",
        th.StringType,
        allowed_values=["all", "activities"],
        default="all",
        title="Changed programs",
        description="Which programs an incremental run reads: `all`, or those that Marketo's "
        "`activities` name, beside new, altered and due ones.",
    ),
    th.Property(
        "full_check_days",
        th.IntegerType(minimum=1, maximum=FULL_CHECK_DAYS_MAX),
        default=FULL_CHECK_DAYS,
        title="Full check",
        description="With `changed_programs: activities`, days within which every program is read, "
        "named or not. The reads are spread over the runs.",
    ),
    th.Property(
        "track_removed_members",
        th.BooleanType,
        default=False,
        title="Track removed members",
        description="Offer the stream `removed_program_members`: who is a member of a program no "
        "more, as activities say and an export of ids confirms.",
    ),
    th.Property(
        "lead_fields",
        th.ArrayType(th.StringType),
        title="Lead fields",
        description="Lead fields the catalog offers beside the member fields, as shell patterns "
        "such as `email` or `utm*`; `[]` for none. Default: all of them, none selected.",
    ),
    th.Property(
        "lead_static_list_ids",
        th.ArrayType(th.IntegerType(minimum=1, maximum=ID_MAX)),
        title="Static lists of leads",
        description="Of `leads`, only those on these static lists: one export job a list, all of "
        "it in every run.",
    ),
    th.Property(
        "lead_smart_list_ids",
        th.ArrayType(th.IntegerType(minimum=1, maximum=ID_MAX)),
        title="Smart lists of leads",
        description="The same for smart lists. Marketo refuses those without a filter, and all on "
        "some subscriptions.",
    ),
    th.Property(
        "activity_types",
        th.ArrayType(th.CustomType({"type": ["integer", "string"]})),
        title="Activity types",
        description="Types of `activities`, by id or name. Default: all but the most frequent "
        "ones, which docs/streams.md lists.",
    ),
    th.Property(
        "activity_streams",
        th.StringType,
        allowed_values=["one", "per_type"],
        default="one",
        title="Activity streams",
        description="`one`: the stream `activities`, attributes as an object. `per_type`: a stream "
        "for each type, attributes as columns. One export brings all of them in either case.",
    ),
    th.Property(
        "activity_overlap_minutes",
        th.IntegerType(minimum=0, maximum=MINUTES_MAX),
        default=ACTIVITY_OVERLAP_MINUTES,
        title="Activity overlap",
        description="How much before the bookmark activities are read again, in minutes, for those "
        "that Marketo notes late. They come again under the same key.",
    ),
    th.Property(
        "custom_objects",
        th.ArrayType(th.StringType(min_length=1)),
        title="Custom objects",
        description="API names of the custom objects to offer as streams. Default: all that can be "
        "exported; none is selected.",
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
        "backfill_new_fields",
        th.BooleanType,
        default=False,
        title="Backfill new fields",
        description="When fields are selected that the last run did not ask for, read all records "
        "once more, so that these fields have a value in all of them: members by one job per 10 "
        "programs, other streams by windows from `start_date` on. Otherwise a line names the "
        "fields and the command that does it.",
    ),
    th.Property(
        "poll_interval_seconds",
        SECONDS_TYPE,
        default=POLL_INTERVAL_SECONDS,
        title="Poll interval",
        description="Seconds between two status calls for a job. Marketo updates it once a "
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
        "on_bad_value",
        th.StringType,
        allowed_values=["fail", "null"],
        default="fail",
        title="On bad value",
        description="When a value does not fit its type: `fail` stops the run and names it, `null` "
        "replaces it and logs how often.",
    ),
    th.Property(
        "on_stream_error",
        th.StringType,
        allowed_values=["stop", "continue"],
        default="continue",
        title="On stream error",
        description="When a stream fails, for example because the API user lacks a permission: "
        "`continue` goes on with the other streams and ends the run with exit code 1, `stop` ends "
        "it at once.",
    ),
    th.Property(
        "daily_bytes_budget_mb",
        th.IntegerType(minimum=1, maximum=BUDGET_MAX),
        title="Daily bytes budget",
        description="Most megabytes of export files that this API user takes of Marketo's day (500 "
        "MB for all). Once its finished files have reached it, the run ends as for a used-up "
        "quota. Default: no limit but Marketo's.",
    ),
    th.Property(
        "daily_calls_budget",
        th.IntegerType(minimum=1, maximum=BUDGET_MAX),
        title="Daily calls budget",
        description="Most calls that this API user makes on a day of Marketo's, as Marketo's "
        "statistic and this run count them. Before one more, the run ends as for a used-up quota. "
        "Default: no limit but Marketo's.",
    ),
    th.Property(
        "download_dir",
        th.StringType,
        title="Download directory",
        description="Where export files are kept, without a name, until their records are "
        "written. With `per_type` and `batch_config`, activities wait there, too, for the files of "
        "their types. Default: the system's temporary directory.",
    ),
    th.Property(
        "job_journal",
        th.StringType,
        title="Job journal",
        description="Folder, or address such as `s3://bucket/folder`, where export jobs under way "
        "are noted for the next run, beside the outcome of the last one. Default: one for each "
        "pipeline in the user's state directory.",
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=True,
        title="Emit ACTIVATE_VERSION",
        description="After a complete `FULL_TABLE` run, tell the target to remove what the run did "
        "not bring. Incremental runs never do.",
    ),
    th.Property(
        "archive_url",
        th.StringType,
        title="Archive",
        description="A directory or bucket in which every export file is kept, packed by gzip, as "
        "Marketo sent it. A file is there before its records are written.",
    ),
    th.Property(
        "replay_url",
        th.StringType,
        title="Replay",
        description="An archive to read records from in place of Marketo: no call is made, no "
        "credentials are needed, and STATE stays as it is. `start_date` leaves older rows out.",
    ),
    th.Property(
        "replay_end_date",
        th.DateTimeType,
        title="End of the replay",
        description="With `replay_url`, records updated at this moment or later are left out. "
        "Default: none are.",
    ),
    th.Property(
        "batch_config",
        th.ObjectType(
            th.Property(
                "encoding",
                th.ObjectType(
                    th.Property("format", th.StringType, allowed_values=list(COMPRESSIONS)),
                    th.Property(
                        "compression", th.StringType, allowed_values=["gzip", "zstd", "none"]
                    ),
                ),
            ),
            th.Property(
                "storage",
                th.ObjectType(
                    th.Property("root", th.StringType),
                    th.Property("prefix", th.StringType),
                    th.Property("params", th.ObjectType(additional_properties=True)),
                ),
            ),
            th.Property("batch_size", th.IntegerType(minimum=1)),
            th.Property("batch_size_bytes", th.IntegerType(minimum=1)),
        ),
        title="Batch configuration",
        description="Write records into files, and BATCH messages that name them, in place of "
        "RECORD messages: `encoding.format` is `jsonl` or `parquet`, `storage.root` a directory or "
        "a bucket. One file per export job, or several with `batch_size` or `batch_size_bytes`.",
    ),
)


@dataclass(frozen=True, slots=True)
class TapSettings:
    """The tap's own settings, with defaults filled in and checked against each other."""

    start_date: datetime | None
    replay_end_date: datetime | None
    program_ids: tuple[int, ...]
    program_wishes: ProgramWishes
    programs_detail: bool
    status_names: tuple[str, ...]
    is_exhausted: bool | None
    nurture_cadence: str | None
    reads_changed_only: bool
    """Whether a run reads only the programs that have changed or are due."""
    full_check: timedelta
    tracks_removed_members: bool
    lead_fields: tuple[str, ...] | None
    """Shell patterns; None for all."""
    lead_static_list_ids: tuple[int, ...]
    lead_smart_list_ids: tuple[int, ...]
    custom_objects: tuple[str, ...]
    activity_types: tuple[int | str, ...]
    activity_overlap: timedelta
    splits_activities: bool
    window_length: timedelta
    snapshot: bool
    backfill_new_fields: bool
    poll_interval_seconds: float
    job_timeout_seconds: float
    max_queued_jobs: int
    on_bad_value: Literal["fail", "null"]
    stops_at_first_failure: bool
    daily_bytes_budget: int | None
    daily_calls_budget: int | None
    download_dir: Path | None
    flattened_levels: int

    @property
    def program_terms(self) -> str:
        """Return the settings that choose programs as one text; empty where none does."""
        ids = f"program_ids={', '.join(map(str, sorted(self.program_ids)))}"
        terms = [ids if self.program_ids else "", self.program_wishes.terms()]
        return "; ".join(filter(None, terms))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> TapSettings:
        """Return the settings of a validated config.

        Raises: ConfigurationError if a date is not a moment.
        """
        directory = config.get("download_dir")
        return cls(
            start_date=_moment(config, "start_date"),
            replay_end_date=_moment(config, "replay_end_date"),
            program_ids=tuple(dict.fromkeys(config.get("program_ids") or ())),
            program_wishes=ProgramWishes.from_config(config, _moment(config, SINCE)),
            programs_detail=bool(config.get("programs_detail")),
            status_names=tuple(config.get("status_names") or ()),
            is_exhausted=config.get("is_exhausted"),
            nurture_cadence=config.get("nurture_cadence"),
            reads_changed_only=config.get("changed_programs") == "activities",
            tracks_removed_members=config.get("track_removed_members") is True,
            full_check=timedelta(days=config.get("full_check_days") or FULL_CHECK_DAYS),
            lead_fields=None if (names := config.get("lead_fields")) is None else tuple(names),
            lead_static_list_ids=tuple(dict.fromkeys(config.get("lead_static_list_ids") or ())),
            lead_smart_list_ids=tuple(dict.fromkeys(config.get("lead_smart_list_ids") or ())),
            custom_objects=tuple(dict.fromkeys(config.get("custom_objects") or ())),
            activity_types=tuple(dict.fromkeys(config.get("activity_types") or ())),
            splits_activities=config.get("activity_streams") == "per_type",
            activity_overlap=timedelta(
                minutes=config.get("activity_overlap_minutes", ACTIVITY_OVERLAP_MINUTES)
            ),
            window_length=timedelta(days=config.get("window_days", WINDOW_DAYS)),
            snapshot=config.get("backfill") == "snapshot",
            backfill_new_fields=bool(config.get("backfill_new_fields")),
            poll_interval_seconds=float(config.get("poll_interval_seconds", POLL_INTERVAL_SECONDS)),
            job_timeout_seconds=float(config.get("job_timeout_seconds", JOB_TIMEOUT_SECONDS)),
            max_queued_jobs=config.get("max_queued_jobs", MAX_QUEUED_JOBS),
            on_bad_value="null" if config.get("on_bad_value", "fail") in {"null", None} else "fail",
            stops_at_first_failure=config.get("on_stream_error") == "stop",
            daily_bytes_budget=None
            if (mb := config.get("daily_bytes_budget_mb")) is None
            else mb * MEGABYTE,
            daily_calls_budget=config.get("daily_calls_budget"),
            download_dir=_existing(directory) if directory else None,
            flattened_levels=(
                config.get("flattening_max_depth") or 0 if config.get("flattening_enabled") else 0
            ),
        )


def _moment(config: Mapping[str, Any], name: str) -> datetime | None:
    """Return a date, or a date and time, as a moment; without an offset it is UTC."""
    text = config.get(name)
    if not text:
        return None
    full = text if "T" in text or " " in text else f"{text}T00:00:00"
    has_offset = _OFFSET.search(full) is not None
    try:
        return floor_second(parse_timestamp(full if has_offset else f"{full}Z"))
    except DecodeError as error:
        raise ConfigurationError(
            f"{name} {text!r} is not a date such as 2026-01-31 or 2026-01-31T00:00:00Z"
        ) from error


def _existing(directory: str) -> Path:
    try:
        path = own_path(directory)
    except UnusableLocationError as error:
        raise ConfigurationError(cannot_be_used("download_dir", directory, str(error))) from error
    if not path.is_dir():
        raise ConfigurationError(f"download_dir {directory!r} is not a directory: create it")
    return path
