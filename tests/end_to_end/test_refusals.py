"""What Marketo refuses costs only itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import ConfigurationError, RejectedError
from marketo_emulator import Fault
from tests.tap_runs import NO_RATE_LIMIT, created_jobs, make_tap, members_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun
    from tests.virtual_runs import VirtualRuns


@pytest.mark.fault(
    "J16",
    "export refuses fields that describe lists (1003 `Invalid fields [a,b]`)",
    "leaves them out, names them in a warning",
)
def test_fields_that_export_refuses_are_dropped_with_a_warning(
    make_emulator: Callable[..., Emulator],
    run_tap: Callable[..., TapRun],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """1003 `Invalid fields [...]`: the run goes on without the named fields."""
    emulator = make_emulator(
        options=replace(NO_RATE_LIMIT, refused_fields=("quizScore", "referredBy"))
    )
    run = run_tap(emulator)
    dropped = {"quizScore", "referredBy"}
    assert run.table() == {
        key: {name: value for name, value in member.items() if name not in dropped}
        for key, member in members_of(emulator).items()
    }
    assert len(created_jobs(emulator)) == 2
    assert any("quizScore, referredBy" in record.message for record in caplog.records)


def test_a_refused_key_field_ends_the_run(
    make_emulator: Callable[..., Emulator], run_tap: Callable[..., TapRun]
) -> None:
    """Without leadId there is no record."""
    emulator = make_emulator(options=replace(NO_RATE_LIMIT, refused_fields=("leadId",)))
    with pytest.raises(RejectedError, match="leadId"):
        run_tap(emulator)


@pytest.mark.fault(
    "J23", "a program is deleted between the list and the export", "skips it alone, with a warning"
)
def test_a_program_deleted_after_it_was_listed_costs_only_itself(
    make_emulator: Callable[..., Emulator],
    run_tap: Callable[..., TapRun],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The batch is split until the culprit is alone, and the other programs are written."""
    emulator = make_emulator(programs=12, members=240)
    tap = make_tap(emulator)
    with tap.client:
        listed = tap.instance.program_assets
    emulator.store.remove_program(1005)
    monkeypatch.setattr("tap_marketo_bulk.streams.instance.Instance.program_assets", listed)
    run = run_tap(emulator)
    assert members_of(emulator) == run.table()
    assert any("program 1005 was deleted" in record.message for record in caplog.records)
    assert run.bookmark["program_bookmarks"][0]["programIds"] == "1001-1004,1006-1012"


@pytest.mark.fault(
    "J17",
    "1003 for a status name that no program has",
    "fails with Marketo's words; no program is skipped for it",
)
def test_a_status_name_no_program_has_is_marketos_error_in_one_line(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """A wrong filter is not taken for a deleted program."""
    with pytest.raises(RejectedError, match="1003"):
        run_tap(emulator, {"status_names": ["No Such Status"]})


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({"status_names": ["Registered"]}, lambda m: m["statusName"] == "Registered"),
        ({"is_exhausted": True}, lambda m: m["isExhausted"] is True),
        ({"nurture_cadence": "paused"}, lambda m: m["nurtureCadence"] == "paus"),
        ({"program_ids": [1002]}, lambda m: m["programId"] == 1002),
    ],
)
def test_filters_bring_exactly_the_members_they_name(
    make_emulator: Callable[..., Emulator],
    run_tap: Callable[..., TapRun],
    config: dict[str, Any],
    wanted: Callable[[dict[str, Any]], bool],
) -> None:
    """Each filter setting changes what is asked for."""
    emulator = make_emulator(programs=6, members=300)
    expected = {key: m for key, m in members_of(emulator).items() if wanted(m)}
    assert expected
    assert expected == run_tap(emulator, config).table()


@pytest.mark.parametrize("spelling", ["pause", "paus", "paused"])
def test_the_cadence_filter_finds_the_spelling_marketo_understands(
    make_emulator: Callable[..., Emulator], run_tap: Callable[..., TapRun], spelling: str
) -> None:
    """Marketo's documents disagree on the word; each is tried until one is taken."""
    emulator = make_emulator(
        programs=6, members=300, options=replace(NO_RATE_LIMIT, cadence_spellings=(spelling,))
    )
    run_tap(emulator, {"nurture_cadence": "paused"})
    assert spelling == created_jobs(emulator)[-1]["filter"]["nurtureCadence"]


def test_an_unknown_program_id_is_named(emulator: Emulator, run_tap: Callable[..., TapRun]) -> None:
    """A typing error in program_ids is an error, not an empty table."""
    with pytest.raises(ConfigurationError, match=r"\[4711\]"):
        run_tap(emulator, {"program_ids": [1001, 4711]})


def test_a_job_that_failed_is_created_again(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """Once failed, once done: nothing is missing and the second job is the only extra."""
    emulator.faults.add(Fault(operation="export.job", outcome="Failed", message="disk on fire"))
    assert members_of(emulator) == run_tap(emulator).table()
    assert len(created_jobs(emulator)) == 2


def test_a_job_that_fails_for_ever_ends_the_run_with_its_reason(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """Three attempts, then the error names job, reason and what to do; no bookmark moves."""
    emulator.faults.add(
        Fault(operation="export.job", outcome="Failed", message="disk on fire", times=None)
    )
    with pytest.raises(Exception, match="disk on fire") as caught:
        run_tap(emulator)
    assert len(created_jobs(emulator)) == 3
    assert caught.value.run.bookmark.get("program_bookmarks", []) == []  # type: ignore[attr-defined]


def test_a_program_deleted_while_its_job_fails_costs_only_itself(
    make_emulator: Callable[..., Emulator],
    virtual: Callable[[Emulator], VirtualRuns],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The job cannot be created again as it was; the other programs of the batch are written."""
    emulator = make_emulator(programs=4, members=80)
    emulator.faults.add(Fault(operation="export.job", outcome="Failed"))
    runs = virtual(emulator)
    before_the_first_poll = runs.time.now + timedelta(seconds=30)
    runs.time.at.append((before_the_first_poll, lambda: emulator.store.remove_program(1002)))
    run = runs.run()
    assert members_of(emulator) == run.table()
    assert any("program 1002 was deleted" in record.message for record in caplog.records)
