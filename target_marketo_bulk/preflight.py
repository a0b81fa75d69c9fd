"""Pre-flight: columns and lookup field against the fields Marketo describes."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from marketo_bulk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from marketo_bulk.describe import FieldDescription, LeadDescription

LOOKUP_ONLY_FIELDS = (
    "id",
    "cookies",
    "twitterId",
    "facebookId",
    "linkedInId",
    "sfdcAccountId",
    "sfdcContactId",
    "sfdcLeadId",
    "sfdcLeadOwnerId",
    "sfdcOpptyId",
)
"""Lookup fields Adobe's OpenAPI file names for the import that describe may leave out (C§8.1)."""

EMAIL_FIELD = "email"
METADATA_PREFIX = "_sdc_"
DELETED_AT = "_sdc_deleted_at"

_NEAREST = 3


class ColumnCatalog:
    """The fields a lead can be given, by name in any case.

    Without a description (a dry run without credentials) every name is taken as it is.
    """

    def __init__(self, description: LeadDescription | None, *, lookup_field: str) -> None:
        fields: Iterable[FieldDescription] = description.fields if description else ()
        self._is_open = description is None
        self._names = {field.name.casefold(): field.name for field in fields}
        self.lookup_field = self._resolve_lookup(lookup_field)
        folded = self.lookup_field.casefold()
        self._names[folded] = self.lookup_field
        # `id` is read-only, and the way to find the lead to be updated.
        self._read_only = {field.name.casefold() for field in fields if not field.updateable} - {
            folded
        }

    def resolve(self, names: Iterable[str], *, stream: str) -> Mapping[str, str]:
        """Return the column of each property, spelled as Marketo's API spells it.

        Raises: ConfigurationError naming every property that is no field, is read-only, or is a
            field that another property is, too.
        """
        columns: dict[str, str] = {}
        faults = []
        for name in names:
            fault = self._fault_of(name)
            column = self._names.get(name.casefold(), name)
            if fault:
                faults.append(fault)
            elif column in columns.values():
                faults.append(f"{name!r} is a second property for the field {column!r}")
            columns[name] = column
        if faults:
            raise ConfigurationError(
                f"stream {stream!r} has columns that cannot be imported: {'; '.join(faults)}. "
                f"Nothing of them was sent",
                remedy="Rename or drop them with stream_maps",
            )
        return columns

    def _fault_of(self, name: str) -> str | None:
        folded = name.casefold()
        if self._is_open:
            return None
        if folded not in self._names:
            return f"{name!r} is no lead field{self._nearest(name)}"
        return f"{name!r} is read-only in Marketo" if folded in self._read_only else None

    def _resolve_lookup(self, name: str) -> str:
        lookups = {field.casefold(): field for field in LOOKUP_ONLY_FIELDS} | self._names
        found = lookups.get(name.casefold())
        if found is None and not self._is_open:
            raise ConfigurationError(
                f"lookup_field {name!r} is no lead field{self._nearest(name)}. Nothing was sent"
            )
        return found or name

    def _nearest(self, name: str) -> str:
        near = get_close_matches(name.casefold(), self._names, n=_NEAREST)
        names = " or ".join(repr(self._names[each]) for each in near)
        return f" (did you mean {names}?)" if names else ""


def is_column(property_name: str) -> bool:
    """Whether a property is sent: Singer's own metadata never is."""
    return not property_name.startswith(METADATA_PREFIX)
