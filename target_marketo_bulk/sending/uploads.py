"""Uploads: files on their way, and what has happened to each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from marketo_bulk.errors import MarketoBulkError

if TYPE_CHECKING:
    from marketo_bulk.client import MarketoBulk
    from marketo_bulk.imports.objects import ImportObject
    from marketo_bulk.jobs import ImportJob
    from target_marketo_bulk.files.import_file import ImportFile
    from target_marketo_bulk.records.destination import Destination

BLAMED_SETTINGS = {
    "1006": ("lookup_field",),
    "1008": ("partition_name",),
    "1009": ("partition_name",),
    "1010": ("partition_name",),
    "1011": ("lookup_field",),
    "1013": ("list_id", "partition_name"),
    "1019": ("list_id",),
}
"""The settings a refusal of an upload is about, by Marketo's code."""

BLAMED_AS_A_WHOLE = frozenset({"1001", "1002"})
"""Codes of refusals that may be about every setting of the destination."""


@dataclass(slots=True)
class Upload:
    """A file that is to be sent, and what happened to it so far."""

    file: ImportFile
    failures: int = 0
    lost_replies: int = 0
    number: int | None = None
    """Its number in the journal, from before it is sent until its outcome is known."""


@dataclass(slots=True)
class Running:
    """An import Marketo has accepted; without an upload it is an earlier run's."""

    batch_id: str
    object: ImportObject
    upload: Upload | None
    accepted_at: float
    next_poll_at: float
    unknown_statuses: set[str] = field(default_factory=set)


class UnsettledUnits:
    """How many files of each unit are not settled; a unit is settled with its last one."""

    def __init__(self) -> None:
        self._files: Counter[int] = Counter()
        self._growing: set[int] = set()

    def add(self, file: ImportFile) -> None:
        """Count a file that was handed over."""
        self._files[file.unit] += 1
        self._growing.add(file.unit)
        if file.is_last:
            self._growing.discard(file.unit)

    def halve(self, file: ImportFile) -> None:
        """Count one more in place of a file that became two."""
        self._files[file.unit] += 1

    def end(self, file: ImportFile) -> bool:
        """Count a settled file; return whether its unit is, too."""
        self._files[file.unit] -= 1
        if self._files[file.unit] or file.unit in self._growing:
            return False
        del self._files[file.unit]
        return True


def create_import(client: MarketoBulk, file: ImportFile) -> ImportJob:
    """Return the import of a file, now in Marketo's queue.

    Raises: what the client does; a refusal that is about settings names them and their values.
    """
    destination = file.layout.destination
    try:
        return client.create_import(destination.object, file.handle, destination.options)
    except MarketoBulkError as error:
        blamed = _blamed(destination, error.code or "")
        if blamed:
            named = ", ".join(_named(n, getattr(destination.options, n)) for n in blamed)
            error.advice = f"Check the setting{'s' * (len(blamed) > 1)} {named}"
        raise


def _blamed(destination: Destination, code: str) -> list[str]:
    is_whole = code in BLAMED_AS_A_WHOLE
    blamed = destination.settings if is_whole else BLAMED_SETTINGS.get(code, ())
    return [name for name in blamed if name in destination.settings]


def _named(name: str, value: object) -> str:
    return f"{name} (not set)" if value is None else f"{name} {value!r}"
