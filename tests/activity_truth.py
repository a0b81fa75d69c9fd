"""The activities an emulator has, as a stream of them should bring them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from marketo_emulator.data.activity_rows import COLUMNS, activity_row
from marketo_emulator.data.activity_types import ACTIVITY_TYPES, DELETE_LEAD
from marketo_emulator.data.values import moment_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from marketo_emulator import Emulator

TYPE_NAMES = {each.type_id: each.name for each in ACTIVITY_TYPES}
FREQUENT = {1, 3, 6, 7, 13, 19, 22, 24, 36, 47}


def activities_of(
    emulator: Emulator, *, type_ids: Collection[int] | None = None, since: str = ""
) -> dict[str, dict[str, Any]]:
    """Return what can be read now of some types, or of all but the most frequent ones."""
    store = emulator.store
    found = {}
    for activity in store.log.readable(store.now):
        happening = activity.happening
        if happening.type_id == DELETE_LEAD or not _is_wanted(happening.type_id, type_ids):
            continue
        values = activity_row(activity, store._options)  # noqa: SLF001  # as exports show it
        record: dict[str, Any] = dict(zip(COLUMNS, values, strict=True))
        record["activityDate"] = moment_text(happening.at)
        record["attributes"] = json.loads(record["attributes"])
        record["activityTypeName"] = TYPE_NAMES[happening.type_id]
        if record["activityDate"] >= since:
            found[record["marketoGUID"]] = record
    return found


def _is_wanted(type_id: int, type_ids: Collection[int] | None) -> bool:
    return type_id not in FREQUENT if type_ids is None else type_id in type_ids
