"""Asset records: what Marketo describes, written as the catalog's schema wants."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from marketo_bulk import DecodeError
from marketo_bulk.reader.columns import Kind
from marketo_bulk.reader.values import PARSERS
from marketo_bulk.timestamps import parse_timestamp
from tap_marketo_bulk.output.value_checks import ValueChecks
from tap_marketo_bulk.streams.property_schema import PropertySchema

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

TIMESTAMPS = ("createdAt", "updatedAt")


@dataclass(frozen=True, slots=True)
class AssetWords:
    """What the assets of a stream are called, and the property that names one."""

    one: str
    many: str
    key: str = "id"


class AssetRecords:
    """Makes records of assets, each of which the schema allows.

    `flattened_levels` is how deep objects will be flattened: those that are null, and keys they
    lack, become nulls, so that a record has the columns its schema has.
    """

    def __init__(
        self,
        schema: Mapping[str, Any],
        words: AssetWords,
        on_bad_value: Literal["fail", "null"],
        flattened_levels: int = 0,
    ) -> None:
        self._words = words
        self._schema = schema
        self._properties: Mapping[str, Mapping[str, Any]] = schema["properties"]
        self._allowed = {name: PropertySchema.of(s) for name, s in self._properties.items()}
        self._checks = ValueChecks(self._properties, on_bad_value)
        self._levels = flattened_levels
        self._ignored: set[str] = set()

    def record(self, asset: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record of an asset.

        Raises: DecodeError that names asset and property if Marketo gives a value the schema
            does not allow, or none where it requires one.
        """
        source = f"{self._words.one} {asset.get(self._words.key)}"
        self._note_ignored(asset)
        record = {
            name: _fitted(asset[name], allowed, is_timestamp=name in TIMESTAMPS)
            for name, allowed in self._allowed.items()
            if name in asset
        }
        self._checks.null_in_record(record, source)
        for name in self._schema.get("required", ()):
            if name not in record:
                raise DecodeError(
                    f"{source}: Marketo gives no {name}, which the catalog's schema requires",
                    column=name,
                )
        return _expanded(record, self._schema, self._levels) if self._levels else record

    def report(self) -> None:
        """Log how many values have become null."""
        self._checks.report(self._words.many)

    def _note_ignored(self, asset: Mapping[str, Any]) -> None:
        new = asset.keys() - self._properties.keys() - self._ignored
        if new:
            self._ignored |= new
            logger.warning(
                "%s have attributes the catalog does not know; records come without: %s",
                self._words.many.capitalize(),
                ", ".join(sorted(new)),
            )


def _fitted(value: Any, allowed: PropertySchema, *, is_timestamp: bool) -> Any:  # noqa: ANN401
    """Return a value as the type that the schema wants, or as it is if it is no such thing."""
    if isinstance(value, str):
        kind = allowed.kind(Kind.DATETIME if is_timestamp else Kind.STRING)
        return _fitted_text(value, kind, is_timestamp=is_timestamp)
    kinds = {bool: "boolean", int: "integer", dict: "object", list: "array"}
    own = kinds.get(type(value), "number")
    if value is None or own in allowed.types or (own == "integer" and "number" in allowed.types):
        return value
    if "string" in allowed.types:
        return json.dumps(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _fitted_text(text: str, kind: Kind | None, *, is_timestamp: bool) -> Any:  # noqa: ANN401
    try:
        if kind is Kind.DATETIME or (is_timestamp and kind is Kind.STRING):
            return parse_timestamp(text).isoformat()
        return text if kind in {None, Kind.STRING} else PARSERS[kind](text)
    except (DecodeError, ValueError):
        return text


def _expanded(node: Mapping[str, Any], schema: Mapping[str, Any], levels: int) -> dict[str, Any]:
    """Return an object with every key that flattening makes a column of."""
    expanded = dict(node)
    for name, child in schema.get("properties", {}).items():
        value = node.get(name)
        if "object" not in child.get("type", ()) or "properties" not in child or levels < 1:
            continue
        if value is None or isinstance(value, dict):
            nulls = {
                key: None
                for key, sub in child["properties"].items()
                if "properties" in sub or PropertySchema.of(sub).is_nullable
            }
            known = {
                k: v for k, v in (value or {}).items() if k in nulls or k in child["properties"]
            }
            expanded[name] = _expanded({**nulls, **known}, child, levels - 1)
    return expanded
