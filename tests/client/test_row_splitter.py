"""Text rows: one at a time, cut with care."""

from __future__ import annotations

import pytest

from marketo_bulk.reader.row_splitter import TextRow, cut_row


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("a,b\nc", TextRow(["a", "b"], 4)),
        ("a,b\r\nc", TextRow(["a", "b"], 5)),
        ("a,b", TextRow(["a", "b"], 3)),
        ("a,b\r", TextRow(["a", "b\r"], 4)),
        ("a\rb,\r\r\nc", TextRow(["a\rb", "\r"], 7)),
        ("\n", TextRow([""], 1)),
        ("\r\n", TextRow([""], 2)),
        (",", TextRow(["", ""], 1)),
        ('"a,\n\r""b",""\n', TextRow(['a,\n\r"b', ""], 13)),
        ('"a"\r\nb', TextRow(["a"], 5)),
        ('"a","b"', TextRow(["a", "b"], 7)),
        ('5" pipe,a\n', TextRow(['5" pipe', "a"], 10, is_doubtful=True)),
        ('"first"Name1","last"\n', TextRow(['first"Name1', "last"], 21, is_lenient=True)),
        ('"a"\rb"\n', TextRow(['a"\rb'], 7, is_lenient=True)),
        ('"a"","b"\n', TextRow(['a","b'], 9, is_lenient=True, is_doubtful=True)),
        ('"a,"b" c"\n', TextRow(['a,"b" c'], 10, is_lenient=True, is_doubtful=True)),
        ('"open', None),
        ('"', None),
        ('a,"b""', None),
    ],
)
def test_cut_row_reads_well_formed_and_forgives_the_rest(text: str, row: TextRow | None) -> None:
    """C9, C10, C14: only LF and CRLF outside quotes end a row; what was forgiven is said."""
    assert cut_row(text, 0, ",") == row


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_cut_row_knows_each_delimiter(delimiter: str) -> None:
    """Only the delimiter asked for separates cells."""
    text = delimiter.join(["x", '"y,\t;"', "z"])
    assert cut_row(text, 0, delimiter) == TextRow(["x", "y,\t;", "z"], len(text))
