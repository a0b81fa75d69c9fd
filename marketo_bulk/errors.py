"""The errors of the client, grouped by what the caller should do about them."""

from __future__ import annotations


class MarketoBulkError(Exception):
    """Anything this package raises on purpose."""


class DecodeError(MarketoBulkError):
    """An answer or a file does not hold what its description promises; repeating will not help."""

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        column: str | None = None,
        value: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.value = value
