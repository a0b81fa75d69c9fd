"""Marketo's bulk API as typed values and calls; knows nothing of Singer.

connection = Connection(
    base_url="https://123-ABC-456.mktorest.com", client_id="...", client_secret="..."
)
wanted = ExportRequest(PROGRAM_MEMBERS, ("leadId", "statusName"), {"programIds": [1001]})
with MarketoBulk.connect(connection) as client:
    job = client.create_export(wanted)
    client.enqueue_export(PROGRAM_MEMBERS, job.export_id)
    while not job.status.is_terminal:
        time.sleep(EXPORT_POLL_MIN_SECONDS)
        job = client.get_export_status(PROGRAM_MEMBERS, job.export_id)
    file = client.download_export(PROGRAM_MEMBERS, job, Path("."))
with closing(file), Path("members.csv").open("wb") as copy:
    shutil.copyfileobj(file.content, copy)
"""

from marketo_bulk.activities.activity import Activity
from marketo_bulk.activities.activity_types import ActivityAttribute, ActivityType
from marketo_bulk.activities.pages import ActivityPage
from marketo_bulk.client import MarketoBulk
from marketo_bulk.clock import REAL_TIME, Clock
from marketo_bulk.errors import ConfigurationError, DecodeError, MarketoBulkError, RejectedError
from marketo_bulk.exports.file import ExportFile
from marketo_bulk.exports.objects import (
    ACTIVITIES,
    LEADS,
    PROGRAM_MEMBERS,
    ExportObject,
    custom_object,
)
from marketo_bulk.exports.requests import ExportRequest
from marketo_bulk.http.connection import Connection
from marketo_bulk.imports.requests import import_body_size
from marketo_bulk.jobs import ExportJob, ExportStatus, ImportJob, ImportStatus
from marketo_bulk.metadata.describe import FieldDescription
from marketo_bulk.reader.columns import Column
from marketo_bulk.reader.row_reader import RowReader
from marketo_bulk.scheduling.run import RunnerOptions
from marketo_bulk.scheduling.scheduler import ExportScheduler, FinishedExport
from marketo_bulk.timestamps import format_timestamp, parse_timestamp

__all__ = [
    "ACTIVITIES",
    "LEADS",
    "PROGRAM_MEMBERS",
    "REAL_TIME",
    "Activity",
    "ActivityAttribute",
    "ActivityPage",
    "ActivityType",
    "Clock",
    "Column",
    "ConfigurationError",
    "Connection",
    "DecodeError",
    "ExportFile",
    "ExportJob",
    "ExportObject",
    "ExportRequest",
    "ExportScheduler",
    "ExportStatus",
    "FieldDescription",
    "FinishedExport",
    "ImportJob",
    "ImportStatus",
    "MarketoBulk",
    "MarketoBulkError",
    "RejectedError",
    "RowReader",
    "RunnerOptions",
    "custom_object",
    "format_timestamp",
    "import_body_size",
    "parse_timestamp",
]
