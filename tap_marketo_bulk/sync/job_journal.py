"""Job journal: the export jobs of a pipeline outside STATE, which a stopped run may lose.

It holds entries as `export_jobs` in STATE has them, and nothing of any person. A job whose records
are written stays in it: only a STATE that comes back with a later bookmark shows that it was kept.
"""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING, Any

from marketo_bulk.errors import ConfigurationError
from tap_marketo_bulk.sync.journal_file import JournalFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from singer_marketo.state_folder import Folder
    from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight
    from tap_marketo_bulk.sync.names import StreamNames

    Entries = dict[str, dict[str, Any]]

VERSION = 1
WRITTEN = "written"

logger = logging.getLogger(__name__)


class JobJournal:
    """The journal in a folder, read when it is made, and written whenever the jobs change.

    What cannot be read is taken for empty, and what cannot be written is said once: neither ends a
    run, since STATE has the same jobs. The thread that makes jobs and the one that writes records
    both use it.
    """

    def __init__(self, folder: Folder) -> None:
        self._file = JournalFile(folder)
        # Never held while a signal handler of this process waits for it: it may be taken again.
        self._lock = threading.RLock()
        self._in_flight: dict[str, Entries] = {}
        self._written: dict[str, Entries] = {}
        self._is_refused = False
        self._read()

    def jobs(self, stream: str) -> list[dict[str, Any]]:
        """Return the entries of a stream, without the mark of those whose records are written."""
        return [*self._written.get(stream, {}).values(), *self._in_flight.get(stream, {}).values()]

    def written(self, stream: str) -> frozenset[str]:
        """Return the ids of the jobs of a stream whose records are written."""
        return frozenset(self._written.get(stream, ()))

    def keep(self, names: StreamNames, in_flight: Iterable[JobInFlight]) -> None:
        """Note the jobs in flight, in place of those noted before, beside what is written."""
        stream = names.stream
        with self._lock:
            known, written = self._in_flight.get(stream, {}), self._written.get(stream, {})
            jobs = {job.export_id: job for job in in_flight if job.export_id not in written}
            new = {name: job.to_state(names) for name, job in jobs.items() if name not in known}
            gone = known.keys() - jobs.keys()
            if new or gone or self._is_behind():
                kept = {name: entry for name, entry in known.items() if name in jobs}
                self._in_flight[stream] = kept | new
                self._write({"stream": stream, "new": list(new.values()), "gone": sorted(gone)})

    def note(self, names: StreamNames, job: JobInFlight) -> None:
        """Note a job that has just been made, in place of one for the same that came to nothing."""
        stream, entry = names.stream, job.to_state(names)
        with self._lock:
            known = self._in_flight.setdefault(stream, {})
            gone = [n for n, e in known.items() if n != job.export_id and _work(e) == _work(entry)]
            self._in_flight[stream] = {n: e for n, e in known.items() if n not in gone}
            self._in_flight[stream][job.export_id] = entry
            self._write({"stream": stream, "new": [entry], "gone": gone})

    def note_written(self, stream: str, export_id: str) -> None:
        """Note that the records of a job are written."""
        with self._lock:
            entry = self._in_flight.get(stream, {}).pop(export_id, None)
            if entry is not None:
                self._written.setdefault(stream, {})[export_id] = entry
                self._write({"stream": stream, WRITTEN: [export_id]})

    def forget(self, stream: str, export_ids: Iterable[str]) -> None:
        """Forget jobs that no run will need any more; on disk with the next change."""
        gone = set(export_ids)
        with self._lock:
            for jobs in (self._in_flight, self._written):
                known = jobs.get(stream, {})
                jobs[stream] = {n: entry for n, entry in known.items() if n not in gone}
            self._file.is_whole = False

    def _is_behind(self) -> bool:
        """Whether there is something in memory that is not on disk."""
        return not self._file.is_whole and any((*self._in_flight.values(), *self._written.values()))

    def _read(self) -> None:
        why = ""
        try:
            lines = self._file.read()
            if lines:
                self._take_all(json.loads(lines[0]))
            for line in lines[1:]:
                self._take_change(json.loads(line))
        except UnknownVersionError as error:
            why = f"its version is {error}, and this one is {VERSION}"
        except Exception as error:  # noqa: BLE001  # a store may raise anything
            why = type(error).__name__
        if why:
            self._in_flight, self._written = {}, {}
            logger.warning(
                "job_journal %s cannot be read (%s): it is taken for empty, and jobs of a stopped "
                "run are made again",
                self._file.path,
                why,
            )

    def _take_all(self, content: Any) -> None:  # noqa: ANN401  # JSON of any shape
        version = content.get("version", VERSION)
        if version != VERSION:
            raise UnknownVersionError(json.dumps(version))
        for stream, entries in content["jobs"].items():
            for entry in entries:
                job = {name: value for name, value in entry.items() if name != WRITTEN}
                place = self._written if entry.get(WRITTEN) else self._in_flight
                place.setdefault(stream, {})[str(entry["exportId"])] = job

    def _take_change(self, change: Any) -> None:  # noqa: ANN401  # JSON of any shape
        in_flight = self._in_flight.setdefault(change["stream"], {})
        written = self._written.setdefault(change["stream"], {})
        for entry in change.get("new", ()):
            if entry["exportId"] not in written:
                in_flight[str(entry["exportId"])] = dict(entry)
        for name in change.get(WRITTEN, ()):
            if name in in_flight:
                written[str(name)] = in_flight.pop(name)
        for name in change.get("gone", ()):
            in_flight.pop(name, None)

    def _write(self, change: Mapping[str, Any]) -> None:
        """Write a change, or everything where the file does not hold all before it."""
        try:
            if self._file.is_whole:
                self._file.add(json.dumps(change))
            else:
                content = self._content()
                self._file.replace(json.dumps(content), sum(map(len, content["jobs"].values())))
        except Exception as error:  # noqa: BLE001  # a store may raise anything
            if not self._is_refused:
                self._is_refused = True
                logger.warning(
                    "job_journal %s cannot be written (%s): if this run is stopped, the next one "
                    "makes its jobs again, unless it is given STATE",
                    self._file.path,
                    getattr(error, "strerror", None) or type(error).__name__,
                )

    def _content(self) -> dict[str, Any]:
        jobs: dict[str, list[dict[str, Any]]] = {}
        for stream, entries in self._written.items():
            jobs.setdefault(stream, []).extend({**e, WRITTEN: True} for e in entries.values())
        for stream, entries in self._in_flight.items():
            jobs.setdefault(stream, []).extend(entries.values())
        return {"version": VERSION, "jobs": jobs}


class UnknownVersionError(ValueError):
    """A journal in the form of another version of this tap."""


def _work(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a job is for."""
    return {name: value for name, value in entry.items() if name != "exportId"}


def checked_folder(folder: Folder) -> None:
    """Make the folder that a setting names.

    Raises: ConfigurationError if that cannot be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except Exception as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        if isinstance(error, NotImplementedError):
            reason = "nothing can be written there"
        raise ConfigurationError(f"job_journal {folder} cannot be used: {reason}") from error
