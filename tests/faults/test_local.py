"""Faults of this machine, and of what lies between it and Marketo: no new job would mend them."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from marketo_bulk.errors import DiskError, DownloadError, IncompleteDownloadError, RejectedError
from marketo_bulk.exports.file import PartialFile
from marketo_emulator import Fault
from tests.faults.drill import jobs_in
from tests.tap_runs import settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from marketo_emulator import Emulator
    from tests.faults.drill import Drill

FILE = "export.file"


@pytest.mark.fault(
    "T7.2",
    "`download_dir` takes no file, or no byte: read-only, full, a file, gone",
    "says so in one line, before there is a job",
)
@pytest.mark.parametrize("place", ["/proc/self", "/sys", "gone"])
def test_directory_is_tried_before_there_is_a_job(drill: Drill, tmp_path: Path, place: str) -> None:
    """No job is created, whatever is wrong with the directory."""
    path = tmp_path / place
    if place == "gone":
        path.mkdir()
    with pytest.raises(DiskError, match="download_dir") as caught:
        drill.run(
            {"download_dir": str(path)}, between=path.rmdir if place == "gone" else lambda: None
        )
    assert str(path) in str(caught.value)
    assert drill.count("export.create") == 0


@pytest.mark.fault(
    "T7.2",
    "… or the disk refuses in the middle of a file",
    "fails at once and names the directory; the job stays in STATE, taken over by the next run",
)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
@pytest.mark.parametrize("place", ["append", "keep"])
def test_disk_that_refuses_makes_no_new_job(
    drill: Drill, monkeypatch: pytest.MonkeyPatch, number: int, place: str
) -> None:
    """One job, one download, and none of them again but by the next run."""
    real = PartialFile.__init__

    def with_full_disk(part: PartialFile, directory: Path, export_id: str) -> None:
        real(part, directory, export_id)
        part._file = FullFile(part._file, number, place)  # type: ignore[assignment]  # noqa: SLF001

    with monkeypatch.context() as patched:
        patched.setattr(PartialFile, "__init__", with_full_disk)
        error, failed = drill.run_fails(DiskError)
    assert os.strerror(number) in str(error)
    assert (drill.count("export.create"), drill.count(FILE)) == (1, 1)
    assert jobs_in(failed) == [job.export_id for job in drill.emulator.jobs]
    drill.assert_next_run_completes(failed)
    assert drill.count("export.create") == 1


class FullFile:
    """A file on a disk that is full: `append` fails, or what is left to be written in the end."""

    def __init__(self, file: object, number: int, place: str) -> None:
        self._file = file
        self._error = OSError(number, os.strerror(number))
        self._place = place

    def __getattr__(self, name: str) -> object:
        if name == {"append": "write", "keep": "flush"}[self._place]:
            raise self._error
        return getattr(self._file, name)


def test_file_size_limit_ends_a_real_process(emulator: Emulator, tmp_path: Path) -> None:
    """`ulimit -f`: exit code 1, one line with the directory, and one job for each file."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings_for(emulator, {"download_dir": str(tmp_path)})))
    done = subprocess.run(
        [
            "bash",
            "-c",
            f"ulimit -f 8; exec {sys.executable} -m tap_marketo_bulk --config {config}",
        ],
        check=False,
        capture_output=True,
        timeout=120,
    )
    said = done.stderr.decode()
    assert done.returncode == 1, said
    assert "File too large" in said
    assert str(tmp_path) in said
    assert "Traceback" not in said
    assert len(emulator.jobs) == 1


@pytest.mark.fault(
    "T7.3",
    "a file comes with `Content-Encoding: Identity`, `UTF-8` or empty",
    "takes it for what it is, not encoded",
)
@pytest.mark.parametrize("words", ["Identity", "UTF-8", " ", "identity, utf-8"])
def test_harmless_content_coding_costs_nothing(drill: Drill, words: str) -> None:
    """One job and one download, and JSON with the same header is read, too."""
    drill.arm(Fault(operation="*", headers={"Content-Encoding": words}, times=None))
    drill.assert_whole(drill.run())
    assert drill.operations() == ["create", "enqueue", "status", "file"]


@pytest.mark.fault(
    "T7.3",
    "… or really encoded, by something on the way",
    "fails at once and names it; the job stays in STATE",
)
@pytest.mark.parametrize("words", ["gzip", "br", "identity, zstd"])
def test_content_coding_of_a_file_makes_no_new_job(drill: Drill, words: str) -> None:
    """One job, one download; the next run takes the job over."""
    drill.arm(Fault(operation=FILE, headers={"Content-Encoding": words}, times=None))
    error, failed = drill.run_fails(DownloadError)
    assert "encoded as" in str(error)
    assert (drill.count("export.create"), drill.count(FILE)) == (1, 1)
    drill.assert_next_run_completes(failed)
    assert drill.count("export.create") == 1


@pytest.mark.fault(
    "T7.2",
    "… or every connection breaks and no range is heeded",
    "fails after five restarts; the job stays in STATE",
)
def test_way_that_breaks_every_file_makes_no_new_job(drill: Drill) -> None:
    """What breaks each transfer breaks that of another job, too."""
    drill.arm(Fault(operation=FILE, cut_after_bytes=5_000, ignore_range=True, times=None))
    error, failed = drill.run_fails(IncompleteDownloadError)
    assert "5 restarts" in str(error)
    assert drill.count("export.create") == 1
    drill.assert_next_run_completes(failed)
    # The job taken over, and one for the seconds that were waited.
    assert drill.count("export.create") == 2


@pytest.mark.fault(
    "T7.2",
    "… or the API user may create but not enqueue (603), or a proxy forbids it",
    "fails at once; the job stays in STATE",
)
@pytest.mark.parametrize("fault", [{"code": "603"}, {"code": "703"}, {"status": 403, "body": ""}])
def test_refusal_to_enqueue_makes_no_new_job(drill: Drill, fault: dict[str, object]) -> None:
    """Another job would be refused as well."""
    drill.arm(Fault(operation="export.enqueue", times=None, **fault))  # type: ignore[arg-type]
    _, failed = drill.run_fails(RejectedError)
    assert (drill.count("export.create"), drill.count("export.enqueue")) == (1, 1)
    drill.assert_next_run_completes(failed)
    assert drill.count("export.create") == 1
