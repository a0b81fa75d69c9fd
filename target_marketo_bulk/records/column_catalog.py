"""Pre-flight: columns and lookup fields against the fields Marketo describes."""

from __future__ import annotations

from collections import defaultdict
from difflib import get_close_matches
from typing import TYPE_CHECKING

from marketo_bulk.errors import ConfigurationError
from target_marketo_bulk.records.mending_map import mending_map

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from marketo_bulk.imports.objects import ImportObject
    from marketo_bulk.metadata.describe import FieldDescription

METADATA_PREFIX = "_sdc_"
DELETED_AT = "_sdc_deleted_at"

_NEAREST = 3
_LABEL_CUTOFF = 0.8


class ColumnCatalog:
    """The fields an object can be given: by their exact name, else by one in another case alone.

    Without a description (a dry run without credentials) every name is taken as it is.
    """

    def __init__(
        self,
        described: Sequence[FieldDescription] | None,
        import_object: ImportObject,
        *,
        lookup_fields: Sequence[str],
    ) -> None:
        fields = described or ()
        self._object = import_object
        self._is_open = described is None
        self._fields = {field.name: field for field in fields}
        self._spellings: dict[str, list[str]] = defaultdict(list)
        for name in self._fields:
            self._spellings[name.casefold()].append(name)
        self._labels: dict[str, list[str]] = {}
        for field in fields:
            self._labels.setdefault(_letters(field.display_name), []).append(field.name)
        self.lookup_fields = tuple(map(self._resolve_lookup, lookup_fields))
        for name in self.lookup_fields:
            if name not in self._fields:
                self._spellings[name.casefold()].append(name)
        # `id` is read-only, and the way to find what is to be updated.
        self._read_only = {
            name for name, field in self._fields.items() if not field.updateable
        }.difference(self.lookup_fields)

    def __len__(self) -> int:
        return len(self._fields)

    def data_type(self, column: str) -> str:
        """Return Marketo's type of a column, in small letters; empty if it is not known."""
        field = self._fields.get(column)
        return field.data_type.lower() if field else ""

    def is_ascii_only(self, column: str) -> bool:
        """Whether Marketo takes no other characters than ASCII in a column."""
        return column.casefold() in self._object.ascii_only

    def resolve(
        self, names: Iterable[str], *, stream: str, keys: Collection[str] = ()
    ) -> Mapping[str, str]:
        """Return the column of each property, spelled as Marketo's API spells it.

        `keys` are the stream's key properties.

        Raises: ConfigurationError naming every property that is no field, is read-only, or is a
            field that another property is, too.
        """
        columns: dict[str, str] = {}
        faults = []
        wrong = []
        for name in names:
            column = self._spelled(name)
            fault = self._fault_of(name, column)
            if not fault and column in columns.values():
                fault = f"{name!r} is a second property for the field {column!r}"
            if fault:
                faults.append(fault)
                wrong.append(name)
            columns[name] = column
        if faults:
            right = {column for name, column in columns.items() if name not in wrong}
            mended = {name: self._most_likely(name, right) for name in wrong}
            raise ConfigurationError(
                f"stream {stream!r} has columns that cannot be imported: {'; '.join(faults)}. "
                f"Nothing of them was sent",
                remedy=f"Rename or drop them, as with stream_maps: "
                f"{mending_map(stream, mended, keys=keys)}",
            )
        return columns

    def _spelled(self, name: str) -> str:
        """Return a name as Marketo spells it; as it is where there is none, or no single one."""
        candidates = self._candidates(name)
        return candidates[0] if len(candidates) == 1 else name

    def _candidates(self, name: str) -> list[str]:
        candidates = self._spellings.get(name.casefold(), [])
        return [name] if name in candidates else candidates

    def _fault_of(self, name: str, column: str) -> str | None:
        candidates = self._candidates(name)
        if not candidates and not self._is_open:
            return f"{name!r} is no {self._object.noun} field{self._nearest(name)}"
        if len(candidates) > 1:
            return f"{name!r} may be {_either(candidates)}: write it as Marketo does"
        return f"{name!r} is read-only in Marketo" if column in self._read_only else None

    def _resolve_lookup(self, name: str) -> str:
        candidates = self._candidates(name) or [
            field for field in self._object.lookup_only if field.casefold() == name.casefold()
        ]
        if len(candidates) > 1:
            raise ConfigurationError(
                f"lookup_field {name!r} may be {_either(candidates)}: write it as Marketo does. "
                "Nothing was sent"
            )
        if not candidates and not self._is_open:
            raise ConfigurationError(
                f"lookup_field {name!r} is no {self._object.noun} field{self._nearest(name)}. "
                "Nothing was sent"
            )
        return candidates[0] if candidates else name

    def _most_likely(self, name: str, taken: Collection[str]) -> str | None:
        """Return the field a property is most likely meant to be; None if it is like none.

        A field that another property is already, or that is read-only, is none.
        """
        if self._candidates(name):
            return None
        found = self._labelled(name) or self._near(name)
        return next((f for f in found if f not in taken and f not in self._read_only), None)

    def _nearest(self, name: str) -> str:
        labelled = self._labelled(name)
        if labelled:
            names = _either(labelled)
            return f" (it is the label of {names}: did you mean {names}?)"
        found = self._near(name)
        return f" (did you mean {_either(found)}?)" if found else ""

    def _labelled(self, name: str) -> list[str]:
        return self._labels.get(_letters(name), []) if _letters(name) else []

    def _near(self, name: str) -> list[str]:
        near_labels = get_close_matches(_letters(name), self._labels, n=1, cutoff=_LABEL_CUTOFF)
        found = [each for label in near_labels for each in self._labels[label]]
        for near in get_close_matches(name.casefold(), self._spellings, n=_NEAREST):
            found += self._spellings[near]
        return list(dict.fromkeys(found))


def _either(names: Iterable[str]) -> str:
    return " or ".join(map(repr, names))


def _letters(label: str) -> str:
    """Return a label as it is compared: columns of exports have blanks, hyphens or neither."""
    return "".join(filter(str.isalnum, label.casefold()))


def is_column(property_name: str) -> bool:
    """Whether a property is sent: Singer's own metadata never is."""
    return not property_name.startswith(METADATA_PREFIX)
