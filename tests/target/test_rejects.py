from __future__ import annotations

import json
import stat
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING

from target_marketo_bulk.outcomes.rejects import OTHER_REASONS, REASONS_MAX, RejectLog

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


def test_reasons_are_counted_by_their_class(tmp_path: Path) -> None:
    """Reasons of Marketo's that differ by a value are one in the summary; the file keeps both."""
    log = RejectLog(tmp_path, "run")
    log.reject({"city": "ann@load.test"}, "Invalid data in field City: ann@load.test")
    log.reject({"city": "Bo"}, "Invalid data in field City: bo")
    log.close()
    assert log.top_reasons(3) == [("invalid data (city)", 2)]
    reasons = [json.loads(line)["reason"] for line in log.rejects.path.read_text().splitlines()]
    assert reasons == [
        "Invalid data in field City: ann@load.test",
        "Invalid data in field City: bo",
    ]


def test_number_of_reasons_is_bounded(tmp_path: Path) -> None:
    """A reason that is different for every row does not fill the memory."""
    log = RejectLog(tmp_path, "run")
    for number in range(REASONS_MAX + 50):
        log.reject({}, "Bad", shown=f"reason {number}")
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
    record = {"a": "\ud800", "b": 1j, "c": Decimal("1.50"), "d": [float("nan"), {"e": True}]}
    log.reject({"d": [None, float("inf")]}, "Bad")
    log.reject(record, "Bad")
    log.close()
    assert '"d":[null,"inf"]}' in log.rejects.path.read_text()
    assert log.rejects.path.read_text().endswith(
        '"record":{"a":"\\ud800","b":"1j","c":1.50,"d":["nan",{"e":true}]}}\n'
    )
