"""Stream tables: what a target has of each stream, keyed as its SCHEMA says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Key = tuple[Any, ...]
Table = dict[Key, dict[str, Any]]


class StreamTables:
    """The tables of all streams, filled by messages in their order."""

    def __init__(self) -> None:
        self._keys: dict[str, list[str]] = {}
        self._rows: dict[str, dict[Key, tuple[object, dict[str, Any]]]] = {}
        self._loads = 0

    def load(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Take the messages of a run.

        Shape: a record replaces that of its key. Where a version is activated, rows of all others
            go. Runs that begin in the same second have the same one here, unlike on a real clock.
        """
        self._loads += 1
        for message in messages:
            kind = message["type"]
            if kind == "SCHEMA":
                self._keys[message["stream"]] = message["key_properties"]
            elif kind == "RECORD":
                stream, record = message["stream"], message["record"]
                key = tuple(record[name] for name in self._keys[stream])
                version = self._loads, message.get("version")
                self._rows.setdefault(stream, {})[key] = (version, record)
            elif kind == "ACTIVATE_VERSION":
                rows = self._rows.setdefault(message["stream"], {})
                version = self._loads, message["version"]
                kept = {key: row for key, row in rows.items() if row[0] == version}
                self._rows[message["stream"]] = kept

    def of(self, stream: str) -> Table:
        """Return the table of a stream."""
        return {key: record for key, (_, record) in self._rows.get(stream, {}).items()}
