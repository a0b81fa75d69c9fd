"""Redaction: what was sent in confidence, taken out of what comes back.

Marketo does not repeat tokens and secrets; a gateway before it, or whoever answers in its place,
may, and its words end up in errors and logs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "***"

# Shorter ones are made up for tests, and could be part of any word.
SECRET_MIN_CHARACTERS = 8


class Redaction:
    """Hides secrets as they are, as they stand in a form, and as they stand in JSON."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {
            form
            for secret in secrets
            if len(secret) >= SECRET_MIN_CHARACTERS
            for form in (secret, quote_plus(secret), json.dumps(secret)[1:-1])
        }
        self._forms = sorted(forms, key=len, reverse=True)
        self._encoded = [form.encode() for form in self._forms]

    def of_text(self, text: str) -> str:
        """Return text without the secrets."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return text

    def of_body(self, body: bytes) -> bytes:
        """Return a body without the secrets."""
        for form in self._encoded:
            body = body.replace(form, HIDDEN.encode())
        return body
