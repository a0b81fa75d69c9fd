"""Uploads: files on their way, and what has happened to each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_marketo_bulk.import_file import ImportFile


@dataclass(slots=True)
class Upload:
    """A file that is to be sent, and what happened to it so far."""

    file: ImportFile
    failures: int = 0
    lost_replies: int = 0


@dataclass(slots=True)
class Running:
    """An import Marketo has accepted; without an upload it is an earlier run's."""

    batch_id: str
    upload: Upload | None
    accepted_at: float
    next_poll_at: float
    unknown_statuses: set[str] = field(default_factory=set)
