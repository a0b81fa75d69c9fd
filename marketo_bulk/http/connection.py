"""Connection: where an instance is and how it may be called; checked when it is made."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from marketo_bulk.errors import ConfigurationError
from marketo_bulk.limits import (
    CALLS_PER_WINDOW_DEFAULT,
    CONCURRENT_CALLS_DEFAULT,
    MAX_RETRY_DEFAULT_SECONDS,
    REQUEST_TIMEOUT_DEFAULT_SECONDS,
)

_TOKEN_PATH = "/oauth/token"  # noqa: S105 - an address, no secret


@dataclass(frozen=True, slots=True)
class Connection:
    """One instance's addresses, credentials and limits.

    `base_url` may end in `/` or `/rest`, as Marketo's Admin shows it. `max_retry_seconds` is how
    long a passing fault may last before it is raised. With `wait_for_daily_quota`, a call refused
    because the day's quota is used up is made again after the reset.
    Raises: ConfigurationError, in one line, if the values cannot work.
    """

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    identity_url: str | None = None
    calls_per_20_seconds: int = CALLS_PER_WINDOW_DEFAULT
    max_concurrent_calls: int = CONCURRENT_CALLS_DEFAULT
    request_timeout_seconds: float = REQUEST_TIMEOUT_DEFAULT_SECONDS
    max_retry_seconds: float = MAX_RETRY_DEFAULT_SECONDS
    wait_for_daily_quota: bool = False

    def __post_init__(self) -> None:
        if not self.client_id or not self.client_secret:
            raise ConfigurationError("client_id and client_secret must both be set")
        for name in ("calls_per_20_seconds", "max_concurrent_calls", "request_timeout_seconds"):
            if not getattr(self, name) > 0:
                raise ConfigurationError(f"{name} must be above zero, not {getattr(self, name)}")
        if not self.max_retry_seconds >= 0:
            raise ConfigurationError("max_retry_seconds must be at least 0: no retries, or some")
        base_url = re.sub(r"/rest$", "", _checked_url("base_url", self.base_url))
        identity_url = _checked_url("identity_url", self.identity_url or f"{base_url}/identity")
        object.__setattr__(self, "base_url", base_url)
        object.__setattr__(self, "identity_url", identity_url.removesuffix(_TOKEN_PATH))

    @property
    def token_url(self) -> str:
        """Where tokens are handed out."""
        return f"{self.identity_url}{_TOKEN_PATH}"

    @property
    def is_loopback(self) -> bool:
        """The instance is on this machine, so no proxy can lead to it."""
        return _is_loopback(urlsplit(self.base_url).hostname or "")


def _checked_url(name: str, text: str) -> str:
    try:
        parts = urlsplit(text.strip())
        host = parts.hostname
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{name} is not an address ({error})") from error
    if not host or parts.scheme not in {"http", "https"}:
        raise ConfigurationError(
            f"{name} must be an address such as https://123-ABC-456.mktorest.com"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError(f"{name} must hold no user name, password, query or fragment")
    if parts.scheme != "https" and not _is_loopback(host):
        raise ConfigurationError(f"{name} must start with https://: a token is sent to {host}")
    shown_host = f"[{host}]" if ":" in host else host
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/")
    return f"{parts.scheme}://{shown_host}{f':{port}' if port else ''}{path}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
