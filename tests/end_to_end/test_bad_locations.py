"""Locations that refuse: one line that names the setting, STATE true, jobs kept for the next."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk.errors import DiskError, MarketoBulkError
from tap_marketo_bulk.output import spool
from tap_marketo_bulk.tap import TapMarketoBulk
from tests.end_to_end.test_archive import replay
from tests.end_to_end.test_batches import batches, records_of
from tests.hostile_server import hostile_server, raw
from tests.tap_runs import capture, catalog_with, created_jobs, make_tap, members_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun

    RunTap = Callable[..., TapRun]

CONFIG = {"start_date": "2026-01-01T00:00:00Z", "max_queued_jobs": 3}
TYPE, STREAM, ACTIVITIES = 104, "activity_change_status_in_progression", 500
SETTINGS = ("batch_config", "archive_url", "replay_url")
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@pytest.fixture
def forget_connections() -> Iterator[None]:
    """Let no test have the S3 connections of another."""
    import s3fs  # noqa: PLC0415  # dear to load

    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def location(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """Return a location with the trouble that the test is about."""
    trouble = request.param
    if trouble in {"no bucket", "not allowed", "nobody there"}:
        request.getfixturevalue("s3_environment")
        request.getfixturevalue("forget_connections")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    if trouble == "nobody there":
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with contextlib.ExitStack() as stack:
        if trouble == "not allowed":
            server = stack.enter_context(hostile_server())
            head = raw(
                f"Content-Length: {len(DENIED)}", "Content-Type: application/xml", status=403
            )
            server.reply = lambda _: [head, DENIED]
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.base_url)
        (tmp_path / "file").write_text("in the way")
        yield {
            "a file in the way": str(tmp_path / "file" / "below"),
            "read-only": "/proc/none",
        }.get(trouble, "s3://nobody-made-this/x")


TROUBLES = ["a file in the way", "read-only", "no bucket", "not allowed", "nobody there"]


def given(setting: str, location: str, format_: str = "jsonl") -> dict[str, Any]:
    """Return the setting for a location."""
    if setting == "batch_config":
        encoding = {"format": format_, **({"compression": "none"} if format_ == "jsonl" else {})}
        return {setting: {"encoding": encoding, "storage": {"root": location}}}
    return {setting: location}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("location", TROUBLES, indirect=True)
@pytest.mark.fault(
    "T1.4",
    "a location of batches or of an archive has no bucket, no permission",
    "ends the run with one line that names the setting; STATE is true, and jobs are kept",
)
def test_a_location_that_refuses_ends_the_run_in_one_line(
    emulator: Emulator,
    run_tap: RunTap,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    location: str,
) -> None:
    """Before a record; with no cell, no key and no traceback in it."""
    config = given(setting, location)
    with pytest.raises(MarketoBulkError) as told:
        _ = (
            run_tap(emulator, {**CONFIG, **config})
            if setting != "replay_url"
            else replay(location, monkeypatch)
        )
    line = str(told.value)
    assert setting in line
    assert "\n" not in line
    assert "testing" not in line, "a key is shown"
    if setting != "replay_url":
        run: TapRun = told.value.run  # type: ignore[attr-defined]  # put there by `capture`
        assert run.records() == run.of_type("BATCH") == []
        assert not run.bookmark.get("program_bookmarks")
        assert "export.cancel" not in {r.operation for r in emulator.requests}
        known = {job["exportId"] for job in run.bookmark.get("export_jobs", [])}
        assert len(known) == len(created_jobs(emulator))


@contextlib.contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[str]:
    """Give a disk of its own, of a few kilobytes."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield str(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    ("setting", "format_", "kilobytes"),
    [("batch_config", "jsonl", 120), ("batch_config", "parquet", 64), ("archive_url", "", 28)],
)
@pytest.mark.fault(
    "T1.4",
    "… or is full in the middle of a run",
    "ends it with one line; what is in STATE is there, and the next run goes on with its jobs",
)
def test_a_disk_that_is_full_in_the_middle_loses_nothing(
    make_emulator: Callable[..., Emulator],
    run_tap: RunTap,
    tmp_path: Path,
    setting: str,
    format_: str,
    kilobytes: int,
) -> None:
    """The next run brings the rest to a disk with room; no torn file is left on the full one."""
    emulator = make_emulator(programs=3, members=300)
    with small_disk(tmp_path / "small", kilobytes) as small:
        with pytest.raises(MarketoBulkError, match="No space left on device") as told:
            run_tap(emulator, {**CONFIG, **given(setting, small, format_)})
        assert setting in str(told.value)
        assert "\n" not in str(told.value)
        run: TapRun = told.value.run  # type: ignore[attr-defined]  # put there by `capture`
        table = table_of(run)
        assert table, "the first files had room"
        assert run.bookmark["program_bookmarks"]
        assert run.bookmark["export_jobs"]
        assert not list((tmp_path / "small").rglob("*.part"))
        if setting == "archive_url":
            archived = replay(small, pytest.MonkeyPatch()).table()
            assert archived.keys() >= table.keys()
    made = len(created_jobs(emulator))
    rest = run_tap(
        emulator,
        {**CONFIG, **given(setting, str(tmp_path / "large"), format_)},
        state=run.last_state,
    )
    table |= table_of(rest)
    wanted = {k for k, m in members_of(emulator).items() if m["updatedAt"] >= CONFIG["start_date"]}
    assert table.keys() == wanted
    windows = [str(job["filter"]) for job in created_jobs(emulator)]
    assert not set(windows[made:]) & set(windows[:made]), "a job is made twice"


def table_of(run: TapRun) -> dict[tuple[int, int], dict[str, Any]]:
    """Return the members of a run, from records and from files."""
    return {(r["leadId"], r["programId"]): r for s, r in records_of(run) if s == "program_members"}


def test_a_full_download_directory_ends_a_replay_in_one_line(
    make_emulator: Callable[..., Emulator],
    run_tap: RunTap,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There a file is unpacked before a record of it is read."""
    emulator = make_emulator(programs=3, members=400)
    run_tap(emulator, {"archive_url": str(tmp_path / "archive")})
    with small_disk(tmp_path / "small", 40) as small:
        config = {"replay_url": str(tmp_path / "archive"), "download_dir": small}
        tap = TapMarketoBulk(config=config)
        with pytest.raises(MarketoBulkError, match="download_dir") as told:
            capture(tap.sync_all, monkeypatch)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
@pytest.mark.fault(
    "T7.2",
    "… or fills up with activities that wait for the files of their types",
    "ends the run with one line that names the directory; the next run takes the job over",
)
def test_a_download_directory_filled_by_activities_loses_none(
    make_emulator: Callable[..., Emulator],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    format_: str,
) -> None:
    """The export file has room there; what `per_type` makes of it has not."""
    monkeypatch.setattr(spool, "SPOOLED_BYTES", 1)
    emulator = make_emulator(programs=0, members=0)
    for _ in range(ACTIVITIES):
        emulator.store.add_activity(3, TYPE, attributes={"New Status ID": 7})
    emulator.advance(3600)
    given_config = {
        "start_date": "2026-06-15T00:00:00Z",
        "activity_types": [TYPE],
        "activity_streams": "per_type",
        "batch_config": batches(tmp_path / "files", format_),
    }
    catalog = catalog_with(emulator, STREAM, config={"activity_streams": "per_type"})

    def run(directory: str, state: dict[str, Any] | None = None) -> TapRun:
        config = {**given_config, "download_dir": directory}
        tap = make_tap(emulator, config, catalog=catalog, state=state)
        with tap.client:
            return capture(tap.sync_all, monkeypatch)

    with small_disk(tmp_path / "small", 100) as small:
        with pytest.raises(DiskError, match=r"No space left.*download_dir") as told:
            run(small)
        assert f"share out records of {STREAM}" in str(told.value)
        assert small in str(told.value)
        assert "\n" not in str(told.value)
    left: TapRun = told.value.run  # type: ignore[attr-defined]  # put there by `capture`
    assert left.of_type("BATCH") == []
    assert left.last_state["bookmarks"]["activities"]["export_jobs"]
    whole = run(str(tmp_path), left.last_state)
    assert len(list(records_of(whole))) == ACTIVITIES
    windows = [str(job["filter"]) for job in created_jobs(emulator)]
    assert len(windows) == len({*windows}), "a job is made twice"


@pytest.mark.parametrize("missing", ["pyarrow"])
def test_a_missing_extra_is_told_before_any_call(
    emulator: Emulator, run_tap: RunTap, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """With the name of the extra."""
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(Exception, match=r".") as told:
        run_tap(emulator, {"batch_config": batches("x", "parquet")})  # type: ignore[arg-type]  # text
    assert "[parquet]" in str(getattr(told.value, "errors", told.value))
    assert not list(emulator.requests)
