"""Stream rules: what a catalog may say of each stream, and what it cannot leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_marketo_bulk.output.whole_stream import FULL_TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_marketo_bulk.sync.spec import ExportSpec

INCREMENTAL = "INCREMENTAL"


@dataclass(frozen=True, slots=True)
class StreamRules:
    """What holds for one stream, whatever its catalog says.

    Shape: the first of `methods` is the one a catalog need not name. `automatic` are the schemas of
        the properties no record is without.
    """

    key: tuple[str, ...]
    methods: tuple[str, ...]
    replication_key: str | None
    automatic: Mapping[str, Mapping[str, Any]]


def rules_of(spec: type[ExportSpec]) -> StreamRules:
    """Return the rules of a stream of bulk export."""
    keys = {name: {"type": [kind]} for name, kind in spec.keys.items()}
    bookmark = spec.names.bookmark
    return StreamRules(
        key=tuple(keys),
        methods=(INCREMENTAL, FULL_TABLE),
        replication_key=bookmark,
        automatic={**keys, bookmark: {"type": ["string", "null"], "format": "date-time"}},
    )
