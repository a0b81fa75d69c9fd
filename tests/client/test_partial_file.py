from __future__ import annotations

import hashlib
import os
import stat
from contextlib import closing
from pathlib import Path

import pytest

from marketo_bulk.errors import DownloadError
from marketo_bulk.partial_file import PartialFile


def test_kept_file_is_private_and_has_no_name(tmp_path: Path) -> None:
    """What is kept has its bytes, its digest, and no reader but this process; a kill ends it."""
    with PartialFile(tmp_path, "ce45") as part:
        part.append(b"abc")
        assert list(tmp_path.iterdir()) == []
        part.append(b"def")
        file = part.keep()
    found = os.fstat(file.content.fileno())
    assert (found.st_nlink, stat.S_IMODE(found.st_mode)) == (0, 0o600)
    assert found.st_dev == tmp_path.stat().st_dev
    assert (b"abcdef", 6, hashlib.sha256(b"abcdef").hexdigest()) == (
        file.content.read(),
        part.size_bytes,
        part.sha256,
    )
    file.close()
    assert file.content.closed


def test_file_that_is_not_kept_is_closed(tmp_path: Path) -> None:
    """An error on the way leaves nothing behind."""
    with PartialFile(tmp_path, "ce45") as part:
        part.append(b"abc")
    with pytest.raises(ValueError, match="closed"):
        part.append(b"def")


def test_two_downloads_of_one_export_do_not_meet(tmp_path: Path) -> None:
    """Two processes have two files, whatever they download."""
    with PartialFile(tmp_path, "ce45") as one, PartialFile(tmp_path, "ce45") as other:
        one.append(b"1")
        other.append(b"2")
        with closing(one.keep()) as first, closing(other.keep()) as second:
            assert [first.content.read(), second.content.read()] == [b"1", b"2"]


def test_restart_forgets_everything(tmp_path: Path) -> None:
    """After a restart nothing of the first bytes is left, in file or facts."""
    with PartialFile(tmp_path, "ce45") as part:
        part.append(b"long and with \0 and \r")
        part.restart()
        part.append(b"new")
        file = part.keep()
    with closing(file):
        content = file.content.read()
    assert (b"new", 3, hashlib.sha256(b"new").hexdigest(), False, False) == (
        content,
        part.size_bytes,
        part.sha256,
        part.has_nul,
        part.has_carriage_return,
    )


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"a\n", b"b\n"], (False, False)),
        ([b"a\0", b"b"], (True, False)),
        ([b"a", b"\r\nb", b"c"], (False, True)),
    ],
)
def test_rare_bytes_are_noted(
    tmp_path: Path, chunks: list[bytes], expected: tuple[bool, bool]
) -> None:
    """Once seen, a NUL or a carriage return stays seen."""
    with PartialFile(tmp_path, "ce45") as part:
        for chunk in chunks:
            part.append(chunk)
        assert expected == (part.has_nul, part.has_carriage_return)


def test_missing_directory_is_said(tmp_path: Path) -> None:
    """The error names the directory and what to check."""
    with pytest.raises(DownloadError, match=r"absent.*download_dir"):
        PartialFile(tmp_path / "absent", "ce45")


def test_full_disk_is_said_and_nothing_left(tmp_path: Path) -> None:
    """A disk that is full is an error of the download, with its cause."""
    with PartialFile(tmp_path, "ce45") as part, Path("/dev/full").open("wb") as full:
        os.dup2(full.fileno(), part._file.fileno())  # noqa: SLF001 - a disk to fill is not at hand
        with pytest.raises(DownloadError, match="No space left"):
            part.append(b"x" * 100_000)
    assert list(tmp_path.iterdir()) == []
