"""Network errors: what it means that there is no answer, and which host and setting to look at."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from marketo_bulk.errors import (
    Answer,
    ConfigurationError,
    HostNotFoundError,
    MarketoBulkError,
    ServiceUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketo_bulk.http.connection import Connection

_FOR_NOW = frozenset({socket.EAI_AGAIN, socket.EAI_SYSTEM, socket.EAI_MEMORY})
"""What name servers say that may know the name a moment later."""

_NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    # Comes through requests as it is, for an empty label or one too long.
    urllib3.exceptions.LocationValueError,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of whom; `is_met` if the host has answered before."""

    operation: str
    host: str
    connection: Connection
    is_met: bool

    def setting_of(self, name: str) -> str:
        """Return the setting that says where this host is."""
        if name == urlsplit(self.connection.base_url).hostname:
            return "munchkin_id or base_url"
        if name == urlsplit(self.connection.identity_url or "").hostname:
            return "identity_url"
        return "HTTPS_PROXY"


def network_error(error: Exception, asked: Asked, *, never_sent: bool) -> MarketoBulkError:
    """Return the error for a request without an answer.

    Shape: ConfigurationError where waiting is in vain; else ServiceUnavailableError, whose
    `never_sent` says whether Marketo can have seen the whole request.
    """
    where = Answer(asked.operation)
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return ConfigurationError(
            f"{asked.host}: the server's certificate is not trusted",
            answer=where,
            remedy="Check base_url and identity_url, and REQUESTS_CA_BUNDLE behind a proxy",
        )
    name = urlsplit(f"//{asked.host}").hostname or ""
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return _unresolved(cause, _host_in(causes) or name, asked)
    setting = asked.setting_of(name)
    if isinstance(error, _NO_ADDRESS):
        # An address that no request can be made to, as with an empty label in the host's name.
        return ConfigurationError(
            f"{asked.host} is no address ({class_name(error)})",
            answer=where,
            remedy=f"Check {setting}, and HTTPS_PROXY if it is set",
        )
    # The exception's own words are left out: they repeat whole addresses. The host says enough.
    return ServiceUnavailableError(
        f"no answer from {asked.host} ({class_name(error)})",
        answer=where,
        remedy="" if asked.is_met else f"Check {setting}; Marketo may also be back later",
        never_sent=never_sent
        or any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in causes)
        or isinstance(error, requests.ConnectTimeout),
        unreached=f"{asked.host} ({class_name(error)})",
    )


def class_name(error: BaseException) -> str:
    """Return what tells a reset from a time-out: the operating system's or http.client's class."""
    wrappers = (requests.RequestException, urllib3.exceptions.HTTPError)
    telling = (OSError, http.client.HTTPException)
    for cause in _causes(error):
        if isinstance(cause, http.client.IncompleteRead):
            return "IncompleteRead"
        if isinstance(cause, telling) and not isinstance(cause, wrappers):
            return type(cause).__name__
    return type(error).__name__


def _unresolved(cause: socket.gaierror, name: str, asked: Asked) -> MarketoBulkError:
    """Return the error for a host whose name leads nowhere: wrong at first, down for now later."""
    where = Answer(asked.operation)
    said = f"the name {name} cannot be resolved ({cause.strerror})"
    remedy = f"Check {asked.setting_of(name)}, and the network of this machine"
    unreached = f"{name} (its name cannot be resolved)"
    if asked.is_met:
        return ServiceUnavailableError(said, answer=where, never_sent=True, unreached=unreached)
    if cause.errno in _FOR_NOW:
        return HostNotFoundError(
            said, answer=where, remedy=remedy, never_sent=True, unreached=unreached
        )
    return ConfigurationError(said, answer=where, remedy=remedy)


def _host_in(causes: list[BaseException]) -> str | None:
    """Return the host whose name was looked up: that of a proxy, where there is one."""
    for cause in causes:
        if isinstance(cause, urllib3.exceptions.NameResolutionError):
            host = getattr(getattr(cause, "conn", None), "host", None)
            return host if isinstance(host, str) else None
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it wraps: requests and urllib3 keep that in three places."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and cause not in seen:
            seen.append(cause)
            waiting += [cause.__context__, getattr(cause, "reason", None), *cause.args]
            yield cause
