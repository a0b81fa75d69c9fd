"""The ways in which a body comes out wrong."""

from __future__ import annotations

import csv
import io
import json

import pytest

from marketo_emulator.faults.rewrites import REWRITES

FILE = (
    b"leadId,reachedSuccess,updatedAt,quizScore,dietaryNotes,statusName\n"
    b'7,1,2026-01-01T00:00:00Z,null,"a,\n""b""",Sent\n'
    b"8,0,2026-01-02T00:00:00Z,3,null,02 Opened\n"
)
LABELS = b"Lead Id,Success,Updated At,Quiz Score,Dietary Notes,Status"
HEADER, BODY = FILE.split(b"\n", 1)
DECIMALS = BODY.replace(b"7,1", b"7.0,1").replace(b"8,0", b"8.0,0").replace(b",3,", b",3.0,")
WINDOWS = FILE.replace(b"\n", b"\r\n").replace(b"a,\r\n", b"a,\n")
STATUS = json.dumps({"result": [{"fileChecksum": f"sha256:{'0a' * 32}"}]}).encode()


def rows(content: bytes, delimiter: str = ",") -> list[list[str]]:
    """Return the lines of a file."""
    return list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("empty", b""),
        ("byte_order_mark", b"\xef\xbb\xbf" + FILE),
        ("no_final_line_feed", FILE[:-1]),
        ("last_byte_missing", FILE[:-1]),
        ("half", FILE[: len(FILE) // 2]),
        ("header_only", FILE[: FILE.index(b"\n") + 1]),
        ("swapped_case", FILE.swapcase()),
        ("carriage_returns_and_line_feeds", WINDOWS),
        ("carriage_returns", FILE.replace(b"\n", b"\r").replace(b"a,\r", b"a,\n")),
        ("integers_as_decimals", HEADER + b"\n" + DECIMALS),
        ("moments_with_offset", FILE.replace(b"0Z", b"0.000+0000")),
        ("booleans_as_words", FILE.replace(b"7,1", b"7,TRUE").replace(b"8,0", b"8,false")),
        ("cell_garbage", FILE.replace(b"7,1", b"N/A,1")),
        ("quotes_unescaped", FILE.replace(b'"a,\n""b"""', b'"say "cheese" now"')),
        ("header_upper_case", HEADER.upper() + b"\n" + BODY),
        ("header_ui_labels", LABELS + b"\n" + BODY),
    ],
)  # fmt: skip
def test_rewrite_changes_one_thing(name: str, expected: bytes) -> None:
    """Every other byte stays, line ends within quotes included."""
    assert REWRITES[name](FILE) == expected


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("row_short", [6, 5, 6]),
        ("row_long", [6, 7, 6]),
        ("column_missing", [5, 5, 5]),
        ("column_added", [7, 7, 7]),
        ("column_repeated", [7, 7, 7]),
        ("columns_reversed", [6, 6, 6]),
        ("row_repeated", [6, 6, 6, 6]),
        ("row_missing", [6, 6]),
    ],
)
def test_rewrite_of_the_shape(name: str, widths: list[int]) -> None:
    """Lines and columns come and go as the name says."""
    assert [len(cells) for cells in rows(REWRITES[name](FILE))] == widths


def test_columns_reversed_keep_their_values() -> None:
    """Header and cells move together."""
    reversed_rows = rows(REWRITES["columns_reversed"](FILE))
    assert [cells[::-1] for cells in reversed_rows] == rows(FILE)


def test_column_repeated_has_the_last_name_twice() -> None:
    """With nothing in it."""
    header, *lines = rows(REWRITES["column_repeated"](FILE))
    assert header[-2:] == ["statusName", "statusName"]
    assert [cells[-1] for cells in lines] == ["null", "null"]


@pytest.mark.parametrize(
    ("name", "delimiter"), [("tab_separated", "\t"), ("semicolon_separated", ";")]
)
def test_separator_changes_alone(name: str, delimiter: str) -> None:
    """The cells are the same."""
    assert rows(REWRITES[name](FILE), delimiter) == rows(FILE)


def test_everything_quoted_reads_the_same() -> None:
    """Quotes around every cell change no value."""
    content = REWRITES["everything_quoted"](FILE)
    assert content.startswith(b'"leadId","reachedSuccess"')
    assert rows(content) == rows(FILE)


def test_rows_reversed_keep_the_header() -> None:
    """Only the order of the rows changes."""
    header, *lines = rows(FILE)
    assert rows(REWRITES["rows_reversed"](FILE)) == [header, *lines[::-1]]


@pytest.mark.parametrize(
    ("name", "piece"),
    [("null_byte", b"\0"), ("invalid_utf8", b"\xff\xfe"), ("cell_huge", b"x" * 200_000)],
)
def test_rewrite_of_a_text(name: str, piece: bytes) -> None:
    """The first text cell that holds something is the one that suffers."""
    content = REWRITES[name](FILE)
    assert piece in content
    assert content.endswith(b"\n8,0,2026-01-02T00:00:00Z,3,null,02 Opened\n")


@pytest.mark.parametrize(
    ("name", "checksum"),
    [
        ("checksum_upper_case", f"sha256:{'0A' * 32}"),
        ("checksum_wrong", f"sha256:{'0a' * 30}f5f5"),
        ("checksum_md5", f"md5:{'0a' * 16}"),
    ],
)
def test_rewrite_of_a_checksum(name: str, checksum: str) -> None:
    """In a status that has one; others stay as they are."""
    document = json.loads(REWRITES[name](STATUS))
    assert document["result"][0]["fileChecksum"] == checksum
    without = b'{"result": [{"status": "Queued"}]}'
    assert REWRITES[name](without) == without


def test_integer_codes() -> None:
    """Codes lose their quotes."""
    errors = b'{"errors": [{"code": "606", "message": "x"}]}'
    assert json.loads(REWRITES["integer_codes"](errors))["errors"][0]["code"] == 606


def test_no_rewrite_chokes_on_an_empty_file() -> None:
    """Faults may meet any file."""
    for name, rewrite in REWRITES.items():
        if not name.startswith(("checksum", "integer_codes")):
            assert isinstance(rewrite(b""), bytes)
