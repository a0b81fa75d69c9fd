"""The folder of a dry run: its own files are replaced, all others stay."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from target_marketo_bulk.sending.dry_run import LIST_NAME
from tests.border.commands import TARGET, config_file
from tests.target.runs import people, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.border.commands import Ended

    Load = Callable[..., tuple[Ended, list[str]]]


@pytest.fixture
def load(here: Callable[..., Ended], tmp_path: Path) -> Load:
    """A function that makes a dry run of leads; returns how it ended and the files there are."""

    def run(count: int, **config: object) -> tuple[Ended, list[str]]:
        given = {"dry_run_path": str(tmp_path / "dry"), "max_file_size_bytes": 1_000, **config}
        ended = here(TARGET, "--config", config_file(tmp_path, given), lines=_lines(count))
        assert (ended.code, ended.errors) == (0, [])
        return ended, sorted(path.name for path in (tmp_path / "dry").glob("leads-*"))

    return run


def _lines(count: int) -> bytes:
    return singer_lines(people(count)) if count else b""


@pytest.mark.fault(
    "T4.7",
    "`dry_run_path` with the user's own `leads-2024.csv`, or with more files of the run before",
    "what no dry run wrote stays and is never written over; what the last one wrote goes",
)
@pytest.mark.parametrize("count", [0, 20])
def test_files_of_the_user_stay(load: Load, tmp_path: Path, count: int) -> None:
    """Whatever their names, and also where there is no input."""
    own = ["leads-0001.csv", "leads-2024.csv", "leads-0002.tsv", "leads-10000.csv", "notes.txt"]
    (tmp_path / "dry").mkdir()
    for name in own:
        (tmp_path / "dry" / name).write_text("mine")
    ended, names = load(count)
    assert set(own) - {"notes.txt"} <= set(names)
    assert {(tmp_path / "dry" / name).read_text() for name in own} == {"mine"}
    assert any("leads-0001.csv" in warning for warning in ended.warnings) == bool(count)
    assert ("leads-0002.csv" in names) == bool(count)


def test_files_of_the_run_before_go(load: Load, tmp_path: Path) -> None:
    """Ten thousand are as many as two, and a format given up leaves nothing."""
    _, many = load(100)
    assert len(many) > 2
    listed = tmp_path / "dry" / LIST_NAME
    (tmp_path / "dry" / many[-1]).rename(tmp_path / "dry" / "leads-10000.csv")
    listed.write_text(listed.read_text().replace(many[-1], "leads-10000.csv"))
    _, few = load(10, format="tsv")
    assert few == ["leads-0001.tsv"]
    _, none = load(0)
    assert none == []


def test_a_file_that_was_changed_is_the_users(load: Load, tmp_path: Path) -> None:
    """It is kept, and its name is not used again."""
    load(10)
    changed = tmp_path / "dry" / "leads-0001.csv"
    changed.write_text("mine")
    _, names = load(10)
    assert names == ["leads-0001.csv", "leads-0002.csv"]
    assert changed.read_text() == "mine"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[",
        "null",
        "5",
        "{}",
        json.dumps({"file": "../outside.csv", "bytes": 4}),
        json.dumps({"file": "notes.txt", "bytes": 4}),
        json.dumps({"file": 5, "bytes": 4}),
        json.dumps({"file": "leads-0009.csv"}),
        json.dumps({"file": "leads-0009.csv", "bytes": 5}),
        json.dumps({"file": "leads-9999.csv", "bytes": 4}),
        json.dumps({"file": "leads-0008.csv", "bytes": 4}),
    ],
)
def test_a_list_that_was_tampered_with_deletes_nothing_else(
    load: Load, tmp_path: Path, line: str
) -> None:
    """Only files of a dry run's names, in the folder itself, and of the size listed; no links."""
    (tmp_path / "dry").mkdir()
    others = [tmp_path / "outside.csv", *(tmp_path / "dry" / n for n in ("notes.txt", "x"))]
    others.append(tmp_path / "dry" / "leads-0009.csv")
    for path in others:
        path.write_text("mine")
    (tmp_path / "dry" / "leads-0008.csv").symlink_to(tmp_path / "outside.csv")
    (tmp_path / "dry" / LIST_NAME).write_text(f"{line}\n")
    load(3)
    assert {path.read_text() for path in others} == {"mine"}
    assert (tmp_path / "dry" / "leads-0008.csv").is_symlink()
