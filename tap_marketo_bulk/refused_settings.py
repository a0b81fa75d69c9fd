"""Refused settings: what the SDK would read from a config although the tap does not offer it."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from singer_marketo.locations import fault_of
from tap_marketo_bulk.output.batch_config import faults as batch_faults

if TYPE_CHECKING:
    from collections.abc import Mapping


def refused_settings(config: Mapping[str, Any]) -> list[str]:
    """Return, as sentences, which settings of a config cannot be followed."""
    faults = batch_faults(config.get("batch_config"))
    for name in ("archive_url", "replay_url"):
        faults += fault_of(name, config.get(name))
    if _is_set(config.get("faker_config")) and importlib.util.find_spec("faker") is None:
        faults.append(
            "faker_config needs the package faker, which is not installed. Install it beside the "
            "tap, or remove faker_config."
        )
    if config.get("flattening_enabled") is True and config.get("flattening_max_depth") is None:
        faults.append("flattening_enabled needs flattening_max_depth: set it to 1 or more")
    if config.get("replay_end_date") and not config.get("replay_url"):
        faults.append("replay_end_date is for an archive: set replay_url, too, or remove it")
    return faults


def _is_set(setting: object) -> bool:
    """Return whether an object says anything: Meltano passes on those nobody has set as nulls."""
    if isinstance(setting, dict):
        return any(map(_is_set, setting.values()))
    return bool(setting)
