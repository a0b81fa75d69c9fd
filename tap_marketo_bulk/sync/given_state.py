"""Given state: whether what a run is given as state has the shape of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_bulk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

BOOKMARKS = "bookmarks"
CURRENTLY_SYNCING = "currently_syncing"

_REMEDY = "Correct it, or start again without state"


def check_state(state: Mapping[str, object]) -> None:
    """Return if the SDK can read a state.

    Raises: ConfigurationError naming what is not as it must be. A state without bookmarks is
        refused, because a run would begin anew without a word; an empty one is not.
    """
    if state.keys() - {CURRENTLY_SYNCING} and BOOKMARKS not in state:
        names = ", ".join(sorted(map(repr, state)))
        hint = (
            ": it seems to be a STATE message, whose value is the state" if "value" in state else ""
        )
        raise ConfigurationError(f"the state has no bookmarks, only {names}{hint}", remedy=_REMEDY)
    bookmarks = state.get(BOOKMARKS, {})
    _check(bookmarks, dict, "the bookmarks of the state")
    assert isinstance(bookmarks, dict)  # noqa: S101  # just checked
    for stream, bookmark in bookmarks.items():
        _check_bookmark(bookmark, f"the state of {stream}")


def _check_bookmark(bookmark: object, name: str) -> None:
    _check(bookmark, dict, name)
    assert isinstance(bookmark, dict)  # noqa: S101  # just checked
    _check(bookmark.get("progress_markers", {}), dict, f"progress_markers in {name}")
    partitions = bookmark.get("partitions", [])
    _check(partitions, list, f"partitions in {name}")
    for partition in partitions:
        _check_bookmark(partition, f"a partition in {name}")


def _check(value: object, kind: type, name: str) -> None:
    if not isinstance(value, kind):
        wanted = "an object" if kind is dict else "a list"
        found = "null" if value is None else type(value).__name__
        raise ConfigurationError(f"{name} must be {wanted}, not {found}", remedy=_REMEDY)
