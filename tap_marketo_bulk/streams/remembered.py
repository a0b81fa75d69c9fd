"""Remembered: what an instance says of itself, asked for unless the last run has just asked."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from marketo_bulk import DecodeError, RejectedError
from marketo_bulk.timestamps import floor_second

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from marketo_bulk import ExportObject, FieldDescription, MarketoBulk
    from tap_marketo_bulk.streams.instance_memory import InstanceMemory

OVERLAP = timedelta(minutes=10)
"""How far before the last list an update may be dated and still be missing from it."""

logger = logging.getLogger(__name__)


def described(
    client: MarketoBulk, memory: InstanceMemory | None, export_object: ExportObject
) -> Sequence[FieldDescription]:
    """Return the fields of an object."""
    if memory is None:
        return client.describe_export(export_object)
    now = floor_second(client.server_now())
    fields = memory.fields(export_object.path, now)
    if fields is None:
        fields = client.describe_export(export_object)
        memory.keep_fields(export_object.path, fields, now)
    return fields


def listed_type_ids(client: MarketoBulk, memory: InstanceMemory | None) -> frozenset[int]:
    """Return the ids of the activity types there are."""
    now = None if memory is None else floor_second(client.server_now())
    known = None if memory is None or now is None else memory.type_ids(now)
    if known:
        return known
    ids = frozenset(each.type_id for each in client.list_activity_types())
    if memory is not None and now is not None:
        memory.keep_type_ids(ids, now)
    return ids


def listed_programs(
    client: MarketoBulk, memory: InstanceMemory | None, ids: Sequence[int]
) -> list[dict[str, Any]]:
    """Return the programs as Marketo describes them: all, or those with some ids.

    Shape: where all were listed within a day, only those updated since are asked for. One that was
        deleted meanwhile is still there until the next whole list.
    """
    if memory is None or ids:
        return list(client.iter_programs(ids))
    now = floor_second(client.server_now())
    known = memory.programs(now)
    updated = None if known is None else _updated(client, known[1] - OVERLAP, now)
    if known is None or updated is None:
        programs = list(client.iter_programs())
        memory.keep_programs(programs, now, is_whole=True)
        return programs
    by_id = {int(program["id"]): program for program in known[0]}
    by_id.update((int(program["id"]), program) for program in updated)
    programs = list(by_id.values())
    memory.keep_programs(programs, now, is_whole=False)
    return programs


def _updated(client: MarketoBulk, since: datetime, now: datetime) -> list[dict[str, Any]] | None:
    """Return the programs updated since a moment; None, with a warning, if they cannot be had."""
    try:
        return list(client.iter_updated_programs(since, now))
    except (RejectedError, DecodeError) as error:
        logger.warning("The list of updated programs cannot be had, so all are listed: %s", error)
        return None
