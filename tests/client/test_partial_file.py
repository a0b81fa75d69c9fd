from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from marketo_bulk.errors import DownloadError
from marketo_bulk.partial_file import PartialFile


def test_kept_file_is_private_and_renamed(tmp_path: Path) -> None:
    """What is kept has its bytes, its digest, and no reader but this user."""
    with PartialFile(tmp_path, "ce45") as part:
        part.append(b"abc")
        part.append(b"def")
        path = part.keep().path
    assert [path] == list(tmp_path.iterdir())
    assert (
        path.read_bytes(),
        path.suffix,
        stat.S_IMODE(path.stat().st_mode),
    ) == (b"abcdef", ".csv", 0o600)
    assert (6, hashlib.sha256(b"abcdef").hexdigest()) == (part.size_bytes, part.sha256)


def test_file_that_is_not_kept_is_removed(tmp_path: Path) -> None:
    """An error on the way leaves nothing behind."""
    with PartialFile(tmp_path, "ce45") as part:
        part.append(b"abc")
    assert list(tmp_path.iterdir()) == []


def test_two_downloads_of_one_export_do_not_meet(tmp_path: Path) -> None:
    """Two processes have two files, whatever they download."""
    with PartialFile(tmp_path, "ce45") as one, PartialFile(tmp_path, "ce45") as other:
        one.append(b"1")
        other.append(b"2")
        assert [one.keep().path.read_bytes(), other.keep().path.read_bytes()] == [b"1", b"2"]


def test_restart_forgets_everything(tmp_path: Path) -> None:
    """After a restart nothing of the first bytes is left, in file or facts."""
    with PartialFile(tmp_path, "ce45") as part:
        part.append(b"long and with \0 and \r")
        part.restart()
        part.append(b"new")
        path = part.keep().path
    assert (b"new", 3, hashlib.sha256(b"new").hexdigest(), False, False) == (
        path.read_bytes(),
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
