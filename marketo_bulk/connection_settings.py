"""Connection settings: what tap and target both ask their users for, and what it means.

Plain JSON Schema, so that this package needs nothing of the SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketo_bulk.connection import Connection
from marketo_bulk.errors import ConfigurationError
from marketo_bulk.limits import (
    CALLS_PER_WINDOW_DEFAULT,
    CALLS_PER_WINDOW_MAX,
    CONCURRENT_CALLS_DEFAULT,
    CONCURRENT_CALLS_MAX,
    MAX_RETRY_DEFAULT_SECONDS,
    REQUEST_TIMEOUT_DEFAULT_SECONDS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS: Mapping[str, Any] = {
    "type": ["number", "string", "null"],
    "exclusiveMinimum": 0,
    "pattern": r"^[0-9]*\.?[0-9]*[1-9][0-9]*\.?[0-9]*$",
}
"""More than zero seconds. As text too, because environment variables reach a plugin so, and because
Meltano cannot pass on fractions (`kind: decimal`) at all."""

TEXT = ("string", "null")

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
}
"""JSON Schema of each setting, in the order of the documentation."""


def plugin_schema(own: Mapping[str, Any], *, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the JSON Schema of a plugin's settings: these, then its `own` properties."""
    properties = {**CONNECTION_SETTINGS, **own}
    return {
        "type": "object",
        "properties": {name: dict(schema) for name, schema in properties.items()},
        "required": list(required),
    }


def connection_from(config: Mapping[str, Any]) -> Connection:
    """Return how to reach Marketo, as a validated config says.

    Raises: ConfigurationError if a setting is missing without which Marketo cannot be reached.
    """
    base_url = config.get("base_url")
    if not base_url:
        munchkin_id = config.get("munchkin_id")
        if not munchkin_id:
            raise ConfigurationError("set munchkin_id, or base_url: neither says where Marketo is")
        base_url = f"https://{munchkin_id}.mktorest.com"
    missing = [name for name in ("client_id", "client_secret") if not config.get(name)]
    if missing:
        raise ConfigurationError(f"set {' and '.join(missing)}: Marketo answers nobody without")
    return Connection(
        base_url=base_url,
        identity_url=config.get("identity_url"),
        client_id=config["client_id"],
        client_secret=config["client_secret"],
        calls_per_20_seconds=_value(config, "calls_per_20_seconds"),
        max_concurrent_calls=_value(config, "max_concurrent_calls"),
        request_timeout_seconds=float(_value(config, "request_timeout_seconds")),
        max_retry_seconds=float(_value(config, "max_retry_seconds")),
    )


def _value(config: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401  # a JSON value
    value = config.get(name)
    return CONNECTION_SETTINGS[name]["default"] if value is None else value
