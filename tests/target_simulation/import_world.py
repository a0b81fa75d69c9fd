"""Import world: an instance of Marketo that takes imports, and a log of every upload."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marketo_emulator.imports.imports import ImportStatus
from marketo_emulator.imports.rows import read_lines
from tests.simulation.world import World
from tests.target_simulation.messages import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from marketo_emulator.imports.imports import ImportJob

UNKNOWN_JOB_CODES = frozenset({"1013", "610"})
BULK_BODY_MAX_BYTES = 10_000_000
QUEUE_MAX_JOBS = 10
UNCONFIRMED_WAIT_POLLS = 60
"""How long docs/target.md has a run wait for an import of which only the intent is known."""

_PATH = re.compile(r"/bulk/v1/leads/batch/(\d+)(?:|/(failures|warnings))\.json")


@dataclass
class Upload:
    """A file Marketo has taken."""

    job: ImportJob
    run: int
    rows: dict[int, dict[str, str]]
    """Its rows by their mark."""
    folded: frozenset[str]
    """Its lookup values, as they are compared."""
    intended_at: float = 0.0
    """When the client wrote down that it would send it."""
    told: bool = False
    """Whether the client has written its id down."""
    is_orphan: bool = False
    """Whether its run ended with it, so that only the intent is written down."""
    others: tuple[Upload, ...] = ()
    """Those that had not ended when it came."""
    disowned: bool = False
    """Whether the client was told that there is no such import."""
    counts_warnings: bool = False
    """Whether the last status told had a number of rows with a warning that can be read."""
    hidden: set[str] = field(default_factory=set)
    """Those of its reports that lacked rows while the client was given no number of them."""

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return not self.job.status.ended

    @property
    def is_complete(self) -> bool:
        """Whether its rows are in Marketo, but for those that failed."""
        return self.job.status is ImportStatus.COMPLETE

    @property
    def failed_marks(self) -> set[int]:
        """The marks of the rows that were not imported."""
        return self.marks_in(self.job.failures)

    def marks_in(self, reported: Iterable[tuple[Sequence[str], str]]) -> set[int]:
        """Return the marks of the rows of a report."""
        return {int(cells[list(self.job.header).index(MARK)]) for cells, _ in reported}

    def lacks(self, kind: str, body: bytes) -> bool:
        """Whether a report lacks rows, and no number of them was told."""
        reported, counter = {
            "failures": (self.job.failures, "numOfRowsFailed"),
            "warnings": (self.job.warnings, "numOfRowsWithWarning"),
        }[kind]
        missing = any(str(mark).encode() not in body for mark in self.marks_in(reported))
        is_untold = kind == "warnings" and not self.counts_warnings
        return missing and (is_untold or counter in self.job.amendments.drop)

    @property
    def is_known(self) -> bool:
        """Whether its client can wait for it."""
        return self.told and not self.disowned


@dataclass
class Limits:
    """What the client has set itself."""

    file_bytes: int
    running: int
    unconfirmed_seconds: float


@dataclass
class UploadLog:
    """Everything that was uploaded, and what was wrong with it."""

    uploads: list[Upload] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


class ImportWorld(World):
    """The instance of one simulation of the target."""

    def __init__(
        self, plain: Mapping[str, Any], start: datetime, config: Mapping[str, Any]
    ) -> None:
        # Rows name fields of all kinds, so the instance has them all.
        super().__init__({**plain, "described": None}, start)
        self._lookup: str = config.get("lookup_field", "email")
        most = 1 if config.get("list_id") else config.get("max_queued_imports", 2)
        patience = min(
            config["import_timeout_seconds"],
            config["poll_interval_seconds"] * UNCONFIRMED_WAIT_POLLS,
        )
        self._limits = Limits(config["max_file_size_bytes"], most, patience)
        self._intended_at = 0.0
        self.chunk: int = plain["chunk"]
        self.partition = "2" if config.get("partition_name") == "EMEA" else "1"
        self.upload_log = UploadLog()
        self.run = 0
        self.before = self.leads()

    # -- what is seen from outside --------------------------------------------------------------

    def leads(self) -> dict[str, dict[str, Any]]:
        """Return the leads that have a lookup value, by it; without ids and times."""
        found: dict[str, dict[str, Any]] = {}
        for lead in map(dict, self.store.leads()):
            key = lead[self._lookup]
            if key is not None:
                gone = {"id", "createdAt", "updatedAt"}
                found[str(key).casefold()] = {k: v for k, v in lead.items() if k not in gone}
        return found

    def catch_up(self) -> None:
        """Bring all imports up to the present."""
        with self.application.world.at():
            pass

    def live_uploads(self) -> list[Upload]:
        """Return the uploads whose imports have not ended."""
        self.catch_up()
        return [upload for upload in self.upload_log.uploads if upload.is_live]

    # -- what the client reaches ----------------------------------------------------------------

    @override
    def serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a call; if it makes an import, write that down."""
        path = environ["PATH_INFO"]
        if path != "/bulk/v1/leads.json":
            body = _whole(super().serve(environ, start_response))
            self._note_lies(path, body)
            return [body]
        jobs = self.emulator.application.world.imports.jobs
        live = self.live_uploads()
        before = len(jobs)
        if int(environ["CONTENT_LENGTH"]) >= BULK_BODY_MAX_BYTES:
            self.upload_log.findings.append(f"a body of {environ['CONTENT_LENGTH']} bytes")
        try:
            body = _whole(super().serve(environ, start_response))
        finally:
            for job in list(jobs.values())[before:]:
                self._note(job, live)
        return [body]

    def journaled(self, entry: Mapping[str, object]) -> None:
        """Take note of what the client has written down."""
        if entry["event"] == "sending":
            self._intended_at = self.clock.monotonic()
        for upload in self.upload_log.uploads:
            if entry["event"] == "accepted" and str(upload.job.batch_id) == entry["batch_id"]:
                upload.told = True

    def end_run(self) -> None:
        """Take note that the process is gone."""
        last = self.upload_log.uploads[-1:]
        for upload in last:
            upload.is_orphan = upload.run == self.run and not upload.told

    def _note_lies(self, path: str, body: bytes) -> None:
        match, last = _PATH.fullmatch(path), self.application.requests[-1]
        if match is None:
            return
        for upload in self.upload_log.uploads:
            if str(upload.job.batch_id) != match[1]:
                continue
            if kind := match[2]:
                # An error in place of the failures hides nothing: it must be taken for what it is.
                is_none = last.status == HTTPStatus.NOT_FOUND
                is_error = not is_none and (last.error_code or last.status != HTTPStatus.OK)
                if upload.lacks(kind, body) and not (kind == "failures" and is_error):
                    upload.hidden.add(kind)
            else:
                upload.counts_warnings = _counts_warnings(body)
                is_unknown = last.error_code in UNKNOWN_JOB_CODES
                upload.disowned |= is_unknown or last.status == HTTPStatus.NOT_FOUND

    def _note(self, job: ImportJob, live: list[Upload]) -> None:
        header, *lines = read_lines(job.request.content, job.request.delimiter)
        named = [dict(zip(header, cells, strict=True)) for cells in lines]
        folded = frozenset(row[self._lookup].strip().casefold() for row in named)
        rows = {int(row[MARK]): row for row in named}
        upload = Upload(job, self.run, rows, folded, self._intended_at, others=tuple(live))
        self.upload_log.uploads.append(upload)
        self.upload_log.findings += self._broken_limits(upload)

    def _broken_limits(self, upload: Upload) -> Iterator[str]:
        name = f"import {upload.job.batch_id}"
        size = len(upload.job.request.content)
        if size >= self._limits.file_bytes:
            yield f"{name} has {size} bytes"
        known = [other for other in upload.others if other.is_known]
        if len(known) >= min(self._limits.running, QUEUE_MAX_JOBS):
            yield f"{name} came while {len(known)} others were under way"
        for other in known:
            if not other.folded.isdisjoint(upload.folded):
                yield f"{name} shares a lookup value with {other.job.batch_id}, still under way"
        for other in upload.others:
            waited = self.clock.monotonic() - other.intended_at
            if other.is_orphan and waited < self._limits.unconfirmed_seconds:
                yield f"{name} came {waited:.0f} s after {other.job.batch_id} was left behind"
        if len(upload.rows) < len(upload.folded):
            yield f"{name} has a lookup value twice"

    @override
    def _queue(self, places: int, seconds: float) -> None:
        self.disturbances += 1
        self.emulator.others_use(queued_imports=places, seconds=seconds)


def _whole(pieces: Iterable[bytes]) -> bytes:
    try:
        return b"".join(pieces)
    finally:
        pieces.close()  # type: ignore[attr-defined]


def _counts_warnings(body: bytes) -> bool:
    try:
        (told,) = json.loads(body)["result"]
    except (ValueError, KeyError, TypeError):
        return False
    return str(told.get("numOfRowsWithWarning")).isdecimal()
