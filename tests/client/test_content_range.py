from __future__ import annotations

import pytest

from marketo_bulk.exports.content_range import ContentRange, parse_length


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes 0-9999/123424", ContentRange(0, 10_000, 123_424)),
        ("bytes 5-9/*", ContentRange(5, 10, None)),
        ("bytes */20", ContentRange(None, None, 20)),
        ("", ContentRange(None, None, None)),
        ("bytes 5-9", ContentRange(None, None, None)),
        ("items 5-9/20", ContentRange(None, None, None)),
        (f"bytes 0-1/{'9' * 5000}", ContentRange(None, None, None)),
    ],
)
def test_content_range_says_what_it_says(header: str, expected: ContentRange) -> None:
    """The end is one past the last byte; what cannot be read says nothing."""
    assert expected == ContentRange.parse(header)


@pytest.mark.parametrize(
    ("header", "expected"),
    [("252", 252), ("0", 0), ("", None), ("-1", None), ("5, 6", None), ("9" * 5000, None)],
)
def test_length_is_a_number_or_nothing(header: str, expected: int | None) -> None:
    """A length that is none is not known, and costs no time to find out."""
    assert expected == parse_length(header)
