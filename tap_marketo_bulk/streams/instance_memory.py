"""Instance memory: what an instance has said lately of itself, kept beside the job journal.

It saves calls where runs follow one another by minutes, and nothing depends on it: what cannot be
read, or is a day old, is asked for again. It holds fields and programs, and nothing of any person.
"""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from marketo_bulk import DecodeError, FieldDescription, parse_timestamp
from marketo_bulk.timestamps import format_timestamp
from singer_marketo.state_folder import write_whole
from tap_marketo_bulk.streams.known_programs import KnownPrograms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from singer_marketo.state_folder import Folder

FILE_NAME = "instance.json"
KEPT_FOR = timedelta(days=1)

logger = logging.getLogger(__name__)


class InstanceMemory:
    """The memory in a folder. `identity` is whose it is: another's is taken for none.

    Units: `now`, wherever it is asked for, is Marketo's time.
    """

    def __init__(self, folder: Folder, identity: Sequence[str]) -> None:
        self._path = folder / FILE_NAME
        self._identity = hashlib.sha256(json.dumps(list(identity)).encode()).hexdigest()
        self._entries = self._read()

    def fields(self, name: str, now: datetime) -> list[FieldDescription] | None:
        """Return the fields of an object, if they were described within a day."""
        entry = self._entries.get(f"fields {name}")
        if not _is_fresh(entry, "at", now):
            return None
        assert entry is not None  # noqa: S101  # it is fresh
        return [FieldDescription(*each) for each in entry["fields"]]

    def keep_fields(self, name: str, fields: Sequence[FieldDescription], now: datetime) -> None:
        """Remember the fields of an object."""
        plain = [[f.name, f.display_name, f.data_type, f.updateable] for f in fields]
        self._keep(f"fields {name}", {"at": format_timestamp(now), "fields": plain})

    def type_ids(self, now: datetime) -> frozenset[int] | None:
        """Return the activity types there are, if they were listed within a day."""
        entry = self._entries.get("activity types")
        if not _is_fresh(entry, "at", now):
            return None
        assert entry is not None  # noqa: S101  # it is fresh
        return frozenset(entry["ids"])

    def keep_type_ids(self, ids: frozenset[int], now: datetime) -> None:
        """Remember the activity types there are."""
        self._keep("activity types", {"at": format_timestamp(now), "ids": sorted(ids)})

    def programs(self, now: datetime) -> KnownPrograms | None:
        """Return the programs there were, if all were listed within a day."""
        entry = self._entries.get("programs")
        if not (_is_fresh(entry, "listed", now) and _is_fresh(entry, "at", now)):
            return None
        assert entry is not None  # noqa: S101  # it is fresh
        return KnownPrograms.from_plain(entry)

    def keep_programs(self, known: KnownPrograms) -> None:
        """Remember the programs there are."""
        self._keep("programs", known.to_plain())

    def forget_program(self, program_id: int) -> None:
        """Forget a program that is no more."""
        entry = self._entries.get("programs")
        if entry is not None:
            left = [each for each in entry["programs"] if int(each["id"]) != program_id]
            self._keep("programs", {**entry, "programs": left})

    def _keep(self, name: str, entry: dict[str, Any]) -> None:
        self._entries[name] = entry
        content = {"instance": self._identity, "entries": self._entries}
        try:
            write_whole(self._path, json.dumps(content))
        except Exception as error:  # noqa: BLE001  # a store may raise anything
            logger.info(
                "What the instance says of itself cannot be kept in %s (%s): the next run asks "
                "again",
                self._path,
                type(error).__name__,
            )

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            entries = content["entries"] if content["instance"] == self._identity else {}
            return {name: entry for name, entry in entries.items() if _is_whole(name, entry)}
        except FileNotFoundError:
            return {}
        except Exception as error:  # noqa: BLE001  # a store may raise anything
            logger.info(
                "What the instance said of itself cannot be read in %s (%s): it is asked again",
                self._path,
                type(error).__name__,
            )
            return {}


def _is_whole(name: str, entry: Mapping[str, Any]) -> bool:
    """Return whether an entry has what its name promises."""
    parse_timestamp(entry["at"])
    if name == "programs":
        KnownPrograms.from_plain(entry)
        return True
    if name == "activity types":
        return all(type(each) is int for each in entry["ids"])
    return [[str, str, str, bool]] * len(entry["fields"]) == [
        [type(part) for part in each] for each in entry["fields"]
    ]


def _is_fresh(entry: Mapping[str, Any] | None, key: str, now: datetime) -> bool:
    if entry is None:
        return False
    try:
        age = now - parse_timestamp(entry[key])
    except DecodeError:
        return False
    return timedelta() <= age < KEPT_FOR
