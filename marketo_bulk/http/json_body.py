"""JSON body: the value of an answer, or one error, whatever Python reads it."""

from __future__ import annotations

import json
import re

NESTED_MAX = 100
"""Levels of lists and objects; Marketo's answers have fewer than ten.

Python's reader recurses for each level, in C and on whatever stack the caller has left: 3.10 gives
up at 994 levels in all, 3.13 at 9,998. So no answer is left to that limit.
"""

_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
"""A text; one without an end goes on to the end of all, so that none is looked at twice."""

_OPENING = b"[{"
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def json_of(body: bytes) -> object:
    """Return what a body holds.

    Raises: ValueError if that is no JSON, or nested deeper than NESTED_MAX.
    """
    if sum(map(body.count, (b"[", b"{"))) > NESTED_MAX and _depth(body) > NESTED_MAX:
        raise ValueError(f"nested deeper than {NESTED_MAX} levels")
    parsed: object = json.loads(body)
    return parsed


def _depth(body: bytes) -> int:
    """Return how many lists and objects are open at once, as far as NESTED_MAX and one more."""
    depth = deepest = 0
    for bracket in _TEXT.sub(b"", body).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in _OPENING else -1
        deepest = max(deepest, depth)
        if deepest > NESTED_MAX:
            break
    return deepest
