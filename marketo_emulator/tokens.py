"""The access token: one live at a time for each client, ended by the clock (C§2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from typing_extensions import override

from marketo_emulator.wire.errors import MarketoError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token; its text stays out of every log."""

    text: str
    client_id: str
    expires_at: datetime

    @override
    def __repr__(self) -> str:
        return f"Token(client_id={self.client_id!r}, expires_at={self.expires_at!r})"

    def seconds_left(self, now: datetime) -> int:
        """Return whole seconds until it expires, never less than none."""
        return max(0, int((self.expires_at - now).total_seconds()))


class Tokens:
    """All tokens ever given out, so that an expired one is told from an invented one."""

    def __init__(self, secrets: Mapping[str, str], lifetime_seconds: float, random: Random) -> None:
        self._secrets = dict(secrets)
        self._lifetime = timedelta(seconds=lifetime_seconds)
        self._random = random
        self._live: dict[str, Token] = {}
        self._given_out: dict[str, Token] = {}

    def accepts(self, client_id: str, client_secret: str) -> bool:
        """Whether these are the credentials of a client."""
        return bool(client_secret) and self._secrets.get(client_id) == client_secret

    def issue(self, client_id: str, now: datetime) -> Token:
        """Return the client's token: the live one as long as there is one, else a new one."""
        token = self._live.get(client_id)
        if token is None or token.expires_at <= now:
            text = f"{UUID(int=self._random.getrandbits(128), version=4)}:int"
            token = Token(text, client_id, now + self._lifetime)
            self._live[client_id] = self._given_out[text] = token
        return token

    def client_of(self, text: str, now: datetime) -> str:
        """Return whose token this is.

        Raises: MarketoError 601 for one never given out or revoked, 602 for an expired one.
        """
        token = self._given_out.get(text)
        if token is None:
            raise MarketoError("601")
        if token.expires_at <= now:
            raise MarketoError("602")
        return token.client_id

    def revoke(self) -> None:
        """Forget every token."""
        self._live.clear()
        self._given_out.clear()

    def expire(self, now: datetime) -> None:
        """End the life of every token at once, so that calls with it get 602."""
        for text, token in self._given_out.items():
            ended = Token(text, token.client_id, min(now, token.expires_at))
            self._given_out[text] = ended
            if self._live[token.client_id].text == text:
                self._live[token.client_id] = ended
