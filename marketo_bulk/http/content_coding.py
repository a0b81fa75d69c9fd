"""Content coding: what was done to a body on its way, by the words of its Content-Encoding."""

from __future__ import annotations

from marketo_bulk.errors import one_line

# No codings: the absence of one, and words of charsets and of mail that servers put here by
# mistake. The bytes of such a body are as they were.
_HARMLESS = frozenset(
    {
        *("identity", "none", "7bit", "8bit", "binary"),
        *("utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1"),
    }
)
UNDONE = frozenset({"gzip", "x-gzip", "deflate"})
"""What is undone for answers in JSON."""


def content_codings(header: str) -> tuple[str, ...]:
    """Return the codings a header names, in lower case, first applied first; none if harmless."""
    words = (one_line(word)[:40].lower() for word in header.split(","))
    return tuple(word for word in words if word and word not in _HARMLESS)
