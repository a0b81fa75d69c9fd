"""Calls broken off from another thread, over sockets that hang."""

from __future__ import annotations

import io
import threading
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import requests

from marketo_bulk.client import MarketoBulk
from marketo_bulk.clock import Clock
from marketo_bulk.errors import AbandonedError
from marketo_bulk.exports.objects import PROGRAM_MEMBERS
from marketo_bulk.imports.objects import LEADS
from marketo_bulk.jobs import ExportJob, ExportStatus
from tests.client.scripted import IDENTITY, Exchange, csv, envelope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from marketo_bulk.http.connection import Connection
    from tests.client.scripted import ScriptedServer

BASE = "/bulk/v1/program/members/export/ce45"
STATUS = f"{BASE}/status.json"
QUEUED = envelope({"exportId": "ce45", "status": "Queued"})
SECONDS_MAX = 30
"""Far less than the time-out of a call here, far more than breaking it off takes."""


@pytest.fixture
def patient(connection: Connection) -> Iterator[MarketoBulk]:
    """A client whose calls may take minutes, on the real clock."""
    with MarketoBulk.connect(replace(connection, request_timeout_seconds=300)) as client:
        yield client


def status(client: MarketoBulk, _path: Path) -> object:
    """Ask for the status of a job."""
    return client.get_export_status(PROGRAM_MEMBERS, "ce45")


def download(client: MarketoBulk, path: Path) -> object:
    """Download a file."""
    job = ExportJob("ce45", ExportStatus.COMPLETED)
    return client.download_export(PROGRAM_MEMBERS, job, path)


def upload(client: MarketoBulk, _path: Path) -> object:
    """Send a file."""
    return client.create_import(LEADS, io.BytesIO(b"email\na@b.test\n"))


def broken_off(
    client: MarketoBulk, call: Callable[[], object], hangs: threading.Event, *, for_good: bool
) -> BaseException:
    """Abandon a call once it hangs; return how it ended."""
    ends: list[BaseException] = []

    def run() -> None:
        with pytest.raises(AbandonedError) as caught:
            call()
        ends.append(caught.value)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert hangs.wait(SECONDS_MAX)
    time.sleep(0.05)  # so that it waits for the reply
    client.abandon_calls(for_good=for_good)
    thread.join(SECONDS_MAX)
    (end,) = ends
    return end


@pytest.mark.parametrize(
    ("act", "path"),
    [
        (status, STATUS),
        (status, IDENTITY),
        (download, f"{BASE}/file.json"),
        (upload, "/bulk/v1/leads.json"),
    ],
    ids=["status", "token", "download", "upload"],
)
@pytest.mark.parametrize("place", ["head", "body"])
@pytest.mark.parametrize("header", [{}, {"Connection": "close"}], ids=["kept", "closed"])
def test_call_that_hangs_is_broken_off(
    server: ScriptedServer,
    patient: MarketoBulk,
    tmp_path: Path,
    act: Callable[[MarketoBulk, Path], object],
    path: str,
    place: str,
    header: dict[str, str],
) -> None:
    """Before the head of the answer or in the middle of its body, whatever call it is."""
    hangs = threading.Event()

    def hang() -> Iterator[bytes]:
        hangs.set()
        server.released.wait(SECONDS_MAX)
        yield b""

    def before(_request: object) -> None:
        if place == "head":
            list(hang())

    body = csv(b"leadId\n1\n") if act is download else QUEUED
    headers = body.headers | header | {"Content-Length": "100000"}
    drips = () if place == "head" else hang()
    server.script(path, replace(body, headers=headers, before=before, drips=drips))
    error = broken_off(patient, lambda: act(patient, tmp_path), hangs, for_good=True)
    assert "broken off, as the run is to end" in str(error)
    with pytest.raises(AbandonedError):
        status(patient, tmp_path)


def test_later_calls_are_made_unless_it_was_for_good(
    server: ScriptedServer, patient: MarketoBulk, tmp_path: Path
) -> None:
    """Jobs are cancelled after what hung is out of the way."""
    hangs = threading.Event()

    def before(_request: object) -> None:
        hangs.set()
        server.released.wait(SECONDS_MAX)

    server.script(STATUS, replace(QUEUED, before=before), QUEUED)
    broken_off(patient, lambda: status(patient, tmp_path), hangs, for_good=False)
    server.released.set()
    assert status(patient, tmp_path)


def test_wait_between_tries_is_the_last(
    server: ScriptedServer, connection: Connection, tmp_path: Path
) -> None:
    """A call that waits for its next try makes none."""
    client: MarketoBulk

    def sleep(_seconds: float) -> None:
        client.abandon_calls()

    server.script(STATUS, Exchange(502))
    client = MarketoBulk.connect(connection, clock=Clock(sleep=sleep))
    with closing(client), pytest.raises(AbandonedError):
        status(client, tmp_path)


def test_session_of_another_maker_is_only_told(
    server: ScriptedServer, connection: Connection, tmp_path: Path
) -> None:
    """Its sockets are its own; no later call is made."""
    with requests.Session() as session:
        client = MarketoBulk.connect(connection, session=session)
        client.abandon_calls(for_good=True)
        with pytest.raises(AbandonedError):
            status(client, tmp_path)
    assert server.requests == []


def test_last_calls_wait_for_no_window(
    server: ScriptedServer, connection: Connection, tmp_path: Path
) -> None:
    """A run that has used its share may still cancel what it leaves behind."""
    slept: list[float] = []
    server.script(STATUS, QUEUED, QUEUED)
    slow = replace(connection, calls_per_20_seconds=1)
    with MarketoBulk.connect(slow, clock=Clock(sleep=slept.append)) as client:
        status(client, tmp_path)
        client.abandon_calls()
        status(client, tmp_path)
    assert slept == []
