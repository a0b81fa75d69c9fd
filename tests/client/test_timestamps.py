from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketo_bulk.errors import DecodeError
from marketo_bulk.timestamps import format_timestamp, parse_timestamp


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-05-01T20:41:45Z", datetime(2020, 5, 1, 20, 41, 45, tzinfo=timezone.utc)),
        ("2017-01-21T11:47:30-08:00", datetime(2017, 1, 21, 19, 47, 30, tzinfo=timezone.utc)),
        ("2013-09-26T06:56:35+0000", datetime(2013, 9, 26, 6, 56, 35, tzinfo=timezone.utc)),
        ("2015-11-18T15:25:35Z+0000", datetime(2015, 11, 18, 15, 25, 35, tzinfo=timezone.utc)),
        ("2015-11-18T15:25:35Z+00:00", datetime(2015, 11, 18, 15, 25, 35, tzinfo=timezone.utc)),
        ("2020-01-11T02:33:48.142Z", datetime(2020, 1, 11, 2, 33, 48, 142000, timezone.utc)),
        ("2020-01-11T02:33:48.1234567Z", datetime(2020, 1, 11, 2, 33, 48, 123456, timezone.utc)),
        ("2020-01-11 02:33:48+05:30", datetime(2020, 1, 10, 21, 3, 48, tzinfo=timezone.utc)),
    ],
)
def test_timestamp_every_spelling_is_the_same_moment(text: str, expected: datetime) -> None:
    """Each spelling seen from Marketo is read as the moment it names."""
    assert expected == parse_timestamp(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2020-05-01",
        "2020-05-01T20:41:45",
        "2020-05-01T20:41Z",
        "2020-05-01T20:41:45Z+0100",
        "2020-05-01T20:41:45Z ",
        "2020-02-30T00:00:00Z",
        "2020-05-01T24:00:00Z",
        "2020-05-01T20:41:45+99:00",
        "0001-01-01T00:00:00+14:00",
        "\u0662020-05-01T20:41:45Z",
    ],
)
def test_timestamp_that_names_no_moment_is_refused(text: str) -> None:
    """What names no moment is an error that keeps the text, never a guess."""
    with pytest.raises(DecodeError) as caught:
        parse_timestamp(text)
    assert text == caught.value.value


@given(
    st.datetimes(timezones=st.just(timezone.utc)).map(lambda moment: moment.replace(microsecond=0))
)
def test_timestamp_round_trips(moment: datetime) -> None:
    """Every whole second survives being written and read."""
    assert moment == parse_timestamp(format_timestamp(moment))


def test_format_converts_to_utc() -> None:
    """A moment of another zone is written in UTC."""
    zone = timezone(timedelta(hours=-5))
    assert format_timestamp(datetime(2026, 7, 1, tzinfo=zone)) == "2026-07-01T05:00:00Z"


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 7, 1),  # noqa: DTZ001 - naive is the point
        datetime(2026, 7, 1, microsecond=1, tzinfo=timezone.utc),
    ],
)
def test_format_refuses_what_it_would_have_to_round(moment: datetime) -> None:
    """A naive moment and a fraction of a second are refused, not guessed."""
    with pytest.raises(ValueError, match=r"time zone|whole second"):
        format_timestamp(moment)
