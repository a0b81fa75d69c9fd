"""Program list: the programs a run is over."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from marketo_bulk import ConfigurationError, DecodeError, parse_timestamp
from tap_marketo_bulk.sync.plan import Scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

logger = logging.getLogger(__name__)


def check_ids(listed: Iterable[Mapping[str, Any]], wanted: Collection[int]) -> None:
    """Return if all programs that `program_ids` has are listed.

    Raises: ConfigurationError naming those that Marketo does not know.
    """
    unknown = set(wanted) - {int(asset["id"]) for asset in listed}
    if unknown:
        raise ConfigurationError(
            f"program_ids {sorted(unknown)}: no such program, or the API user cannot see it. "
            "Remove it from program_ids, or give the API user access to its workspace."
        )


def program_of(asset: Mapping[str, Any]) -> Scope:
    """Return what the plan needs of a program asset.

    Shape: when it was created only saves windows; what is no moment is said, and does without.
    """
    program_id = int(asset["id"])
    try:
        return Scope(program_id, moment_of(asset, "createdAt"))
    except DecodeError:
        logger.warning(
            "program %d has a createdAt that is no moment: its members are read from the start on",
            program_id,
        )
        return Scope(program_id)


def moment_of(asset: Mapping[str, Any], name: str) -> datetime | None:
    """Return a moment of a program asset; None if it has none.

    Raises: DecodeError if it is no moment.
    """
    value = asset.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise DecodeError(f"{name} is no text")
    return parse_timestamp(value)
