"""Token keeper: holds the access token of a client, and lets one thread at a time renew it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from marketo_bulk.errors import MarketoBulkError
from marketo_bulk.limits import TOKEN_MIN_REUSE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marketo_bulk.auth import AccessToken
    from marketo_bulk.runtime import Runtime


class TokenKeeper:
    """The latest token; `ask` brings one from the identity service. Thread-safe."""

    def __init__(self, ask: Callable[[], AccessToken], runtime: Runtime) -> None:
        self._ask = ask
        self._runtime = runtime
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._failure: MarketoBulkError | None = None
        self._failures = 0

    def current(self) -> AccessToken:
        """Return a token that should work."""
        with self._alone():
            if self._token is None or self._runtime.clock() >= self._token.renew_at:
                self._token = self._ask()
            return self._token

    def renew(self, refused: AccessToken) -> AccessToken:
        """Return another token than the refused one, asking only if no other thread has.

        While a token has life left the service hands out the same again; one about to die is
        waited for, once and for seconds.
        """
        with self._alone():
            # Identity, not equality: a token handed out again after the refusal is news, too, or
            # each thread refused with it would ask once more.
            if self._token is not refused and self._token is not None:
                return self._token
            self._token = self._ask()
            left = self._token.expires_in_seconds
            if self._token.value == refused.value and left < TOKEN_MIN_REUSE_SECONDS:
                self._runtime.sleep(left + 1)
                self._token = self._ask()
            return self._token

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock; share a failure with the threads that were waiting for its outcome.

        Otherwise each of them would go through all the retries again, one after the other.
        """
        failures = self._failures
        with self._lock:
            if self._failure is not None and self._failures != failures:
                raise self._failure
            try:
                yield
            except MarketoBulkError as error:
                self._failure = error
                self._failures += 1
                raise
