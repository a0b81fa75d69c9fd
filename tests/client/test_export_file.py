from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from marketo_bulk.errors import DiskError
from marketo_bulk.exports.file import PartialFile, check_directory


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
    assert (b"new", 3, hashlib.sha256(b"new").hexdigest()) == (
        content,
        part.size_bytes,
        part.sha256,
    )


def test_missing_directory_is_said(tmp_path: Path) -> None:
    """The error names the directory and what to check."""
    with pytest.raises(DiskError, match=r"absent.*download_dir"):
        PartialFile(tmp_path / "absent", "ce45")


def test_full_disk_is_said_and_nothing_left(tmp_path: Path) -> None:
    """A disk that is full is an error of the download, with its cause."""
    with PartialFile(tmp_path, "ce45") as part, Path("/dev/full").open("wb") as full:
        os.dup2(full.fileno(), part._file.fileno())  # noqa: SLF001 - a disk to fill is not at hand
        with pytest.raises(DiskError, match="No space left"):
            part.append(b"x" * 100_000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "number",
    [
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS),
        *(errno.ENOTDIR, errno.ENOENT, errno.ENAMETOOLONG, errno.EMFILE, errno.EIO),
    ],
)
def test_directory_that_refuses_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Whatever the system calls it: one line with the directory and the setting."""

    def refuse(**_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(DiskError) as caught:
        check_directory(tmp_path)
    said = str(caught.value)
    assert str(tmp_path) in said
    assert os.strerror(number) in said
    assert "download_dir" in said
    assert not caught.value.job_at_fault


@pytest.mark.parametrize("name", ["absent", "file", "a\0b", "x" * 300])
def test_directory_that_is_none_is_named(tmp_path: Path, name: str) -> None:
    """Before there is a job."""
    (tmp_path / "file").touch()
    with pytest.raises(DiskError, match="download_dir"):
        check_directory(tmp_path / name)


def test_tried_directory_is_left_as_it_was(tmp_path: Path) -> None:
    """Nothing is left of the trial."""
    check_directory(tmp_path)
    assert list(tmp_path.iterdir()) == []
