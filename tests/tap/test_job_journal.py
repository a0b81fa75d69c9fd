"""Job journal: what it keeps, what it forgets, and what is wrong with its file."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_marketo.run_lock import AnotherRunError, only_run
from singer_marketo.state_folder import default_folder, folder_at
from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.sync.clock_check import ClockCheck
from tap_marketo_bulk.sync.cohorts import Segment
from tap_marketo_bulk.sync.job_journal import JobJournal
from tap_marketo_bulk.sync.jobs_in_flight import read_jobs
from tap_marketo_bulk.sync.noted_jobs import with_noted_jobs

if TYPE_CHECKING:
    from pathlib import Path

STREAM = "program_members"
NOW = datetime(2026, 9, 1, tzinfo=timezone.utc)
CHECK = ClockCheck(ProgramMembers.names, NOW, NOW)
JULY = {"startAt": "2026-07-01T00:00:00Z", "endAt": "2026-07-31T00:00:00Z"}


def entry(export_id: str, **more: Any) -> dict[str, Any]:
    """Return a job as STATE has it."""
    return {"exportId": export_id, "programIds": [1, 2], "fields": "digest", **JULY, **more}


def keep(journal: JobJournal, *entries: dict[str, Any]) -> None:
    """Note that these are the jobs in flight."""
    journal.keep(CHECK.names, read_jobs({"export_jobs": list(entries)}, CHECK.names))


def taken(journal: JobJournal, in_state: list[dict[str, Any]], bookmark: str | None) -> list[str]:
    """Return the ids of the jobs a run looks at."""
    mark = datetime.fromisoformat(bookmark).replace(tzinfo=timezone.utc) if bookmark else None
    segments = [] if mark is None else [Segment(1, 2, mark)]
    jobs = read_jobs({"export_jobs": in_state}, CHECK.names)
    found = with_noted_jobs(jobs, journal, CHECK, segments, lambda _: "digest")
    return [job.export_id for job in found]


def test_a_job_in_flight_is_there_for_the_next_run(tmp_path: Path) -> None:
    """Beside those of STATE, each once."""
    keep(JobJournal(tmp_path), entry("a"), entry("b"))
    assert taken(JobJournal(tmp_path), [entry("a")], "2026-07-01") == ["a", "b"]


@pytest.mark.parametrize(
    ("bookmark", "expected"),
    [("2026-07-01", ["a"]), (None, ["a"]), ("2026-07-31", []), ("2026-08-05", [])],
)
def test_a_written_job_is_needed_until_its_state_comes_back(
    bookmark: str | None, expected: list[str], tmp_path: Path
) -> None:
    """The bookmark says whether the STATE after it was kept."""
    journal = JobJournal(tmp_path)
    keep(journal, entry("a"))
    journal.note_written(STREAM, "a")
    keep(journal)
    assert taken(JobJournal(tmp_path), [], bookmark) == expected


def test_a_written_job_of_other_fields_is_let_go(tmp_path: Path) -> None:
    """It has run: there is nothing to cancel."""
    journal = JobJournal(tmp_path)
    keep(journal, entry("a", fields="other"))
    journal.note_written(STREAM, "a")
    keep(journal)
    assert taken(JobJournal(tmp_path), [], "2026-07-01") == []


def test_what_a_run_has_looked_at_is_not_noted_for_ever(tmp_path: Path) -> None:
    """The next `keep` drops what was written before this run."""
    journal = JobJournal(tmp_path)
    keep(journal, entry("a"))
    journal.note_written(STREAM, "a")
    keep(journal)
    again = JobJournal(tmp_path)
    assert taken(again, [], "2026-08-05") == []
    keep(again, entry("b"))
    assert [job["exportId"] for job in JobJournal(tmp_path).jobs(STREAM)] == ["b"]


def test_a_change_adds_a_line_and_a_run_begins_with_one(tmp_path: Path) -> None:
    """Its cost does not grow with the jobs that were written before."""
    journal, path = JobJournal(tmp_path), tmp_path / "jobs.json"
    sizes = []
    for number in range(100):
        keep(journal, entry(f"job-{number:03}"), entry(f"job-{number + 1:03}"))
        before = path.stat().st_size
        journal.note_written(STREAM, f"job-{number:03}")
        sizes.append(path.stat().st_size - before)
    assert len(set(sizes)) == 1
    again = JobJournal(tmp_path)
    assert len(again.written(STREAM)) == 100
    assert [job["exportId"] for job in again.jobs(STREAM)][-1] == "job-100"
    assert len(again.jobs(STREAM)) == 101
    again.forget(STREAM, again.written(STREAM))
    keep(again, entry("job-100"))
    assert path.read_text().count("\n") == 1
    assert [job["exportId"] for job in JobJournal(tmp_path).jobs(STREAM)] == ["job-100"]


@given(
    steps=st.lists(
        st.tuples(st.sampled_from("kwf"), st.sets(st.sampled_from("abcd"))), max_size=12
    ),
    torn=st.integers(0, 200),
)
def test_what_is_read_is_what_was_noted_last_or_before(
    steps: list[tuple[str, set[str]]], torn: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever was done, and where the last line was torn by a kill."""
    folder = tmp_path_factory.mktemp("journal")
    journal, path = JobJournal(folder), folder / "jobs.json"
    seen: list[tuple[set[str], frozenset[str]]] = [(set(), frozenset())]
    for step, names in steps:
        match step:
            case "k":
                keep(journal, *map(entry, sorted(names)))
            case "w":
                for name in sorted(names):
                    journal.note_written(STREAM, name)
                    seen.append(noted(journal))
            case _:
                journal.forget(STREAM, names)
                continue  # on disk with the next change
        seen.append(noted(journal))
    if path.exists():
        text = path.read_bytes()
        last = text.rstrip(b"\n").rfind(b"\n") + 1
        if last:  # the first line replaces a file as a whole
            path.write_bytes(text[: max(last, len(text) - torn)])
    assert noted(JobJournal(folder)) in seen


def noted(journal: JobJournal) -> tuple[set[str], frozenset[str]]:
    """Return all jobs of a journal, and those that are written."""
    return {job["exportId"] for job in journal.jobs(STREAM)}, journal.written(STREAM)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"jobs": []}',
        '{"jobs": {"program_members": [1]}}',
        '{"jobs": {"s": [{}]}}',
        '{"version": 99, "jobs": {}}',
        '{"version": null, "jobs": {}}',
        "[" * 100_000,
        '{"jobs": {}}\n[1]\n',
        '{"jobs": {}}\n{"stream": "s", "new": [{}]}\n',
    ],
)
def test_a_journal_that_cannot_be_read_is_empty(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning, and the run goes on."""
    (tmp_path / "jobs.json").write_text(text)
    journal = JobJournal(tmp_path)
    assert taken(journal, [], None) == []
    assert "is taken for empty" in caplog.text
    keep(journal, entry("a"))
    assert taken(JobJournal(tmp_path), [], None) == ["a"]


def test_entries_that_do_not_parse_are_taken_for_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As the file may have been written by another version."""
    (tmp_path / "jobs.json").write_text('{"jobs": {"program_members": [{"exportId": "a"}]}}')
    assert taken(JobJournal(tmp_path), [], None) == []
    assert "is taken for empty" in caplog.text


def test_a_disk_that_refuses_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """STATE has the same jobs."""
    (tmp_path / "journal").write_text("")
    journal = JobJournal(tmp_path / "journal" / "inside")
    caplog.clear()
    for name in "abc":
        keep(journal, entry(name))
    assert caplog.text.count("cannot be written") == 1


def test_any_location_of_universal_pathlib_will_do() -> None:
    """Such as a store that pods share."""
    folder = folder_at("memory://journal/of/tests", "job_journal")
    folder.mkdir(parents=True, exist_ok=True)
    keep(JobJournal(folder), entry("a"))
    assert taken(JobJournal(folder), [], None) == ["a"]


def test_pipelines_have_places_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their settings, and by their project in Meltano."""
    settings = {"base_url": "https://123-abc-456.mktorest.com", "program_ids": [1]}
    first = default_folder("tap", settings)
    assert first == default_folder("tap", dict(reversed(settings.items())))
    assert first.name.startswith("123-abc-456.mktorest.com-")
    assert first != default_folder("tap", {**settings, "program_ids": [2]})
    monkeypatch.setenv("MELTANO_ENVIRONMENT", "prod")
    assert first != default_folder("tap", settings)


def test_the_lock_is_refused_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One line while it is waited for, one error at the end; free again once it is let go."""
    monkeypatch.setattr("singer_marketo.run_lock.WAIT_SECONDS", 0.05)
    monkeypatch.setattr("singer_marketo.run_lock.LOOK_SECONDS", 0.01)
    with only_run(tmp_path, "job_journal"):
        with (
            pytest.raises(AnotherRunError, match="its own job_journal"),
            only_run(tmp_path, "job_journal"),
        ):
            raise AssertionError
        assert caplog.text.count("another run of this pipeline") == 1
    with only_run(tmp_path, "job_journal"):
        pass
