"""Content range: which bytes of how many an answer holds (RFC 9110, section 14.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

# 18 digits are an exabyte; a longer number is no size, and costs dear to convert.
_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)", re.ASCII)
_LENGTH = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ContentRange:
    """The bytes from `start` up to, not including, `end` of `total_bytes`; None where unknown."""

    start: int | None
    end: int | None
    total_bytes: int | None

    @classmethod
    def parse(cls, header: str) -> ContentRange:
        """Return what a Content-Range header says; nothing, if it cannot be read."""
        matched = _CONTENT_RANGE.fullmatch(header)
        first, last, total = matched.groups() if matched else (None, None, "*")
        return cls(
            start=None if first is None else int(first),
            end=None if last is None else int(last) + 1,
            total_bytes=None if total == "*" else int(total),
        )


def parse_length(header: str) -> int | None:
    """Return what a Content-Length header says; None if it cannot be read."""
    return int(header) if _LENGTH.fullmatch(header) else None
