"""Environment: settings as text, and what else of it decides how a command runs."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from singer_sdk._logging import _setup_console_logging
from singer_sdk.configuration._dict_config import parse_environment_config

from marketo_bulk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection

LOG_LEVEL = "LOGLEVEL"
LOG_CONFIG = "SINGER_SDK_LOG_CONFIG"
DEFAULT_LEVEL = "INFO"


def settings_of_environment(known: Collection[str], prefix: str) -> dict[str, str]:
    """Return the settings that the environment, or a `.env` file, has; empty ones are not set.

    Shape: by name; those that do not exist are among them, in lower case.

    Raises: ConfigurationError if the `.env` file cannot be read.
    """
    try:
        # Without settings to look for, the SDK only reads the file.
        parse_environment_config({"properties": {}}, prefix)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the .env file cannot be read: {error}") from error
    names = {name.upper().replace("-", "_"): name for name in known}
    found = {}
    for variable, text in os.environ.items():
        name = variable.removeprefix(prefix)
        # A name that starts with `_` is one of Meltano's own, such as `…__SELECT`.
        if not variable.startswith(prefix) or not text or name.startswith("_"):
            continue
        if name != LOG_LEVEL:
            found[names.get(name, name.lower())] = text
    return found


def set_up_logging(prefix: str) -> str:
    """Set up the log as the environment says; return what is wrong with that, or nothing."""
    variable = next((n for n in (f"{prefix}{LOG_LEVEL}", LOG_LEVEL) if os.environ.get(n)), None)
    level = os.environ[variable].upper() if variable else DEFAULT_LEVEL
    if not isinstance(logging.getLevelName(level), int):
        _setup_console_logging(log_level=DEFAULT_LEVEL)
        return f"{variable} is {level!r}: give DEBUG, INFO, WARNING, ERROR or CRITICAL"
    try:
        _setup_console_logging(log_level=level)
    except Exception as error:  # noqa: BLE001  # the file may hold anything, and name any class
        return f"{LOG_CONFIG} {os.environ.get(LOG_CONFIG)!r} cannot be used: {error}"
    return ""
