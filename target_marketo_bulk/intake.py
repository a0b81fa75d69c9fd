"""Intake: what a sink may do with its records."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from target_marketo_bulk.records.column_catalog import DELETED_AT, is_column
from target_marketo_bulk.records.layout import Layout
from target_marketo_bulk.records.row_format import RowFormat

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_marketo_bulk.destinations import Destinations
    from target_marketo_bulk.files.spool import Spool
    from target_marketo_bulk.outcomes.rejects import RejectLog
    from target_marketo_bulk.outcomes.summary import Tally
    from target_marketo_bulk.records.destination import Destination
    from target_marketo_bulk.records.held_records import HeldRecords
    from target_marketo_bulk.records.lookup_keys import Key, Keys
    from target_marketo_bulk.records.reasons import Reason
    from target_marketo_bulk.settings import ImportSettings

logger = logging.getLogger(__name__)


class Intake:
    """Takes rows into files and records into the rejects; what becomes of them is the load's."""

    def __init__(
        self,
        settings: ImportSettings,
        destinations: Destinations,
        spool: Spool,
        log: RejectLog,
        tally: Tally,
        held: HeldRecords,
    ) -> None:
        self.null_cell = settings.null_cell
        self.tally = tally
        self.held = held
        """Records on their way to the files."""
        self._destinations = destinations
        self._spool = spool
        self._log = log
        self._row_format = RowFormat(settings.format)
        self._layouts: WeakValueDictionary[tuple[Destination, tuple[str, ...]], Layout] = (
            WeakValueDictionary()
        )

    def destination(self, stream: str) -> Destination:
        """Return where the rows of a stream go; Marketo is asked about it the first time.

        Raises: ConfigurationError if its settings do not fit what Marketo describes.
        """
        return self._destinations.of(stream)

    def layout(self, destination: Destination, columns: Iterable[str]) -> Layout:
        """Return the layout of a set of columns; their order is the first one asked for."""
        ordered = tuple(columns)
        known_as = destination, tuple(sorted(ordered))
        layout = self._layouts.get(known_as)
        if layout is None:
            layout = self._layouts[known_as] = Layout(ordered, destination, self._row_format)
        return layout

    def add(self, layout: Layout, key: Key, line: bytes) -> None:
        """Put a row on its way.

        Raises: OversizedRowError when no file can hold it.
        """
        self._spool.add(layout, key, line)

    def add_new(self, layout: Layout, keys: Keys, lines: Sequence[bytes]) -> bool:
        """Put rows on their way at once; return False, and put none, where one needs `add`."""
        return self._spool.add_new(layout, keys, lines)

    def reject(self, record: Mapping[str, Any], reason: Reason) -> None:
        """Report a record that will not be sent."""
        sent = {name: value for name, value in record.items() if is_column(name)}
        self._log.reject(sent, reason.text, shown=reason.shown)

    def ignores(self, stream: str, record: Mapping[str, Any]) -> bool:
        """Count a record; return True if it announces a deletion, which no import can do."""
        self.tally.records += 1
        if record.get(DELETED_AT) is None:
            return False
        if not self.tally.deletions:
            logger.warning(
                "deletions are left out: bulk import cannot delete %s (said once)",
                self.plural(stream),
            )
        self.tally.deletions += 1
        return True

    def plural(self, stream: str) -> str:
        """Return what the records of a stream are called."""
        return self._destinations.object_of(stream).plural
