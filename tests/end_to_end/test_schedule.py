"""A sync takes hardly longer than Marketo's two workers, and makes no more calls than it must."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks import bench_jobs
from benchmarks.bench_jobs import CASES, Case, Found, even
from marketo_bulk.scheduling import submitter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketo_emulator import Emulator

PROGRAMS = 500


@pytest.fixture(autouse=True)
def _no_logs() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def run(name: str) -> Found:
    """Return what a smaller sync of a case of the benchmark takes."""
    (case,) = (each for each in CASES if each.name == name)
    return bench_jobs.run(replace(case, programs=min(case.programs, PROGRAMS)))


@pytest.mark.parametrize("name", [c.name for c in CASES if c.name != "jobs of 10 s"])
def test_the_last_file_is_there_when_two_workers_can_have_it(name: str) -> None:
    """Whatever the jobs, the target and others do; within what is asked of the queue and calls."""
    found = run(name)
    assert found.ratio <= 1.10
    assert found.queued_most <= 5
    assert found.looks_most == 1


def test_four_streams_share_two_workers() -> None:
    """Neither is idle where one stream ends and the next begins, nor at their borders."""
    found = run("four streams of 80 jobs each")
    assert found.jobs == 50 + 3 * 80 + 1  # the overlap of activities
    assert found.ratio <= 1.03
    assert found.queued_most <= 5


def test_jobs_shorter_than_marketos_minute_are_bound_by_the_places_in_the_queue() -> None:
    """That a place is free shows a minute after it was taken: 5 jobs a minute, no more, no less."""
    found = run("jobs of 10 s")
    assert 60 * found.jobs / 5 <= found.files_seconds <= 1.10 * 60 * found.jobs / 5


def test_two_jobs_at_work_cost_one_call_a_minute() -> None:
    """They are asked for by one list call, not by two status calls."""
    found = bench_jobs.run(Case("long jobs", even(1800), programs=100))
    minutes = found.files_seconds / 60
    assert found.list_calls <= minutes
    assert found.status_calls <= 3 * found.jobs


def test_3000_programs_make_the_calls_the_readme_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """1,220 calls, each describe once, no list call, when each job is done at the first look."""
    logs: list[Counter[str]] = []

    def found(emulator: Emulator, _: object) -> None:
        logs.append(Counter(entry.operation for entry in emulator.requests))

    monkeypatch.setattr(bench_jobs, "_found", found)
    monkeypatch.setattr(bench_jobs, "LATENCY_SECONDS", 0.01)
    bench_jobs.run(Case("short jobs", lambda _: 1.0, programs=3000))
    (calls,) = logs
    del calls["identity.token"]
    assert calls == {
        "describe.members": 1,
        "describe.leads": 1,
        "programs.browse": 18,
        "export.create": 300,
        "export.enqueue": 300,
        "export.status": 300,
        "export.file": 300,
    }
    assert sum(calls.values()) == 4 * 300 + 17 + 3 == 1220


def test_a_target_that_does_not_read_fills_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above so many bytes on disk no new job is created, until files have been read."""
    monkeypatch.setattr(submitter, "FILES_WAITING_MAX_BYTES", 1)
    found = run("target reads nothing for 3 h")
    assert found.files_seconds > 10_800
    assert found.jobs == PROGRAMS / 10
