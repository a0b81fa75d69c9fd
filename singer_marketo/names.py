"""Names: settings and streams that a user has misspelled, and what may have been meant."""

from __future__ import annotations

from difflib import get_close_matches
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from marketo_bulk.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NULLS = (None, "__NULL__")
"""How a stream map says that a stream, or a property, is to go."""

_OPERATOR = "__"
_SOURCE = "__source__"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `" (did you mean 'x'?)"`; nothing if no known name is near."""
    folded = {each.casefold(): each for each in known}
    near = get_close_matches(name.casefold(), folded, n=1)
    return f" (did you mean {folded[near[0]]!r}?)" if near else ""


def unknown_settings(given: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return a sentence for each setting that does not exist."""
    names = list(known)
    return [
        f"setting_unknown name={one_line(name)}: there is no such setting{nearest(name, names)}"
        for name in given
        if name not in names
    ]


def unmatched_maps(maps: Mapping[str, Any] | None, streams: Iterable[str]) -> list[str]:
    """Return a sentence for each stream map that is for no stream there is.

    Shape: a map is for the stream it names, or whose name its pattern fits, or of its `__source__`.
    """
    names = list(streams)
    found = []
    for key, definition in (maps or {}).items():
        source = definition.get(_SOURCE, key) if isinstance(definition, dict) else key
        if key.startswith(_OPERATOR) or any(fnmatch(name, source) for name in names):
            continue
        found.append(f"stream_maps: there is no stream {source!r}{nearest(source, names)}")
    return found


def unmatched_removals(
    maps: Mapping[str, Any] | None, stream: str, properties: Iterable[str]
) -> list[str]:
    """Return a sentence for each property that a map of the stream removes and that it lacks."""
    definition = (maps or {}).get(stream)
    names = list(properties)
    return [
        f"stream_maps: stream {stream!r} has no property {name!r} to remove{nearest(name, names)}"
        for name, value in (definition.items() if isinstance(definition, dict) else ())
        if value in NULLS and name not in names and not name.startswith(_OPERATOR)
    ]
