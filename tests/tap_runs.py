"""Tap runs: the tap in this process, its messages, and what the emulator saw of it."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from marketo_bulk import Clock, MarketoBulk
from marketo_emulator import Emulator, Options
from singer_marketo.settings import connection_from
from tap_marketo_bulk.tap import TapMarketoBulk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pytest

    from marketo_bulk import Connection

POLL_SECONDS = 0.01
NO_RATE_LIMIT = Options(max_calls_per_window=10**6, max_concurrent_calls=10**6)
DAY_SECONDS = 86_400


@dataclass
class TapRun:
    """What a tap has written."""

    messages: list[dict[str, Any]]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of one type."""
        return [message for message in self.messages if message["type"] == kind]

    def records(self, stream: str = "program_members") -> list[dict[str, Any]]:
        """Return the records of a stream, in the order written."""
        return [m["record"] for m in self.of_type("RECORD") if m["stream"] == stream]

    def table(self) -> dict[tuple[int, int], dict[str, Any]]:
        """Return the members as a loader would keep them: the last record of each key."""
        return {(r["leadId"], r["programId"]): r for r in self.records()}

    @property
    def bookmark(self) -> dict[str, Any]:
        """Return the last state of the stream of members."""
        states = self.of_type("STATE")
        return states[-1]["value"]["bookmarks"]["program_members"] if states else {}

    @property
    def last_state(self) -> dict[str, Any]:
        """Return the value of the last STATE message."""
        states = self.of_type("STATE")
        return states[-1]["value"] if states else {}


def settings_for(emulator: Emulator, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the config of a tap that talks to an emulator."""
    return {
        "base_url": emulator.base_url,
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "poll_interval_seconds": POLL_SECONDS,
        **(config or {}),
    }


def make_tap(
    emulator: Emulator,
    config: Mapping[str, Any] | None = None,
    *,
    catalog: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
    client: MarketoBulk | None = None,
    clock: Clock | None = None,
    kind: type[TapMarketoBulk] = TapMarketoBulk,
) -> TapMarketoBulk:
    """Return a tap with this client, or one that does not spread its calls over time."""
    tap = kind(
        config=settings_for(emulator, config), catalog=catalog, state=state, setup_mapper=False
    )
    tap.client = client or MarketoBulk.connect(unpaced(tap.config))  # fills the cached property
    tap.clock = clock or tap.clock
    tap.setup_mapper()
    return tap


def unpaced(config: Mapping[str, Any]) -> Connection:
    """Return the connection of a config, without a limit to its calls."""
    return replace(connection_from(config), calls_per_20_seconds=10**6)


def members_of(emulator: Emulator) -> dict[tuple[int, int], dict[str, Any]]:
    """Return the members the emulator has now, by the key of the stream."""
    members: Iterable[Mapping[str, Any]] = emulator.store.members()
    return {(m["leadId"], m["programId"]): dict(m) for m in members}


def created_jobs(emulator: Emulator) -> list[dict[str, Any]]:
    """Return the bodies of all calls that created an export job, in order."""
    return [r.body for r in emulator.requests if r.operation == "export.create"]


def capture(action: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> TapRun:
    """Run something that writes Singer messages to stdout, and return them.

    Whatever it raises is raised after the messages have been attached to the error as `run`.
    """
    written = io.BytesIO()
    with monkeypatch.context() as patched:
        stdout = io.TextIOWrapper(written, encoding="utf-8", write_through=True)
        patched.setattr(sys, "stdout", stdout)
        try:
            action()
        except BaseException as error:
            error.run = TapRun(parse(written.getvalue()))  # type: ignore[attr-defined]
            raise
        finally:
            stdout.detach()
    return TapRun(parse(written.getvalue()))


def catalog_with(
    emulator: Emulator, *streams: str, config: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a catalog that selects these streams alone."""
    tap = make_tap(emulator, config)
    with tap.client:
        catalog = tap.catalog_dict
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = entry["tap_stream_id"] in streams
    return catalog


def parse(text: bytes) -> list[dict[str, Any]]:
    """Return the messages of Singer output; every line must be whole."""
    return [json.loads(line) for line in text.splitlines()]


def moment(text: str) -> datetime:
    """Return the moment the wire has."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")
