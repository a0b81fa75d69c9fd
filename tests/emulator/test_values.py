"""The lexical forms of values."""

from __future__ import annotations

import pytest

from marketo_emulator.data.values import (
    cell_writer,
    moment_text,
    parse_cell,
    parse_moment,
    readable,
)

NEW_YEAR = 1_767_225_600


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01",
        "2026-01-01T00:00:00.123Z",
        "2026-01-01T01:00:00+01:00",
        "2025-12-31T19:00:00-0500",
        "2026-01-01T00:00:00Z+0000",
        "2026-01-01 00:00:00",
    ],
)
def test_every_form_of_a_moment_is_the_same_second(text: str) -> None:
    """Offsets count, fractions do not, and none means UTC."""
    assert parse_moment(text) == NEW_YEAR


@pytest.mark.parametrize(
    "text", ["yesterday", "", "2026-13-01", "01/02/2026", "2026-01-01T25:00:00Z"]
)
def test_text_that_is_no_moment_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=r"."):
        parse_moment(text)


def test_moment_is_written_in_utc_seconds() -> None:
    """The form of the bulk API, also around a day's end, before 1970, and in the first year."""
    texts = [moment_text(seconds) for seconds in (NEW_YEAR - 1, NEW_YEAR, -1)]
    assert texts == ["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "1969-12-31T23:59:59Z"]
    first = parse_moment("0001-01-01T00:00:00Z")
    assert moment_text(first) == "0001-01-01T00:00:00Z"


def test_booleans_are_digits_or_words() -> None:
    """Each kind of export has its own style."""
    digits, words = cell_writer("boolean", "digits"), cell_writer("boolean", "words")
    assert digits is not None
    assert words is not None
    assert list(map(digits, (True, False))) == ["1", "0"]
    assert list(map(words, (True, False))) == ["true", "false"]


def test_readable_shows_moments_as_text() -> None:
    """Only moments are stored otherwise than they are read."""
    assert readable(NEW_YEAR, "datetime") == "2026-01-01T00:00:00Z"
    assert readable(None, "datetime") is None
    assert readable(5, "integer") == 5


@pytest.mark.parametrize(
    ("data_type", "text", "value"),
    [
        ("integer", "+12", 12),
        ("score", "-3", -3),
        ("float", ".5", 0.5),
        ("currency", "1e2", 100.0),
        ("boolean", "1", True),
        ("boolean", "False", False),
        ("date", "2026-02-28", "2026-02-28"),
        ("string", " x ", " x "),
        ("reference", "0012", "0012"),
    ],
)
def test_cell_is_parsed_by_its_type(data_type: str, text: str, value: object) -> None:
    """Text stays as it is; the rest becomes a value of its type."""
    assert parse_cell(text, data_type) == value


@pytest.mark.parametrize(
    ("data_type", "text"),
    [
        ("integer", "1.0"),
        ("integer", " 1"),
        ("float", "1,5"),
        ("percent", "100%"),
        ("boolean", "yes"),
        ("date", "2026-02-30"),
        ("date", "20260228"),
        ("date", "2026-W09-6"),
        ("float", "nan"),
    ],
)
def test_cell_of_another_type_is_refused(data_type: str, text: str) -> None:
    """A value that does not fit is an error, not a default."""
    with pytest.raises(ValueError, match=r"."):
        parse_cell(text, data_type)
