"""Stream catalog: which streams and fields the runs of one simulation select."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from marketo_emulator.data.activity_types import ACTIVITY_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

CUSTOM_LEAD_FIELD = "loyaltyTier"
OBJECT = "custom_object_"
TYPE_NAMES = {each.type_id: each.name for each in ACTIVITY_TYPES}


def stream_of_type(type_id: int) -> str:
    """Return the name of the stream of one type of activities."""
    return "activity_" + TYPE_NAMES[type_id].lower().replace(" ", "_")


class StreamCatalog:
    """The catalogs of a simulation: one before a field is new, and one from then on.

    `discovered` is a catalog with everything in it, `streams` that of a world's document.
    """

    def __init__(
        self, discovered: dict[str, Any], streams: Mapping[str, Any], *, has_programs: bool
    ) -> None:
        self._new = streams.get("new_field")
        self.names = {"program_members", *(["programs"] if has_programs else [])}
        for name in streams["names"]:
            is_type = name.startswith("type ")
            self.names.add(stream_of_type(int(name.removeprefix("type "))) if is_type else name)
        self._entries = [e for e in discovered["streams"] if e["tap_stream_id"] in self.names]
        for entry in self._entries:
            _item(entry, None)["selected"] = True
            if entry["tap_stream_id"] == "leads":
                _item(entry, CUSTOM_LEAD_FIELD)["selected"] = True

    def at(self, seconds: float) -> dict[str, Any]:
        """Return the catalog of a run that begins so long after the start."""
        if self._new is not None:
            for entry in self._entries:
                if entry["tap_stream_id"] == self._new["stream"]:
                    _item(entry, self._new["field"])["selected"] = seconds >= self._new["at"]
        entries = [_selected_alone(entry) for entry in self._entries]
        catalog: dict[str, Any] = json.loads(json.dumps({"streams": entries}))
        return catalog

    def fields(self, stream: str) -> set[str]:
        """Return the fields of a stream that are selected in the end."""
        entry = next(e for e in self._entries if e["tap_stream_id"] == stream)
        selected = {n for n in entry["schema"]["properties"] if _is_selected(_item(entry, n))}
        if self._new is not None and self._new["stream"] == stream:
            selected.add(self._new["field"])
        return selected


def _selected_alone(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry without the properties that are not selected: each takes its time."""
    schema = entry["schema"]
    kept = {n: s for n, s in schema["properties"].items() if _is_selected(_item(entry, n))}
    return {
        **entry,
        "schema": {**schema, "properties": kept},
        "metadata": [
            item
            for item in entry["metadata"]
            if not item["breadcrumb"] or item["breadcrumb"][1] in kept
        ],
    }


def _item(entry: Mapping[str, Any], field: str | None) -> dict[str, Any]:
    """Return the metadata of a field, or of the stream."""
    breadcrumb = [] if field is None else ["properties", field]
    return next(
        item["metadata"] for item in entry["metadata"] if list(item["breadcrumb"]) == breadcrumb
    )


def _is_selected(item: Mapping[str, Any]) -> bool:
    if item.get("inclusion") == "automatic":
        return True
    return bool(item.get("selected", item.get("selected-by-default", True)))
