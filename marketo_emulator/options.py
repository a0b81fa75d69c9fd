"""The options: one named choice for every behaviour Marketo does not document, with its default.

The facts are in docs/marketo.md: "C14.n" is row n of its contradictions, "C20.n" entry n of its
guesses, "C§n" one of its chapters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

MEGABYTE = 1_000_000
MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How this Marketo behaves; every field can be changed on its own."""

    # -- identity -------------------------------------------------------------------------------
    token_lifetime_seconds: float = 3600
    """C§2: a token lives an hour; asking again gives the same one with what is left of it."""
    token_in_query_allowed: bool = False
    """C14.20: `access_token` in query or form is on its way out; header only unless allowed."""
    missing_token_code: str = "601"  # noqa: S105 - a code, not a token
    """C§1.4: no source says what a call without any token gets; 600 is known from old clients."""
    other_clients: tuple[tuple[str, str], ...] = ()
    """More (client id, secret) pairs: other API users, who see none of each other's jobs."""

    # -- limits ---------------------------------------------------------------------------------
    max_calls_per_window: int = 100
    """C§15: calls of all clients together in a sliding window (C20.16), then 606."""
    call_window_seconds: float = 20
    """C§15: length of that window."""
    max_concurrent_calls: int = 10
    """C§15: calls in flight at once, then 615."""
    daily_calls: int = 50_000
    """C14.21: calls a day, then 607."""
    refused_calls_count: bool = True
    """C14.32, C20.17: whether a call refused with 606, 607 or 615 counts as a call itself."""
    reset_timezone: str = "America/Chicago"
    """C14.22: where the day of every daily quota ends; `fixed_cst` is UTC-6 all year."""
    max_uri_bytes: int = 8192
    """C§1.3: a longer request target gets HTTP 414."""
    max_body_bytes: int = MEBIBYTE
    """C§1.3: a longer body of a call that is not a bulk import gets HTTP 413."""
    max_import_body_bytes: int = 10 * MEBIBYTE
    """C14.23, C20.13: a multipart body of this size or more gets HTTP 413."""
    compress_json: bool = True
    """C§1.3: JSON of 1024 bytes or more is gzip'd when asked for; bulk replies never are."""

    # -- export jobs ----------------------------------------------------------------------------
    status_refresh_seconds: float | None = None
    """C§5.3: a status is brought up to date once a minute. None: 60, or less for shorter jobs."""
    max_queued_exports: int = 10
    """C§5.7: jobs queued and processing together, over all kinds of export."""
    max_running_exports: int = 2
    """C§5.7: jobs processing at once."""
    daily_export_bytes: int = 500 * MEGABYTE
    """C20.13: size of the files finished in one day, after which create and enqueue get 1029."""
    file_retention_days: float = 7
    """C14.4: how long a finished file can be fetched (seven days, or ten)."""
    status_retention_days: float = 30
    """C14.4: how long a job's status can be asked for after it ended."""
    list_retention_days: float = 7
    """C14.4: how long after its creation a job is listed."""
    cancelled_spelling: str = "Cancelled"
    """C14.2: recordings have two l, the prose has one."""
    queued_at_in_created: bool = False
    """C14.11: whether a job that was only created already shows `queuedAt`."""
    unknown_job_code: str = "1013"
    """C20.2: code for the status of an id that is unknown or another user's."""
    finished_cancel_code: str = "1003"
    """C20.3: code for cancelling a job that has already ended."""

    # -- export requests ------------------------------------------------------------------------
    max_window_days: float = 31
    """C14.13: the longest span of a date filter."""
    window_end_included: bool = True
    """C14.14: whether a row changed exactly at `endAt` is in the window."""
    max_program_ids: int = 10
    """C§6: the most ids in `programIds`."""
    updated_at_filter_supported: bool = True
    """C§6: subscriptions without it answer 1035."""
    cadence_spellings: tuple[str, ...] = ("pause", "norm", "paus", "paused", "normal")
    """C14.1: values of the `nurtureCadence` filter that are understood."""
    unknown_program_code: str = "1003"
    """C§18 J23: code for a filter with a program that does not exist; undocumented."""
    refused_fields: tuple[str, ...] = ()
    """C§5.1: fields that describe lists and export refuses with 1003 `Invalid fields [...]`."""
    formula_fields_exported: bool = False
    """C§13: formula fields are said not to be exported; asking for one is refused."""

    # -- export files ---------------------------------------------------------------------------
    header_names: Literal["rest", "ui_labels"] = "rest"
    """C14.5: names of the columns when the request maps none."""
    program_id_repeated: bool = True
    """C20.7: whether `programId`, when asked for, comes again after the one `programIds` adds."""
    empty_file: Literal["header", "nothing"] = "header"
    """C20.5: what the file of a job without rows holds."""
    number_of_records_offset: int = 0
    """C14.8: added to `numberOfRecords`; the vendor's own sample is one too high."""
    ssv_delimiter: str = ";"
    """C14.3: semicolon on the pages about imports, space on those of each export."""
    shared_timestamps: Literal["member", "lead"] = "member"
    """C14.33: whose `createdAt` and `updatedAt` a member export has."""
    lead_booleans_in_member_export: Literal["digits", "words"] = "digits"
    """C20.14: member fields come as 0/1 and lead exports as true/false; a mix is undocumented."""
    file_content_type: str = "text/csv;charset=UTF-8"
    """C§5.4: before 2024 it was `text/csv` alone."""

    # -- imports --------------------------------------------------------------------------------
    max_queued_imports: int = 10
    """C§8.5: imports queued and running together, then 1016."""
    max_running_imports: int = 2
    """C§8.5: imports running at once."""
    unknown_import_column: Literal["fail_rows", "refuse", "fail_job", "ignore"] = "fail_rows"
    """C20.10: what a column that is no field does; `refuse` is 1006 at the POST."""
    blank_import_cell: Literal["keep", "clear"] = "keep"
    """C20.9: whether an empty cell leaves the lead's value alone or empties it."""
    same_list_refused: bool = True
    """C§8.1: a second import into a list that is still being imported to gets 1019."""
    import_retention_days: float = 7
    """C§8.1: how long a batch id is good for."""
    import_counters_always: bool = False
    """C§8.2: counters may be missing before an import ends."""

    def business_timezone(self) -> tzinfo:
        """Return where the day of the daily quotas begins and ends."""
        if self.reset_timezone == "fixed_cst":
            return timezone(timedelta(hours=-6))
        return ZoneInfo(self.reset_timezone)
