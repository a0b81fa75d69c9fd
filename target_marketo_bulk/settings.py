"""Settings: their schema, and their values once checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from marketo_bulk.limits import (
    BULK_BODY_MAX_BYTES,
    ID_MAX,
    IMPORT_QUEUE_MAX_JOBS,
    SETTING_MAX_SECONDS,
)
from singer_marketo.locations import SCHEME, UnusableLocationError, cannot_be_used, own_path
from singer_marketo.settings import has_credentials, plugin_schema
from singer_marketo.settings import missing_settings as missing_connection_settings
from target_marketo_bulk.records.row_format import DELIMITERS

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_LOOKUP_FIELD = "email"
DEFAULT_FORMAT = "csv"
DEFAULT_MAX_FILE_SIZE_BYTES = 9_500_000
DEFAULT_MAX_BATCH_AGE_SECONDS = 300
DEFAULT_POLL_INTERVAL_SECONDS = 10
DEFAULT_IMPORT_TIMEOUT_SECONDS = 7_200
DEFAULT_MAX_QUEUED_IMPORTS = 2
DEFAULT_REJECTS_PATH = "rejects"
DEFAULT_MAX_REJECTED_PERCENT = 10
DEFAULT_NULL_CELL = ""

FILE_MIN_BYTES = 1_000
OWN_SETTINGS = th.PropertiesList(
    th.Property(
        "lookup_field",
        th.StringType(min_length=1),
        default=DEFAULT_LOOKUP_FIELD,
        title="Lookup field",
        description="Field by which Marketo finds the lead to update. With `id`, leads are only "
        "updated, never created.",
    ),
    th.Property(
        "list_id",
        th.IntegerType(minimum=1, maximum=ID_MAX),
        title="Static list",
        description="Id of a static list the leads are also added to. Marketo takes one import "
        "into a list at a time, so `max_queued_imports` is 1 then.",
    ),
    th.Property(
        "partition_name",
        th.StringType(min_length=1),
        title="Lead partition",
        description="Name of the lead partition that new leads go to.",
    ),
    th.Property(
        "format",
        th.StringType,
        allowed_values=sorted(DELIMITERS),
        default=DEFAULT_FORMAT,
        title="File format",
        description="Format of the import files: commas, tabs or semicolons.",
    ),
    th.Property(
        "max_file_size_bytes",
        th.IntegerType(minimum=FILE_MIN_BYTES, maximum=BULK_BODY_MAX_BYTES - 1),
        default=DEFAULT_MAX_FILE_SIZE_BYTES,
        title="Largest file",
        description="Every import file is smaller than this many bytes. Marketo takes bodies "
        "below 10 MB, so 10 000 000 or more is refused.",
    ),
    th.Property(
        "max_batch_age_seconds",
        th.NumberType(exclusive_minimum=0, maximum=SETTING_MAX_SECONDS),
        default=DEFAULT_MAX_BATCH_AGE_SECONDS,
        title="Longest collecting",
        description="Seconds after which a file is sent although it is not full.",
    ),
    th.Property(
        "poll_interval_seconds",
        th.NumberType(minimum=0, maximum=SETTING_MAX_SECONDS),
        default=DEFAULT_POLL_INTERVAL_SECONDS,
        title="Poll interval",
        description="Seconds between two status calls for an import; Adobe suggests 5 to 30.",
    ),
    th.Property(
        "import_timeout_seconds",
        th.NumberType(exclusive_minimum=0, maximum=SETTING_MAX_SECONDS),
        default=DEFAULT_IMPORT_TIMEOUT_SECONDS,
        title="Longest import",
        description="Seconds an import may take, or Marketo's import queue may be full, before "
        "the run fails.",
    ),
    th.Property(
        "max_queued_imports",
        th.IntegerType(minimum=1, maximum=IMPORT_QUEUE_MAX_JOBS),
        default=DEFAULT_MAX_QUEUED_IMPORTS,
        title="Imports at once",
        description="Most imports under way at once. Marketo runs 2 and queues 10, for all "
        "integrations together.",
    ),
    th.Property(
        "rejects_path",
        th.StringType(min_length=1),
        default=DEFAULT_REJECTS_PATH,
        title="Rejects folder",
        description="Folder for the rows Marketo did not take, its warnings, and the journal of "
        "imports; made if it is not there. Its files hold personal data.",
    ),
    th.Property(
        "max_rejected_percent",
        th.NumberType(minimum=0, maximum=100),
        default=DEFAULT_MAX_REJECTED_PERCENT,
        title="Most rejects",
        description="The run fails, after everything is reported, when more than this share of "
        "the rows was rejected.",
    ),
    th.Property(
        "max_rejected_rows",
        th.IntegerType(minimum=0, maximum=10**12),
        title="Most rejected rows",
        description="The run fails, after everything is reported, when more rows than this were "
        "rejected. With 0 any reject fails it. By default only max_rejected_percent counts.",
    ),
    th.Property(
        "clean_up_batch_files",
        th.BooleanType,
        default=False,
        title="Clean up batch files",
        description="Remove the files that BATCH messages name, once all records of the run are "
        "imported.",
    ),
    th.Property(
        "dry_run_path",
        th.StringType(min_length=1),
        title="Dry run folder",
        description="Write the import files into this folder and send nothing.",
    ),
    th.Property(
        "null_cell",
        th.StringType,
        default=DEFAULT_NULL_CELL,
        title="Cell of a null",
        description="What an explicit null becomes. By default an empty cell; whether Marketo "
        "then keeps or clears the lead's value is not documented.",
    ),
)

SCHEMA = plugin_schema(OWN_SETTINGS.to_dict()["properties"])
"""The JSON Schema of all settings, those of the connection first."""


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """How records are to be imported; the connection's settings are the client's."""

    lookup_field: str = DEFAULT_LOOKUP_FIELD
    list_id: int | None = None
    partition_name: str | None = None
    format: str = DEFAULT_FORMAT
    max_file_size_bytes: int = DEFAULT_MAX_FILE_SIZE_BYTES
    max_batch_age_seconds: float = DEFAULT_MAX_BATCH_AGE_SECONDS
    poll_interval_seconds: float = DEFAULT_POLL_INTERVAL_SECONDS
    import_timeout_seconds: float = DEFAULT_IMPORT_TIMEOUT_SECONDS
    max_queued_imports: int = DEFAULT_MAX_QUEUED_IMPORTS
    rejects_path: str = DEFAULT_REJECTS_PATH
    max_rejected_percent: float = DEFAULT_MAX_REJECTED_PERCENT
    max_rejected_rows: int | None = None
    dry_run_path: str | None = None
    null_cell: str = DEFAULT_NULL_CELL

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> ImportSettings:
        """Return the settings of a configuration that fits the schema; null is the default."""
        return cls(**{name: config[name] for name in cls.__slots__ if config.get(name) is not None})


def unusable_folders(config: Mapping[str, Any]) -> list[str]:
    """Return, as sentences, which folders cannot be; of an address a folder would be made."""
    faults = []
    for name in ("rejects_path", "dry_run_path"):
        folder = str(config.get(name) or "")
        try:
            own_path(folder)
        except UnusableLocationError as error:
            faults.append(cannot_be_used(name, folder, str(error)))
        if SCHEME in folder:
            faults.append(f"{name} is an address: give a folder of this machine")
    return faults


def missing_settings(config: Mapping[str, Any]) -> list[str]:
    """Return, as sentences, what must be set and is not; a dry run needs no Marketo."""
    if config.get("dry_run_path") and not has_credentials(config):
        return []
    return missing_connection_settings(config)
