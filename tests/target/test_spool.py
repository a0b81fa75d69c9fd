from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_marketo_bulk.files import spool as spool_module
from target_marketo_bulk.files.import_file import ImportFile
from target_marketo_bulk.files.open_file import OPEN_FILE_BYTES
from target_marketo_bulk.files.spool import OversizedRowError, Spool
from target_marketo_bulk.records.lookup_keys import Key, Keys
from target_marketo_bulk.records.row_format import RowFormat
from tests.target.layouts import layout_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FORMAT = RowFormat("csv")
COLUMNS = [("email", "a"), ("email", "a", "b"), ("email", "b"), ("c", "email")]
LAYOUTS = [layout_of(*columns) for columns in COLUMNS]
LIMIT = 60


class Files(list[ImportFile]):
    """Files handed over; closed at the end of a test."""

    def spool(self, clock: Callable[[], float] = lambda: 0.0, **bounds: int) -> Spool:
        """Return a spool that hands over to this list."""
        return Spool(
            self.append,
            **{"limit_bytes": LIMIT, **bounds},
            max_age_seconds=10,
            clock=clock,
        )

    def close(self) -> None:
        """Close all."""
        for file in self:
            file.close()


@pytest.fixture
def files() -> Iterator[Files]:
    """Files, closed in the end."""
    made = Files()
    yield made
    made.close()


def put(spool: Spool, which: int, key: str, value: str) -> None:
    """Add a row to the file of one of the layouts."""
    layout = LAYOUTS[which]
    row = [key if name == "email" else value for name in layout.columns]
    spool.add(layout, Key(key), FORMAT.encode(row))


def bodies(files: Files) -> list[bytes]:
    """Return what the files hold."""
    for file in files:
        file.handle.seek(0)
    return [file.handle.read() for file in files]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from("abcdeABC"), st.integers(0, 9999)), max_size=60
    ),
    st.integers(1, 4),
    st.sampled_from([2 * OPEN_FILE_BYTES, 5 * OPEN_FILE_BYTES, 10**6]),
)
def test_files_in_order_leave_what_the_records_in_order_would(
    records: list[tuple[int, str, int]], open_files_max: int, index_max_bytes: int
) -> None:
    """Whatever shares files: each is below the limit, has a key once, and applied in order wins."""
    files = Files()
    spool = files.spool(open_files_max=open_files_max, index_max_bytes=index_max_bytes)
    expected: dict[tuple[str, str], str] = {}
    for which, key, value in records:
        put(spool, which, key, str(value))
        for name in COLUMNS[which]:
            if name != "email":
                expected[key.casefold(), name] = str(value)
    spool.close_all()
    actual: dict[tuple[str, str], str] = {}
    rows = 0
    for file, body in zip(files, bodies(files), strict=True):
        assert len(body) == file.size_bytes < LIMIT
        assert file.rows > 0
        keys = []
        for row in file.read_rows():
            named = dict(zip(file.layout.columns, row, strict=True))
            keys.append(named.pop("email").casefold())
            actual |= {(keys[-1], name): value for name, value in named.items()}
        assert len(keys) == len(set(keys)) == file.rows
        rows += file.rows
    assert actual == expected
    assert rows + spool.replaced_rows == len(records)
    files.close()


def test_disk_limit_holds_file_after_file(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """The space a closed file gives back is the space it took, its header's, too."""
    monkeypatch.setattr(spool_module, "SPOOL_MAX_BYTES", 40)
    spool = files.spool()
    for number in range(96):
        put(spool, 0, f"x{number:02d}", "1")
    spool.close_all()
    assert {file.size_bytes for file in files} == {len(b"email,a\n") + 6 * len(b"x00,1\n")}


Batch = tuple[int, list[tuple[str, str]]]


def draw_batches(dice: Random) -> list[Batch]:
    """Return rows that come together, with the number of their layout."""
    return [
        (
            dice.choice((0, 0, 0, 0, 2)),
            [
                (f"aA{dice.randrange(40)}", "v" * dice.randrange(9))
                for _ in range(dice.randrange(1, 6))
            ],
        )
        for _ in range(1_000)
    ]


def put_batch(spool: Spool, which: int, rows: list[tuple[str, str]]) -> None:
    """Add rows to the file of one of the layouts, at once where that is possible."""
    layout = LAYOUTS[which]
    keys = Keys([key for key, _ in rows])
    if not spool.add_new(layout, keys, [FORMAT.encode(row) for row in rows]):
        put_each(spool, which, rows)


def put_each(spool: Spool, which: int, rows: list[tuple[str, str]]) -> None:
    """Add rows to the file of one of the layouts, one by one."""
    for key, value in rows:
        put(spool, which, key, value)


@pytest.mark.parametrize(
    ("limit_bytes", "disk_max_bytes", "index_max_bytes"),
    [(60, 10**9, 10**6), (10**6, 60, 10**6), (10**6, 10**9, 4 * OPEN_FILE_BYTES + 2_000)],
)
def test_rows_added_together_are_those_added_one_by_one(
    monkeypatch: pytest.MonkeyPatch, limit_bytes: int, disk_max_bytes: int, index_max_bytes: int
) -> None:
    """Whatever ends a file, its size, the disk space or the index: it ends at the same row."""
    monkeypatch.setattr(spool_module, "SPOOL_MAX_BYTES", disk_max_bytes)
    batches = draw_batches(Random(0))
    left = []
    for add in (put_batch, put_each):
        files = Files()
        spool = files.spool(limit_bytes=limit_bytes, index_max_bytes=index_max_bytes)
        for which, rows in batches:
            add(spool, which, rows)
        ended = len(files)
        spool.close_all()
        units = [file.unit for file in files]
        left.append((bodies(files), units, ended, spool.replaced_rows))
        files.close()
    assert left[0] == left[1]


def test_files_are_full(files: Files) -> None:
    """A file ends only when the next row would reach the limit."""
    spool = files.spool(limit_bytes=10_000)
    for number in range(2_000):
        put(spool, 0, f"{number:05d}", "value")
    spool.close_all()
    assert [file.size_bytes > 9_970 for file in files[:-1]] == [True, True]


def test_absent_property_is_no_empty_cell(files: Files) -> None:
    """Records with different properties never share a file."""
    spool = files.spool()
    put(spool, 0, "x", "1")
    put(spool, 2, "y", "2")
    spool.close_all()
    assert bodies(files) == [b"email,a\nx,1\n", b"email,b\ny,2\n"]


def test_older_row_of_another_file_goes_first(files: Files) -> None:
    """A file is handed over after the one with an older row of one of its leads."""
    spool = files.spool()
    put(spool, 0, "x", "1")
    put(spool, 1, "x", "2")
    put(spool, 0, "y", "3")
    put(spool, 2, "z", "3")
    spool.close_all()
    assert bodies(files) == [
        b"email,a\nx,1\ny,3\n",
        b"email,a,b\nx,2,2\n",
        b"email,b\nz,3\n",
    ]


def test_later_row_replaces_the_one_before_rows_of_other_files(files: Files) -> None:
    """Of a lead the last row for each set of columns is sent, in the order of these."""
    spool = files.spool()
    put(spool, 0, "x", "1")
    put(spool, 1, "x", "2")
    put(spool, 0, "y", "9")
    put(spool, 0, "x", "3")
    spool.close_all()
    assert bodies(files) == [b"email,a\ny,9\n", b"email,a,b\nx,2,2\n", b"email,a\nx,3\n"]
    assert [(file.unit, file.is_last) for file in files] == [(1, False), (2, True), (1, True)]
    assert spool.replaced_rows == 1


@pytest.mark.parametrize("sets", [2, 3, 4])
def test_sets_that_take_turns_make_one_file_each(files: Files, sets: int) -> None:
    """However often the sets of properties of one lead alternate."""
    spool = files.spool(limit_bytes=10_000)
    for number in range(100 * sets):
        put(spool, number % sets, "x", str(number))
        put(spool, number % sets, f"other{number}", "1")
    spool.close_all()
    assert len(files) == sets


def test_spellings_in_turn_make_two_files(files: Files) -> None:
    """Pairs of addresses that differ by case, one after the other: two files, not one a pair."""
    spool = files.spool(limit_bytes=100_000)
    for number in range(100):
        put(spool, 0, f"p{number}", "1")
        put(spool, 0, f"P{number}", "2")
    spool.close_all()
    assert [file.rows for file in files] == [100, 100]
    assert b"p7,1" in bodies(files)[0]
    assert b"P7,2" in bodies(files)[1]


def test_number_of_files_is_bounded_whatever_the_order(files: Files) -> None:
    """Sets and spellings in any order: no more files than there are pairs of these."""
    spool = files.spool(limit_bytes=100_000)
    dice = Random(1)
    for number in range(5_000):
        put(spool, dice.randrange(4), dice.choice(("ann", "Ann", "bob", "eve")), str(number))
    spool.close_all()
    assert len(files) <= 4 * 2 * 4


def test_other_spelling_of_a_key_goes_into_the_next_file(files: Files) -> None:
    """Two spellings that may be one lead are both sent, one after the other."""
    spool = files.spool()
    put(spool, 0, "Ann", "1")
    put(spool, 0, "ann", "2")
    spool.close_all()
    assert bodies(files) == [b"email,a\nAnn,1\n", b"email,a\nann,2\n"]


def test_row_above_the_limit_is_refused_and_costs_nothing_else(files: Files) -> None:
    """A row no file can hold is refused; the file being filled goes on."""
    spool = files.spool()
    put(spool, 0, "x", "1")
    with pytest.raises(OversizedRowError, match="limit of 60"):
        put(spool, 0, "y", "2" * 60)
    put(spool, 0, "z", "3")
    spool.close_all()
    assert bodies(files) == [b"email,a\nx,1\nz,3\n"]


def test_file_is_handed_over_when_it_is_old(files: Files) -> None:
    """Age is counted from a file's first row."""
    now = [0.0]
    spool = files.spool(clock=lambda: now[0])
    put(spool, 0, "x", "1")
    now[0] = 9.0
    put(spool, 2, "y", "1")
    spool.close_expired()
    assert files == []
    now[0] = 10.0
    spool.close_expired()
    assert bodies(files) == [b"email,a\nx,1\n"]
    spool.discard()


def test_some_file_makes_room(files: Files) -> None:
    """No more files are open than allowed."""
    spool = files.spool(open_files_max=2)
    for which in range(3):
        put(spool, which, "xyz"[which], "1")
    assert len(files) == 1
    spool.close_all()
    assert len(files) == 3


def test_sets_in_a_cycle_longer_than_allowed_still_share_files() -> None:
    """One set too many does not make a file of each row."""
    files = Files()
    spool = files.spool(limit_bytes=100_000, open_files_max=50)
    layouts = [layout_of("email", f"c{number}") for number in range(60)]
    for number in range(3_000):
        key = f"x{number}"
        spool.add(layouts[number % 60], Key(key), FORMAT.encode([key, "1"]))
    spool.close_all()
    assert len(files) < 1_000
    files.close()


def test_largest_file_makes_room_in_memory(files: Files) -> None:
    """When the lookup values of all files are too many, the largest file goes, full or not."""
    spool = files.spool(limit_bytes=10_000, index_max_bytes=4 * OPEN_FILE_BYTES + 2_300)
    put(spool, 2, "y", "1")
    for number in range(8):
        put(spool, 0, f"x{number}", "1")
    assert [file.rows for file in files] == [7]
    spool.discard()
