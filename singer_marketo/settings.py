"""Connection settings: what tap and target both ask their users for, and what it means.

Plain JSON Schema, so that this package needs nothing of the SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from marketo_bulk.http.connection import Connection
from marketo_bulk.limits import (
    CALLS_PER_WINDOW_DEFAULT,
    CALLS_PER_WINDOW_MAX,
    CONCURRENT_CALLS_DEFAULT,
    CONCURRENT_CALLS_MAX,
    MAX_RETRY_DEFAULT_SECONDS,
    REQUEST_TIMEOUT_DEFAULT_SECONDS,
    SETTING_MAX_SECONDS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SECONDS: Mapping[str, Any] = {
    "type": ["number", "null"],
    "exclusiveMinimum": 0,
    "maximum": SETTING_MAX_SECONDS,
}

TEXT = ("string", "null")
HOST_SUFFIX = ".mktorest.com"
"""What follows the Munchkin id in the name of an instance's host."""

SECRET = "client_secret"  # noqa: S105  # the setting's name
CREDENTIALS = ("client_id", SECRET)

CONNECTION_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "munchkin_id": {
        "type": [*TEXT],
        "title": "Munchkin ID",
        "description": "Munchkin ID of the Marketo instance, such as `123-ABC-456`. "
        "Needed unless `base_url` is set.",
    },
    "base_url": {
        "type": [*TEXT],
        "title": "Base URL",
        "description": "REST endpoint of the instance, with or without `/rest`. "
        "Default: `https://<munchkin_id>.mktorest.com`.",
    },
    "identity_url": {
        "type": [*TEXT],
        "title": "Identity URL",
        "description": "Identity endpoint of the instance. Default: `<base_url>/identity`.",
    },
    "client_id": {
        "type": [*TEXT],
        "title": "Client ID",
        "description": "Client ID of the custom service in Marketo's LaunchPoint.",
    },
    "client_secret": {
        "type": [*TEXT],
        "title": "Client secret",
        "description": "Client secret of the custom service.",
        "secret": True,
        "writeOnly": True,
    },
    "calls_per_20_seconds": {
        "type": ["integer", "null"],
        "minimum": 1,
        "maximum": CALLS_PER_WINDOW_MAX,
        "default": CALLS_PER_WINDOW_DEFAULT,
        "title": "Calls per 20 seconds",
        "description": "Most API calls in any 20 seconds. Marketo allows 100 to all integrations "
        "together and recommends half of that for one.",
    },
    "max_concurrent_calls": {
        "type": ["integer", "null"],
        "minimum": 1,
        "maximum": CONCURRENT_CALLS_MAX,
        "default": CONCURRENT_CALLS_DEFAULT,
        "title": "Concurrent calls",
        "description": "Most API calls at once. Marketo allows 10 to all integrations together "
        "and recommends half of that for one.",
    },
    "request_timeout_seconds": {
        **SECONDS,
        "default": REQUEST_TIMEOUT_DEFAULT_SECONDS,
        "title": "Request timeout",
        "description": "Seconds without a byte from Marketo after which a call is given up and "
        "tried again.",
    },
    "max_retry_seconds": {
        **SECONDS,
        "default": MAX_RETRY_DEFAULT_SECONDS,
        "title": "Longest retry",
        "description": "Seconds a transient fault (network, time-outs, rate limits) may last "
        "before the run fails.",
    },
    "on_daily_quota": {
        "type": [*TEXT],
        "enum": ["stop", "wait", None],
        "default": "stop",
        "title": "On daily quota",
        "description": "When Marketo's daily quota is used up: `stop` keeps what is done and "
        "fails, `wait` sleeps until the quota is reset.",
    },
}
"""JSON Schema of each setting, in the order of the documentation."""


def plugin_schema(own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a plugin's settings: these, then its `own` properties."""
    properties = {**CONNECTION_SETTINGS, **own}
    return {
        "type": "object",
        "properties": {name: dict(schema) for name, schema in properties.items()},
    }


def missing_settings(config: Mapping[str, Any]) -> list[str]:
    """Return, as one sentence, what must be set to reach Marketo and is not; empty if nothing."""
    missing = [name for name in CREDENTIALS if not config.get(name)]
    if not config.get("munchkin_id") and not config.get("base_url"):
        missing.append("munchkin_id (or base_url)")
    return [f"{', '.join(missing)} must be set"] if missing else []


def has_credentials(config: Mapping[str, Any]) -> bool:
    """Return whether Marketo can be asked anything."""
    return all(config.get(name) for name in CREDENTIALS)


def without_secrets(errors: Iterable[str]) -> list[str]:
    """Return what a validator says, less what it quotes of a secret."""
    return [f"{SECRET} must be text" if SECRET in error else error for error in errors]


def instance_of(config: Mapping[str, Any]) -> str:
    """Return the name of the Marketo instance: its Munchkin ID or its host; empty if none is named.

    `folded_instance` makes one of both.
    """
    return config.get("munchkin_id") or urlsplit(config.get("base_url") or "").netloc


def folded_instance(name: str) -> str:
    """Return the name of an instance, whether `munchkin_id` or `base_url` has told it."""
    return name.casefold().removesuffix(HOST_SUFFIX)


def connection_from(config: Mapping[str, Any]) -> Connection:
    """Return how to reach Marketo, as a validated config says; `missing_settings` comes first."""
    base_url = config.get("base_url") or f"https://{config['munchkin_id']}{HOST_SUFFIX}"
    return Connection(
        base_url=base_url,
        identity_url=config.get("identity_url"),
        client_id=config["client_id"],
        client_secret=config["client_secret"],
        calls_per_20_seconds=_value(config, "calls_per_20_seconds"),
        max_concurrent_calls=_value(config, "max_concurrent_calls"),
        request_timeout_seconds=float(_value(config, "request_timeout_seconds")),
        max_retry_seconds=float(_value(config, "max_retry_seconds")),
        wait_for_daily_quota=_value(config, "on_daily_quota") == "wait",
    )


def _value(config: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401  # a JSON value
    value = config.get(name)
    return CONNECTION_SETTINGS[name]["default"] if value is None else value
