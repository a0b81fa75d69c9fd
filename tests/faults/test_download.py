"""What goes wrong while a file is downloaded, each named by its id (docs/faults.md)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest

from marketo_bulk.errors import ChecksumMismatchError
from marketo_emulator import Fault
from tests.tap_runs import NO_RATE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.drill import Drill

FILE = "export.file"
CUT = Fault(operation=FILE, cut_after_bytes=5_000)
SPOILT = Fault(operation=FILE, rewrites=("swapped_case",))


@pytest.mark.parametrize(
    ("end", "second"),
    # A reset may take bytes with it that have arrived and were not read yet.
    [("", {206}), ("after", {206, 200})],
    ids=["closed", "reset"],
)
@pytest.mark.fault(
    "F1",
    "the file ends early under a larger Content-Length, or the connection is reset inside it",
    "resumes with Range from the bytes it has",
)
def test_f1_file_that_breaks_off_is_resumed(
    drill: Drill, end: Literal["", "after"], second: set[int]
) -> None:
    """The rest comes as a part (206), and each byte is there once."""
    drill.arm(replace(CUT, reset=end))
    drill.assert_whole(drill.run())
    first, resumed = drill.statuses(FILE)
    assert first == 200
    assert resumed in second


@pytest.mark.fault(
    "F2",
    "the file ends early and cleanly, without a length",
    "sees it by the announced size, resumes",
)
def test_f2_file_that_ends_early_without_a_length_is_resumed(drill: Drill) -> None:
    """A clean end is not taken for the end of the file."""
    drill.arm(replace(CUT, chunked=True))
    drill.assert_whole(drill.run())
    assert drill.statuses(FILE) == [200, 206]


@pytest.mark.fault(
    "F2", "… and no size is announced either", "sees it by the checksum, downloads again"
)
def test_f2_file_cut_without_any_size_is_downloaded_again(drill: Drill) -> None:
    """The checksum alone shows that bytes are missing."""
    drill.arm(Fault(operation="export.job", drop=("fileSize",)), replace(CUT, chunked=True))
    drill.assert_whole(drill.run())
    assert drill.statuses(FILE) == [200, 200]


@pytest.mark.fault(
    "F3", "a resume is answered with the whole file (200)", "drops what it has, takes the whole"
)
def test_f3_ignored_range_starts_again(drill: Drill) -> None:
    """No byte of the first part is in the file twice."""
    drill.arm(CUT, Fault(operation=FILE, nth=2, ignore_range=True))
    drill.assert_whole(drill.run())
    assert drill.statuses(FILE) == [200, 200]


@pytest.mark.parametrize(
    "header", ["bytes 0-9/10", "bytes 4000-9999/10000", "bytes 5000-9999/77", "nonsense", None]
)
@pytest.mark.fault(
    "F4",
    "a resume has a Content-Range with another start or total, or none",
    "uses none of its bytes, starts again",
)
def test_f4_wrong_content_range_is_not_used(
    drill: Drill, caplog: pytest.LogCaptureFixture, header: str | None
) -> None:
    """Bytes whose place is not certain are fetched again from the first on."""
    caplog.set_level("INFO")
    drill.arm(CUT, Fault(operation=FILE, nth=2, headers={"Content-Range": header}))
    drill.assert_whole(drill.run())
    assert drill.statuses(FILE) == [200, 206, 200]
    assert any("starts again (wrong range)" in record.message for record in caplog.records)


@pytest.mark.parametrize("shift", [-1, 1], ids=["one byte twice", "one byte missing"])
@pytest.mark.fault(
    "F5",
    "a resume is one byte off under a right Content-Range",
    "sees it by length or checksum, downloads again",
)
def test_f5_part_that_is_off_by_one_is_noticed(drill: Drill, shift: int) -> None:
    """Neither a repeated nor a missing byte reaches a record."""
    drill.arm(CUT, Fault(operation=FILE, nth=2, range_shift=shift))
    drill.assert_whole(drill.run())
    assert len(drill.statuses(FILE)) > 2


@pytest.mark.parametrize("shift", [-1, 1, 7])
@pytest.mark.parametrize(
    "gone",
    [
        ("fileChecksum",),
        ("fileChecksum", "numberOfRecords"),
        ("fileChecksum", "fileSize"),
        ("fileChecksum", "fileSize", "numberOfRecords"),
    ],
    ids=", ".join,
)
@pytest.mark.fault(
    "F5",
    "… and there is no checksum",
    "begins again from the first byte: nothing would tell whether a rest fits",
)
def test_f5_without_a_checksum_nothing_is_resumed(
    drill: Drill, shift: int, gone: tuple[str, ...]
) -> None:
    """The size may be right, and the number of rows, where a byte is off."""
    drill.arm(
        Fault(operation="export.job", drop=gone), CUT, Fault(operation=FILE, range_shift=shift)
    )
    drill.assert_whole(drill.run())
    assert drill.statuses(FILE) == [200, 200]


@pytest.mark.fault(
    "F6",
    "a resume at the end of the file is refused with 416",
    "takes the file if the checksum fits",
)
def test_f6_range_refused_at_the_end_is_the_end(drill: Drill) -> None:
    """A body that was whole under a larger length needs nothing more."""
    drill.arm(Fault(operation=FILE, headers={"Content-Length": "999999"}))
    drill.assert_whole(drill.run())
    assert drill.statuses(FILE) == [200, 416]


@pytest.mark.fault("F7", "the checksum does not fit, once", "downloads again")
def test_f7_bytes_that_do_not_fit_are_downloaded_again(drill: Drill) -> None:
    """One bad transfer costs one more."""
    drill.arm(SPOILT)
    drill.assert_whole(drill.run())
    assert (drill.count("export.create"), drill.statuses(FILE)) == (1, [200, 200])


@pytest.mark.fault("F7", "… twice", "creates the job again")
def test_f7_file_that_does_not_fit_twice_is_exported_again(drill: Drill) -> None:
    """Two bad transfers are taken for the file's fault."""
    drill.arm(replace(SPOILT, times=2))
    drill.assert_whole(drill.run())
    assert (drill.count("export.create"), drill.count(FILE)) == (2, 3)


@pytest.mark.fault(
    "F7", "… for every job", "fails after three jobs; no unverified record is ever written"
)
def test_f7_nothing_unverified_is_written(drill: Drill) -> None:
    """Not a single record, the bookmark where it was, and a next run that has them all."""
    drill.arm(Fault(operation="export.job", put={"fileChecksum": "sha256:" + "0" * 64}, times=None))
    _, failed = drill.run_fails(ChecksumMismatchError)
    assert failed.records() == []
    assert (drill.count("export.create"), drill.count(FILE)) == (3, 6)
    drill.assert_next_run_completes(failed)


@pytest.mark.parametrize("size", [1, 1_000_000])
@pytest.mark.fault(
    "F8", "the announced size is wrong under a right checksum", "takes the file, warns"
)
def test_f8_wrong_size_under_a_right_checksum_is_a_warning(
    drill: Drill, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    """The digest has the last word, and the sizes are in the log."""
    drill.arm(Fault(operation="export.job", put={"fileSize": size}))
    drill.assert_whole(drill.run())
    assert any(f"{size:,} announced" in record.message for record in caplog.records)
    assert drill.count("export.create") == 1


@pytest.mark.parametrize("offset", [-1, 1])
@pytest.mark.fault(
    "F9",
    "the announced number of records is one off under a right checksum",
    "takes the file, warns",
)
def test_f9_wrong_count_under_a_right_checksum_is_a_warning(
    make_drill: Callable[..., Drill], caplog: pytest.LogCaptureFixture, offset: int
) -> None:
    """Both numbers are in the log."""
    drill = make_drill(options=replace(NO_RATE_LIMIT, number_of_records_offset=offset))
    drill.assert_whole(drill.run())
    said = f"announced {60 + offset} records, the file has 60"
    assert any(said in record.message for record in caplog.records)


@pytest.mark.fault("F10", "the checksum is in upper case", "compares it all the same")
def test_f10_case_of_the_checksum_does_not_matter(
    drill: Drill, caplog: pytest.LogCaptureFixture
) -> None:
    """No second download and no warning."""
    caplog.set_level("WARNING")
    drill.arm(Fault(operation="export.status", rewrites=("checksum_upper_case",), times=None))
    drill.assert_whole(drill.run())
    assert drill.count(FILE) == 1
    assert caplog.records == []


@pytest.mark.fault(
    "F10", "… or of an algorithm nobody knows", "warns, compares size and number of records"
)
def test_f10_unknown_algorithm_is_a_warning(drill: Drill, caplog: pytest.LogCaptureFixture) -> None:
    """A digest that cannot be compared is as good as none, and that is said."""
    drill.arm(Fault(operation="export.status", rewrites=("checksum_md5",), times=None))
    drill.assert_whole(drill.run())
    assert any("algorithm is md5" in record.message for record in caplog.records)


@pytest.mark.parametrize(
    "kind", ["text/csv", "text/csv;charset=UTF-8", "application/octet-stream", "", None]
)
@pytest.mark.fault(
    "F11", "the file comes as `text/csv`, `application/octet-stream` or without a type", "reads it"
)
def test_f11_type_of_the_file_does_not_matter(drill: Drill, kind: str | None) -> None:
    """Only what cannot be a file is refused by its type."""
    drill.arm(Fault(operation=FILE, headers={"Content-Type": kind}))
    drill.assert_whole(drill.run())
    assert drill.count(FILE) == 1


@pytest.mark.fault(
    "F12", "the file changes between two parts", "sees it by the checksum, downloads again"
)
def test_f12_file_that_changes_between_parts_is_downloaded_again(drill: Drill) -> None:
    """A file put together from two is not read."""
    drill.arm(CUT, replace(SPOILT, nth=2))
    drill.assert_whole(drill.run())
    assert drill.statuses(FILE) == [200, 206, 200]
