"""Destinations: which object the rows of each stream are imported to, and with which settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_bulk.imports.objects import LEADS
from marketo_bulk.imports.requests import ImportOptions, import_body_size
from target_marketo_bulk.records.column_catalog import ColumnCatalog
from target_marketo_bulk.records.destination import Destination

if TYPE_CHECKING:
    from marketo_bulk.client import MarketoBulk
    from marketo_bulk.imports.objects import ImportObject
    from target_marketo_bulk.settings import ImportSettings


class Destinations:
    """The destination of each stream; Marketo is asked for its columns when the first comes.

    Without a client (a dry run without credentials) nothing can be asked.
    """

    def __init__(self, settings: ImportSettings, client: MarketoBulk | None) -> None:
        self._settings = settings
        self._client = client
        self._leads: Destination | None = None

    @property
    def noun(self) -> str:
        """What the run imports, in one word."""
        return LEADS.noun

    @property
    def frame_bytes(self) -> int:
        """Bytes of the body of an upload that are not the file's."""
        return import_body_size(LEADS, 0, self._settings.format)

    def object_of(self, stream: str) -> ImportObject:  # noqa: ARG002  # there is one so far
        """Return what a stream is imported to; Marketo is not asked."""
        return LEADS

    def of(self, stream: str) -> Destination:
        """Return the destination of a stream.

        Raises: ConfigurationError if its settings do not fit what Marketo describes.
        """
        if self._leads is None:
            self._leads = self._made(self.object_of(stream))
        return self._leads

    def _made(self, import_object: ImportObject) -> Destination:
        settings = self._settings
        fields = self._client.describe_import(import_object) if self._client else None
        catalog = ColumnCatalog(fields, import_object, lookup_fields=(settings.lookup_field,))
        options = ImportOptions(
            settings.format, catalog.lookup_fields[0], settings.list_id, settings.partition_name
        )
        return Destination(
            import_object,
            catalog.lookup_fields,
            options,
            catalog,
            # A second import into the same list would be uploaded only to be refused (1019).
            most_running=1 if settings.list_id else settings.max_queued_imports,
            settings=("lookup_field", "list_id", "partition_name", "format"),
        )
