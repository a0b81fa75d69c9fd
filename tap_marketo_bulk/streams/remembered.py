"""Remembered: what an instance says of itself, asked for unless the last run has just asked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from marketo_bulk import DecodeError, RejectedError
from marketo_bulk.timestamps import floor_second
from tap_marketo_bulk.streams.program_walk import gone_on_with, listed_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from marketo_bulk import ExportObject, FieldDescription, MarketoBulk
    from tap_marketo_bulk.streams.instance_memory import InstanceMemory
    from tap_marketo_bulk.streams.known_programs import KnownPrograms

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

    Shape: with a memory, one that was deleted within the last day may still be there.
    """
    if memory is None or ids:
        return list(client.iter_programs(ids))
    now = floor_second(client.server_now())
    known = memory.programs(now)
    latest = None if known is None else _gone_on_with(client, known, now)
    if latest is None:
        latest = listed_whole(client, now)
    memory.keep_programs(latest)
    return list(latest.programs.values())


def _gone_on_with(client: MarketoBulk, known: KnownPrograms, now: datetime) -> KnownPrograms | None:
    """Return the programs as they are known now; None, with a warning, if that cannot be had."""
    try:
        return gone_on_with(client, known, now)
    except (RejectedError, DecodeError) as error:
        logger.warning("The list of programs cannot be gone on with, so all are listed: %s", error)
        return None
