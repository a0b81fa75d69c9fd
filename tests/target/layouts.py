"""Layouts: columns of a made-up destination, for the tests of what lies below the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_bulk.imports.objects import LEADS
from marketo_bulk.imports.requests import ImportOptions
from target_marketo_bulk.records.column_catalog import ColumnCatalog
from target_marketo_bulk.records.destination import Destination
from target_marketo_bulk.records.layout import Layout
from target_marketo_bulk.records.row_format import RowFormat

if TYPE_CHECKING:
    from marketo_bulk.imports.objects import ImportObject


def destination_of(
    *lookup_fields: str, import_object: ImportObject = LEADS, most_running: int = 2
) -> Destination:
    """Return a destination of which nothing is described."""
    names = lookup_fields or ("email",)
    catalog = ColumnCatalog(None, import_object, lookup_fields=names)
    return Destination(import_object, names, ImportOptions(), catalog, most_running, ())


DESTINATION = destination_of()


def layout_of(
    *columns: str, format_name: str = "csv", destination: Destination = DESTINATION
) -> Layout:
    """Return a layout of these columns."""
    return Layout(columns, destination, RowFormat(format_name))
