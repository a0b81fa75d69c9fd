"""Rows that are rejected again and again, and what they count for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from target_marketo_bulk.outcomes import rejected_before
from target_marketo_bulk.outcomes.reject_limits import TooManyRejectsError
from target_marketo_bulk.outcomes.rejects import RejectLog
from tests.target.runs import people, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.target.runs import Record, Run

    RunTarget = Callable[[bytes, Record], Run]

UNSENDABLE = [{"firstName": "nobody"}]
REFUSED = [{"email": "bad@load.test", "leadScore": "many"}]
LOOSE: Record = {"properties": {}}


@pytest.mark.parametrize("bad", [UNSENDABLE, REFUSED], ids=["here", "by Marketo"])
@pytest.mark.fault(
    "T8.10",
    "one bad row at a bookmark is read again by each run",
    "fails the first run alone; later ones say so, and do not count it",
)
def test_row_rejected_by_each_run_fails_only_the_first(
    config: Record, run: RunTarget, bad: list[Record]
) -> None:
    """A run with nothing but the rejects of the last one is no failure, however often it comes."""
    lines = singer_lines(bad, schema=LOOSE)
    assert isinstance(run(lines, config).error, TooManyRejectsError)
    for before in (1, 2):
        result = run(lines, config)
        assert result.error is None
        assert result.states == [{"records": 1}]
        assert (result.summary["rejected"], result.summary["rejected_before"]) == ("1", "1")
        assert result.summary["rejected_percent"] == "0.0"
        assert "rejected before for the same reason" in result.log
        assert len(result.rejects) == before + 1


@pytest.mark.parametrize(
    "more",
    [
        [{"firstName": "somebody"}],
        [{"firstName": "nobody", "lastName": "else"}],
        # Another reason for the same record.
        [{"email": "ann\u00e9@load.test"}],
    ],
)
def test_new_reject_still_counts(config: Record, run: RunTarget, more: list[Record]) -> None:
    """Another record, or another reason, is a reject like any other, and alone in the share."""
    run(singer_lines(UNSENDABLE, schema=LOOSE), config)
    result = run(singer_lines([*UNSENDABLE, *more, *people(3)], schema=LOOSE), config)
    assert isinstance(result.error, TooManyRejectsError)
    assert result.summary["rejected_percent"] == "25.0"
    assert "1 rows (25.00 %)" in str(result.error)


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_old_rejects_that_cannot_be_read_end_no_run(tmp_path: Path, kind: str) -> None:
    """Another user's, or one that is just being removed: its rows count as new."""
    path = tmp_path / "rejects-20990101T000000Z.jsonl"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / "gone")
    for run_id, before in (("1", 0), ("2", 1)):
        log = RejectLog(tmp_path, run_id)
        log.reject({"email": "ann@load.test"}, "Invalid data type in field Lead Score")
        log.close()
        assert log.rows_rejected_before() == before


def test_reject_of_another_folder_counts(config: Record, run: RunTarget, tmp_path: Path) -> None:
    """Only what lies in the same folder is known."""
    lines = singer_lines(UNSENDABLE, schema=LOOSE)
    run(lines, {**config, "rejects_path": str(tmp_path / "elsewhere")})
    assert isinstance(run(lines, config).error, TooManyRejectsError)


@pytest.mark.fault("T8.13", "a load with rejects succeeds", "its last line names the rejects file")
def test_load_with_rejects_names_their_file(config: Record, run: RunTarget, tmp_path: Path) -> None:
    """Whoever reads only the last line knows where to look."""
    result = run(singer_lines([*people(19), *UNSENDABLE]), config)
    assert result.error is None
    (path,) = (tmp_path / "rejects").glob("rejects-*.jsonl")
    (line,) = [each for each in result.log.splitlines() if "records imported in" in each]
    assert f"1 rejected (no value for the lookup field: 1), all in {path}" in line


def test_load_without_rejects_names_no_file(config: Record, run: RunTarget) -> None:
    """There is none."""
    assert "rejects-" not in run(singer_lines(people(3)), config).log


def made(directory: Path, run_id: str, reasons: str) -> RejectLog:
    """Return the rejects of a run: one row for each letter."""
    log = RejectLog(directory, run_id)
    for reason in reasons:
        log.reject({"email": reason}, reason)
    log.close()
    return log


def test_rows_that_are_alike_are_all_known(tmp_path: Path) -> None:
    """How often a row was rejected before does not matter; torn lines and rest do not, either."""
    made(tmp_path, "1", "ab")
    with (tmp_path / "rejects-1.jsonl").open("a") as torn:
        torn.write('{"time":"2026-05-01T00:00:00Z","batch_id":null,"reas')
    assert made(tmp_path, "2", "aac").rows_rejected_before() == 2
    assert made(tmp_path, "3", "aabbccd").rows_rejected_before() == 6
    assert made(tmp_path, "4", "").rows_rejected_before() == 0


def test_reading_earlier_rejects_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The newest files come first; what is not read is said."""
    made(tmp_path, "1", "a")
    made(tmp_path, "2", "b" * 50)
    monkeypatch.setattr(rejected_before, "REREAD_MAX_BYTES", 1_000)
    assert made(tmp_path, "3", "ab").rows_rejected_before() == 1
    assert "bytes of rejects are compared" in caplog.text
