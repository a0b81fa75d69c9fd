"""Mending map: the stream map by which a stream's columns could be imported."""

from __future__ import annotations

import json
from keyword import iskeyword
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

DROP = "__NULL__"
"""How a map drops a property; Meltano swallows null."""

KEYS = "__key_properties__"

_TAKEN_NAMES = frozenset({"record", "self", "config", "_", "fake"})
"""What an expression takes for something else than a property."""


def mending_map(
    stream: str, fields: Mapping[str, str | None], *, keys: Collection[str] = ()
) -> str:
    """Return, as JSON, the `stream_maps` that renames or drops properties.

    `fields` has the property and the field it is to be, or None where it is to be dropped. `keys`
    are the stream's key properties: one that goes must not stay a key.
    """
    entries: dict[str, str | list[str]] = {}
    taken: set[str] = set()
    for name, field in fields.items():
        if field is not None and field not in taken:
            taken.add(field)
            entries[field] = _expression(name)
    entries |= dict.fromkeys(fields, DROP)
    if fields.keys() & set(keys):
        entries[KEYS] = []
    return json.dumps({stream: entries}, ensure_ascii=False)


def _expression(name: str) -> str:
    is_plain = name.isidentifier() and not iskeyword(name) and name not in _TAKEN_NAMES
    return name if is_plain else f"record[{name!r}]"
