"""The permissions that the docs ask for are enough, and each of them is needed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from marketo_emulator import Emulator
from marketo_emulator.api.route import PERMISSIONS
from tests.tap_runs import NO_RATE_LIMIT, TapRun, capture, make_tap, settings_for
from tests.target.runs import run_in_process, singer_lines

DOCS = Path(__file__).parents[2] / "docs"
TABLE = (DOCS / "streams.md").read_text("utf-8").partition("\n| Stream |")[2].partition("\n\n")[0]
STREAM = re.compile(r"^\| `(\w+)` \|.* \| ([^|]+) \|$", re.MULTILINE)
STREAMS = {name: said.partition(";")[0].split(", ") for name, said in STREAM.findall(TABLE)}
"""Streams whose names depend on the instance are left out; after a semicolon stands what helps."""
NEEDED = [(stream, name) for stream, permissions in STREAMS.items() for name in permissions]
(SAID,) = re.findall(
    r"^\| target: leads \| (.+) \|$", (DOCS / "credentials.md").read_text("utf-8"), re.MULTILINE
)
FOR_THE_TARGET = SAID.split(", ")


def name_on_the_wire(permission: str) -> str:
    """Return what the emulator calls a permission."""
    kind, _, name = permission.partition(" ")
    return name.lower() + (" write" if kind == "Read-Write" else "")


def emulator_with(permissions: list[str]) -> Emulator:
    """Return an instance whose API user has these permissions alone."""
    given = {name_on_the_wire(permission) for permission in permissions}
    assert given <= set(PERMISSIONS)
    missing = tuple(permission for permission in PERMISSIONS if permission not in given)
    return Emulator(
        programs=3,
        members=30,
        job_seconds=0,
        options=replace(NO_RATE_LIMIT, missing_permissions=missing),
    )


def sync(stream: str, permissions: list[str], monkeypatch: pytest.MonkeyPatch) -> TapRun:
    """Return what a run brings of one stream, for an API user with these permissions."""
    config = {"start_date": "2026-01-01"}
    with Emulator(programs=3, members=30, job_seconds=0) as able:
        catalog = make_tap(able, config).catalog_dict
    if stream not in {entry["tap_stream_id"] for entry in catalog["streams"]}:
        pytest.skip("the stream needs a setting of its own")
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = entry["tap_stream_id"] == stream
    with emulator_with(permissions) as emulator:
        emulator.store.delete_lead(int(next(emulator.store.leads())["id"] or 0))
        tap = make_tap(emulator, {**config, "max_retry_seconds": 1}, catalog=catalog)
        return capture(tap.sync_all, monkeypatch)


@pytest.mark.parametrize("stream", STREAMS)
def test_the_permissions_of_a_stream_are_enough(
    stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No call asks for another."""
    assert sync(stream, STREAMS[stream], monkeypatch).records(stream)


@pytest.mark.parametrize(("stream", "permission"), NEEDED)
def test_each_permission_of_a_stream_is_needed(
    stream: str, permission: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the stream fails, with a line that names it."""
    others = [name for name in STREAMS[stream] if name != permission]
    with pytest.raises(Exception, match=f'Tick "{permission}"'):
        sync(stream, others, monkeypatch)


@pytest.mark.parametrize("left_out", [None, *FOR_THE_TARGET])
def test_the_target_needs_what_is_said(
    left_out: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All of it imports a row; less imports none."""
    permissions = [name for name in FOR_THE_TARGET if name != left_out]
    with emulator_with(permissions) as emulator:
        config: dict[str, Any] = settings_for(emulator, {"rejects_path": str(tmp_path)})
        lines = singer_lines([{"email": "a@load.test"}])
        done = run_in_process(lines, {**config, "max_retry_seconds": 1}, tmp_path, caplog)
        assert (done.error is None) is (left_out is None)
        found = [lead for lead in emulator.store.leads() if lead["email"] == "a@load.test"]
        assert len(found) == (1 if left_out is None else 0)
