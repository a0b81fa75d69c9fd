"""The fault as the body of a control call."""

from __future__ import annotations

from http import HTTPStatus

from marketo_emulator.api.body import (
    BOOLEAN,
    COUNT,
    OBJECT,
    SECONDS,
    TEXT,
    WHOLE,
    Kind,
    Parameter,
    Shape,
    choice,
    or_null,
)
from marketo_emulator.faults.rewrites import REWRITES

_PLACE = Kind("integer from 1", lambda value: type(value) is int and value >= 1)
_MOST_SKEW = 10**9
_SKEW = Kind(
    "number of seconds",
    lambda value: type(value) in {int, float} and abs(value) <= _MOST_SKEW,
)
_STATUSES = frozenset(status.value for status in HTTPStatus)
_STATUS = Kind(
    "HTTP status or 0", lambda value: type(value) is int and (value == 0 or value in _STATUSES)
)
_TEXTS = Kind(
    "list of texts",
    lambda value: isinstance(value, list) and all(isinstance(text, str) for text in value),
)
_REWRITES = Kind(
    "list of rewrites", lambda value: _TEXTS.fits(value) and set(value) <= set(REWRITES)
)
_HEADERS = Kind(
    "object of texts or null",
    lambda value: (
        isinstance(value, dict) and all(isinstance(text, str | None) for text in value.values())
    ),
)

FAULT = Shape(
    {
        name: Parameter(kind)
        for name, kind in (
            ("operation", TEXT),
            ("method", TEXT),
            ("path", TEXT),
            ("nth", _PLACE),
            ("every", _PLACE),
            ("times", or_null(COUNT)),
            ("for_seconds", or_null(SECONDS)),
            ("delay_seconds", SECONDS),
            ("reset", choice("", "before", "after")),
            ("ignore_range", BOOLEAN),
            ("range_shift", WHOLE),
            ("code", TEXT),
            ("message", TEXT),
            ("status", _STATUS),
            ("body", or_null(TEXT)),
            ("takes_effect", BOOLEAN),
            ("put", OBJECT),
            ("drop", _TEXTS),
            ("rewrites", _REWRITES),
            ("headers", _HEADERS),
            ("date_skew_seconds", _SKEW),
            ("cut_after_bytes", or_null(COUNT)),
            ("chunked", BOOLEAN),
            ("drip_bytes", COUNT),
            ("drip_seconds", SECONDS),
            ("outcome", choice("", "Failed", "Cancelled", "Stuck")),
            ("job_seconds", or_null(SECONDS)),
        )
    },
    is_list_allowed=True,
)
