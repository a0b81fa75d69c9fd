"""Records that wait on disk lie in `download_dir`, seen by nobody, and a disk may refuse them."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk.errors import DiskError
from tap_marketo_bulk.output import spool
from tap_marketo_bulk.output.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = [{"leadId": number, "text": 'a "b"\n'} for number in range(3)]
LINES = [b'{"leadId":%d,"text":"a \\"b\\"\\n"}' % number for number in range(3)]


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every record go to the disk at once, and none to Python's own folder."""
    monkeypatch.setattr(spool, "SPOOLED_BYTES", 1)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")


@pytest.mark.usefixtures("on_disk")
def test_a_file_has_no_name_and_is_private(tmp_path: Path) -> None:
    """Nobody else can open it, and nothing is left of it."""
    with Spool(tmp_path, "s") as kept:
        kept.add(RECORDS)
        found = os.fstat(kept._file.fileno())  # noqa: SLF001
        assert (found.st_dev, found.st_nlink) == (tmp_path.stat().st_dev, 0)
        assert stat.S_IMODE(found.st_mode) == 0o600
        assert list(tmp_path.iterdir()) == []
        assert list(kept.lines()) == LINES


def test_a_few_records_need_no_file(tmp_path: Path) -> None:
    """They wait in memory."""
    with Spool(tmp_path / "gone", "s") as kept:
        kept.add(RECORDS[:1])
        kept.add(RECORDS[1:])
        assert list(kept.lines()) == LINES


@pytest.mark.usefixtures("on_disk")
@pytest.mark.parametrize("place", ["/proc/self", "gone", "a\0b"])
def test_a_folder_that_takes_no_file_is_told(tmp_path: Path, place: str) -> None:
    """With its path, and the setting."""
    with (
        Spool(tmp_path / place, "s") as kept,
        pytest.raises(DiskError, match=r"could not write to a file in .*download_dir"),
    ):
        kept.add(RECORDS)


class FullFile:
    """A file on a disk that refuses one kind of call, and then to be closed."""

    def __init__(self, file: Any, call: str, number: int) -> None:
        self._file = file
        self._refused = {call, "close"}
        self._error = OSError(number, os.strerror(number))

    def __getattr__(self, name: str) -> Any:
        if name in self._refused:
            if name == "close":
                self._file.close()
            raise self._error
        return getattr(self._file, name)


@pytest.mark.usefixtures("on_disk")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
@pytest.mark.parametrize("call", ["write", "seek", "readline"])
def test_a_disk_that_refuses_is_told(tmp_path: Path, call: str, number: int) -> None:
    """Whenever it does, and in one line: closing the file says nothing more."""

    def spooled() -> list[bytes]:
        with Spool(tmp_path, "s") as kept:
            kept._file = FullFile(kept._file, call, number)  # type: ignore[assignment]  # noqa: SLF001
            kept.add(RECORDS)
            return list(kept.lines())

    with pytest.raises(DiskError, match="share out records of s: could not") as told:
        spooled()
    assert os.strerror(number) in str(told.value)
    assert str(tmp_path) in str(told.value)
    assert "download_dir" in str(told.value)
    assert "\n" not in str(told.value)
