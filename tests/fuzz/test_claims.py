"""The claims that are fuzzed hold for what a fuzzer begins with, has found, and a few more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.claims import SEPARATOR, check_failures, check_rows

ROWS = [
    pytest.param(
        b'\x091,2.5,true,2026-10-21,2026-10-21T00:00:00Z,"a ""b"", c"\n'
        b"7,1e3,0,null,2026-10-20T23:59:59.5Z,x\n",
        id="typed",
    ),
    pytest.param(b'\x08"a\nb",x\n1,"q ""r"""\n', id="quotes"),
    pytest.param(b'\x00\xef\xbb\xbfa,b\r\n1,"2"\r\n', id="mark"),
    pytest.param(b'\x0a1\t"2\t3"\n', id="tabs"),
    pytest.param(b'\x0c1;2\n"3";""\n', id="semicolons"),
    pytest.param(b'\x08"a"b",c\n', id="undoubled"),
    pytest.param(b"\x08a\rb,c\n", id="lone-cr"),
    pytest.param(b"\x08a\x00,\xff\n", id="no-text"),
    pytest.param(b'\x0a""', id="found-empty-cell-as-last-row"),
    pytest.param(b"\x0a" + bytes(8) + b"\n" + bytes(10), id="found-nuls-at-the-end"),
]
FAILURES = [
    b'\x00p@x,1,2\nq@x,"a,b",c\n\xff\xffemail,a,b,Import Failure Reason\np@x,1,2,Bad\n',
    b'\x40p@x,1,2\nq@x,"a,b",c\n\xff\xff\x01\x00',
    b'\x42p@x,1,2\nq@x,"a,b",c\n\xff\xff\x81\x00',
    b"\x01p@x,1,2\n\xff\xffImport Failure Reason\tEMAIL\nBad\t P@x \n",
    b"\x02p,1,2\np2,1,2\n\xff\xffa;b;import warning reason\n1;2;x\n1;2;y\n1;2;z\n",
]
TEXT = st.text('ab01",;\t\r\n \0\ufeff', max_size=40).map(str.encode)


@pytest.mark.parametrize("data", ROWS)
def test_rows_known_to_be_awkward(data: bytes) -> None:
    """Each seed and each finding keeps the claim."""
    check_rows(data)


@settings(deadline=None)
@given(st.integers(0, 15), TEXT | st.binary(max_size=40))
def test_rows_of_anything(choice: int, content: bytes) -> None:
    """Rows or DecodeError, and the same rows wherever blocks end."""
    check_rows(bytes([choice]) + content)


@pytest.mark.parametrize("data", FAILURES)
def test_failures_known_to_be_awkward(data: bytes) -> None:
    """Each seed keeps the claim."""
    check_failures(data)


@settings(deadline=None)
@given(st.sampled_from([0, 1, 2, 64, 65, 66]), TEXT, TEXT | st.binary(max_size=40))
def test_failures_of_anything(choice: int, sent: bytes, report: bytes) -> None:
    """No row counted twice or lost, whatever was sent and reported."""
    check_failures(bytes([choice]) + sent + SEPARATOR + report)
