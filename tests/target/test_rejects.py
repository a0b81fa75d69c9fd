from __future__ import annotations

import json
import stat
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING

from target_marketo_bulk.rejects import OTHER_REASONS, REASONS_MAX, RejectLog, without_values

if TYPE_CHECKING:
    from pathlib import Path


def test_reject_is_one_line_with_record_reason_id_and_time(tmp_path: Path) -> None:
    """The line says everything; the file is private and made with the first line."""
    log = RejectLog(tmp_path / "made", "run", now=lambda: datetime(2026, 5, 1, tzinfo=timezone.utc))
    assert not (tmp_path / "made").exists()
    log.reject({"email": "a", "n": Decimal("1.50")}, "Bad", batch_id="3401")
    log.close()
    path = tmp_path / "made" / "rejects-run.jsonl"
    assert path.read_text() == (
        '{"time":"2026-05-01T00:00:00Z","batch_id":"3401","reason":"Bad",'
        '"record":{"email":"a","n":1.50}}\n'
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path.name for path in path.parent.iterdir()] == [path.name]


def test_reasons_are_counted_without_the_values_marketo_quotes(tmp_path: Path) -> None:
    """Two reasons that differ by a value are one in the summary; the file keeps both."""
    log = RejectLog(tmp_path, "run")
    log.reject({"email": "ann@load.test"}, "Value ann@load.test is bad")
    log.reject({"email": "bob@load.test"}, "Value bob@load.test is bad")
    log.close()
    assert log.top_reasons(3) == [("Value … is bad", 2)]
    reasons = [json.loads(line)["reason"] for line in log.rejects.path.read_text().splitlines()]
    assert reasons == ["Value ann@load.test is bad", "Value bob@load.test is bad"]


def test_short_values_do_not_blot_out_a_reason() -> None:
    """A value of one or two letters tells nothing, and is in every sentence."""
    assert without_values("Invalid data in field City", ["a", "in", None]) == (
        "Invalid data in field City"
    )


def test_number_of_reasons_is_bounded(tmp_path: Path) -> None:
    """A reason that is different for every row does not fill the memory."""
    log = RejectLog(tmp_path, "run")
    for number in range(REASONS_MAX + 50):
        log.reject({}, f"reason {number}")
    assert log.rejected_rows == REASONS_MAX + 50
    assert log.top_reasons(1) == [(OTHER_REASONS, 50)]
    log.close()


def test_line_is_one_line_for_every_reader(tmp_path: Path) -> None:
    """Unicode's own line separators do not end a line."""
    log = RejectLog(tmp_path, "run")
    log.reject({"a": "\x85\u2028\u2029"}, "Bad")
    log.close()
    (line,) = log.rejects.path.read_text().splitlines()
    assert json.loads(line)["record"] == {"a": "\x85\u2028\u2029"}


def test_record_json_cannot_hold_is_still_written(tmp_path: Path) -> None:
    """Half a surrogate pair, or a type of a stream map's making, does not lose the line."""
    log = RejectLog(tmp_path, "run")
    log.reject({"a": "\ud800", "b": 1j}, "Bad")
    log.close()
    assert json.loads(log.rejects.path.read_text())["record"] == {"a": "\ud800", "b": "1j"}
