"""Values: what one cell means as each type."""

from __future__ import annotations

from decimal import Decimal

import pytest

from marketo_bulk.reader.columns import Kind
from marketo_bulk.reader.values import PARSERS

GOOD: list[tuple[Kind, str, object]] = [
    (Kind.INTEGER, "75", 75),
    (Kind.INTEGER, "+5", 5),
    (Kind.INTEGER, "-3", -3),
    (Kind.INTEGER, "007", 7),
    (Kind.INTEGER, "5.0", 5),
    (Kind.INTEGER, "5.", 5),
    (Kind.INTEGER, "1e3", 1000),
    (Kind.INTEGER, "12.5E1", 125),
    (Kind.INTEGER, "-0", 0),
    (Kind.INTEGER, "0e99999", 0),
    (Kind.INTEGER, "9007199254740993.0", 9007199254740993),
    (Kind.INTEGER, "9223372036854775808", 9223372036854775808),
    (Kind.INTEGER, "99999999999999999999999999999999999", 99999999999999999999999999999999999),
    (Kind.NUMBER, "12.5", 12.5),
    (Kind.NUMBER, "16777217", 16777217.0),
    (Kind.NUMBER, "1.0E7", 1e7),
    (Kind.NUMBER, ".5", 0.5),
    (Kind.NUMBER, "-0.25", -0.25),
    (Kind.NUMBER, "34.65999984741211", 34.65999984741211),
    (Kind.NUMBER, "123456789012345.25", 123456789012345.25),
    (Kind.NUMBER, "0.12345678901234567890", Decimal("0.12345678901234567890")),
    (Kind.NUMBER, "9007199254740993", Decimal(9007199254740993)),
    (Kind.NUMBER, "1e-400", Decimal("1e-400")),
    *((Kind.BOOLEAN, text, True) for text in ("true", "TRUE", "True", "1", "yes", "YES", "t")),
    *((Kind.BOOLEAN, text, False) for text in ("false", "FALSE", "0", "no", "No", "f", "F")),
    (Kind.DATE, "2024-02-29", "2024-02-29"),
    (Kind.DATE, "2010-05-07T00:00:00Z", "2010-05-07"),
    (Kind.DATE, "2010-05-07 00:00:00.000-0800", "2010-05-07"),
    (Kind.DATETIME, "2019-04-12T05:58:10Z", "2019-04-12T05:58:10Z"),
    (Kind.DATETIME, "2019-04-12T05:58:10+0000", "2019-04-12T05:58:10Z"),
    (Kind.DATETIME, "2019-04-12T05:58:10Z+0000", "2019-04-12T05:58:10Z"),
    (Kind.DATETIME, "2019-12-31T21:58:10-08:00", "2020-01-01T05:58:10Z"),
    (Kind.DATETIME, "2020-01-01T01:58:10+0530", "2019-12-31T20:28:10Z"),
    (Kind.DATETIME, "2019-04-12T05:58:10.120Z", "2019-04-12T05:58:10.120Z"),
    (Kind.DATETIME, "2019-04-12 05:58:10", "2019-04-12T05:58:10Z"),
    (Kind.DATETIME, "2019-04-12", "2019-04-12T00:00:00Z"),
    (Kind.DATETIME, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    (Kind.STRING, " null ", " null "),
]

BAD: list[tuple[Kind, str]] = [
    *(
        (kind, text)
        for kind in (Kind.INTEGER, Kind.NUMBER)
        for text in (
            "N/A", "nan", "inf", "-Infinity", "1_000", " 12 ", "12 ", "\t1", "12\n", "\uff11", "\u0661",  # noqa: E501
            "0x10", "1,5", "", "-", ".", "e5", "1e", "--1", "1e99999999999999999999", "1e400" + "0" * 5000,  # noqa: E501
        )
    ),
    (Kind.INTEGER, "5.5"),
    (Kind.INTEGER, "1e-3"),
    (Kind.INTEGER, "1e4001"),
    (Kind.INTEGER, "1e999999999"),
    (Kind.INTEGER, "9" * 4001),
    (Kind.NUMBER, "1e400"),
    (Kind.NUMBER, "-1e309"),
    *((Kind.BOOLEAN, text) for text in ("2", "y", "on", "tru\u0435", " true", "-1")),
    *((Kind.DATE, text) for text in (
        "2023-02-29", "2023-13-01", "0000-01-01", "20230101", "2023-W01-1", "2023-1-1",
        "2023-01-01T00:00:01Z", "2023-01-01T00:00:00.001Z", "2023-02-30T00:00:00Z", " 2023-01-01",
        "\uff12023-01-01", "today", "01/02/2023",
    )),
    *((Kind.DATETIME, text) for text in (
        "2023-02-29T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:60:00Z",
        "2023-01-01T00:00:60Z", "0000-01-01T00:00:00Z", "2023-01-01T00:00:00z",
        "2023-01-01t00:00:00Z", "2023-01-01T00:00Z", "2023-01-01T00:00:00+24:00",
        "2023-01-01T00:00:00Z-0800", "2023-01-01T00:00:00Z ", "2023-01-01T00:00:00.Z",
        "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "yesterday",
        "2023-01-01T00:00:0\u0660Z",
    )),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "value"), GOOD)
def test_value_of_good_text_is_exact(kind: Kind, text: str, value: object) -> None:
    """C20 to C23: every spelling Marketo is known to send is read, without losing a digit."""
    result = PARSERS[kind](text)
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(("kind", "text"), BAD)
def test_value_of_bad_text_is_refused(kind: Kind, text: str) -> None:
    """C21: text that is no value of its type is never made into one."""
    with pytest.raises(ValueError):  # noqa: PT011 - the reader above names the cell
        PARSERS[kind](text)
