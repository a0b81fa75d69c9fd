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

    # -- data -----------------------------------------------------------------------------------
    history_days: int = 730
    """How long ago the first program was made: members have changed ever since."""

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

    # -- permissions ----------------------------------------------------------------------------
    missing_permissions: tuple[str, ...] = ()
    """C§21: what calls get 603 for: a name of `permissions.NAMES`, or `client id:name`."""

    # -- leads and activities -------------------------------------------------------------------
    lead_updated_at: Literal["standard_fields", "any_field"] = "standard_fields"
    """C§22.2: which changes the visible `updatedAt` of a lead shows; the filter sees all."""
    partition_change_moves_filter: bool = False
    """C§22.2: whether a change of partition alone brings a lead into an `updatedAt` export."""
    smart_list_filters_supported: bool = False
    """C14.49: without it an export by smart list gets 1035."""
    earlier_visits: int = 0
    """C§23.7: visits of before a new lead was known, which come late: 1 to 90 days."""
    merge_moves_member_updated_at: bool = True
    """C§22.8: whether a membership that a merge moves counts as updated; undocumented."""
    merge_notes_status: bool = False
    """C20.26: whether a merge writes activity 104 for the memberships it moves."""
    deletions_include_merged: bool = False
    """C20.26: whether the losers of a merge are among the deleted leads."""
    activity_fields_required: bool = False
    """C14.41: whether a create without `fields` is refused for activities; empty is the default."""
    activity_attributes: Literal["object", "array"] = "object"
    """C14.42: form of the `attributes` cell; the array is that of the REST calls."""
    empty_attribute: Literal["omitted", "empty", "null"] = "omitted"
    """C14.44: how an attribute without a value comes."""
    activity_window: Literal["activityDate", "committed"] = "activityDate"
    """C14.43: what the filter `createdAt` of activities compares: happened or noted."""
    activity_commit_delays: tuple[tuple[int, int, int], ...] = ()
    """C14.43: (type id or 0 for all, least, most seconds) from when a row can be read."""
    activity_guid: Literal["digits", "long"] = "digits"
    """C14.55: form of `marketoGUID`; `long` has 128 characters."""
    deletion_retention_days: float = 14
    """C§23.9: how long Delete Lead is kept."""
    busy_activity_retention_days: float = 90
    """C§23.9: how long the most frequent types are kept."""
    activity_retention_days: float = 760
    """C§23.9: how long all other types are kept; New Lead is kept for ever."""
    empty_activity_pages: bool = False
    """C§22.7: whether every page of activities is followed by an empty one with `moreResult`."""
    activity_list_limit: int | None = None
    """C14.46: size of a list from which `listId` gets 1003; the cut-off is to come in 2026."""
    foreign_token_code: str = "1003"  # noqa: S105 - a code, not a token
    """C§22.7: code for a paging token of another call."""

    # -- custom objects -------------------------------------------------------------------------
    custom_objects_enabled: bool = True
    """C§24.2: without them every call about them gets 1026."""
    unknown_object_code: str = "1013"
    """C20.22: code for an API name that does not exist or is a draft; 610 is plausible too."""
    unexportable_object_code: str = "1003"
    """C20.22: code for an object that is not linked directly to leads."""
    object_updated_at_filter_supported: bool = True
    """C14.49: whether `updatedAt` of custom objects can give 1035 is not said."""
    orphans_exported: bool = True
    """C20.27: whether records whose link matches no lead are in an `updatedAt` export."""
    object_name_key: Literal["name", "apiName"] = "name"
    """C14.47: key of the API name in metadata."""
    object_relation: Literal["relatedTo", "object"] = "relatedTo"
    """C14.48: key of what a link points to."""
    object_relation_type: Literal["child", "parent"] = "child"
    """C14.48: how a link is called."""
    unknown_link: Literal["fail_row", "store"] = "fail_row"
    """C20.24: what an import does with a link value that matches no lead."""

    # -- import of program members --------------------------------------------------------------
    unknown_status: Literal["refuse", "fail_job"] = "refuse"
    """C20.23: whether an unknown status gets 1025 at the POST, or fails the job."""
    status_case_matters: bool = True
    """C§9: whether a status in other letter case is unknown."""
    status_regression: Literal["keep", "warn", "fail_row", "apply"] = "keep"
    """C20.23: what a status before the member's own does: processed unchanged, by default."""
    not_in_program_refused: bool = True
    """C14.59: whether `Not in Program` can be imported."""
    email_program_refused: bool = False
    """C20.23: whether members can be imported into an Email program."""
    unknown_import_program_code: str = "1013"
    """C20.23: code for an import into a program that does not exist."""

    # -- assets ---------------------------------------------------------------------------------
    program_filters_ignored: bool = False
    """C§25: whether `filterType` is ignored and every program comes."""
    update_range_needs_both: bool = False
    """C§25: whether `earliestUpdatedAt` needs `latestUpdatedAt` beside it, as connectors found."""
    program_order_by_tag: Literal["random", "id"] = "random"
    """C§25: the order of `byTag` is said to be random, for each call anew."""
    tags_by_tag: Literal["matching", "all"] = "matching"
    """C§25: which tags `byTag` shows."""
    folder_type: str = "Folder"
    """C14.58: spelling of the type of a folder."""
    not_in_program_listed: bool = False
    """C14.59: whether channels list the step 0 `Not in Program`."""

    def business_timezone(self) -> tzinfo:
        """Return where the day of the daily quotas begins and ends."""
        if self.reset_timezone == "fixed_cst":
            return timezone(timedelta(hours=-6))
        return ZoneInfo(self.reset_timezone)
