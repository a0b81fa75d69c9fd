"""Stream runs: one stream or a few, run after run, on a clock that takes no time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.tap_runs import TapRun, make_tap
from tests.virtual_runs import VirtualRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from marketo_emulator import Emulator


class KilledError(BaseException):
    """The process is gone."""


class StreamRuns:
    """Runs that go on from one another, and the tables a loader would have made of them."""

    def __init__(
        self,
        emulator: Emulator,
        monkeypatch: pytest.MonkeyPatch,
        *streams: str,
        config: Mapping[str, Any] | None = None,
        full: bool = False,
    ) -> None:
        self.emulator = emulator
        self.config = dict(config or {})
        self.streams = streams
        self.full = full
        self.state: dict[str, Any] | None = None
        self.tables: dict[str, dict[Any, dict[str, Any]]] = {name: {} for name in streams}
        self.fields: dict[str, Iterable[str]] = {}
        self._runs = VirtualRuns(emulator, monkeypatch)
        self._monkeypatch = monkeypatch

    def catalog(self) -> dict[str, Any]:
        """Return a catalog that selects the streams, with these fields beside the usual ones."""
        tap = make_tap(self.emulator, self.config)
        with tap.client:
            catalog = tap.catalog_dict
        for entry in catalog["streams"]:
            name = entry["tap_stream_id"]
            wanted = set(self.fields.get(name, ()))
            for item in entry["metadata"]:
                if not item["breadcrumb"]:
                    item["metadata"]["selected"] = name in self.streams
                elif item["breadcrumb"][1] in wanted:
                    item["metadata"]["selected"] = True
            if self.full and name in self.streams:
                entry["replication_method"] = "FULL_TABLE"
        return catalog

    def run(self, **config: Any) -> TapRun:
        """Run once more, from the state of the run before."""
        return self._take(
            lambda: self._runs.run(
                {**self.config, **config}, state=self.state, catalog=self.catalog()
            )
        )

    def run_killed(self, seconds: float) -> TapRun:
        """Run once more; after so many seconds the process is gone without a word."""
        return self._broken_off(seconds, KilledError())

    def run_stopped(self, seconds: float) -> TapRun:
        """Run once more; after so many seconds it is told to stop."""
        return self._broken_off(seconds, SystemExit(143))

    def state_of(self, stream: str) -> dict[str, Any]:
        """Return what STATE says of a stream."""
        found: dict[str, Any] = (self.state or {}).get("bookmarks", {}).get(stream, {})
        return found

    def _broken_off(self, seconds: float, error: BaseException) -> TapRun:
        time = self._runs.time

        def end() -> None:
            raise error

        due = time.now.fromtimestamp(time.now.timestamp() + seconds, time.now.tzinfo)
        time.at.append((due, end))
        with self._monkeypatch.context() as patched:
            if isinstance(error, KilledError):
                _without_last_words(patched)
            with pytest.raises(type(error)) as caught:
                self.run()
        return self._take(lambda: caught.value.run)  # type: ignore[attr-defined]

    def _take(self, action: Callable[[], TapRun]) -> TapRun:
        try:
            run = action()
        except BaseException as error:
            if hasattr(error, "run"):
                self._load(error.run)
            raise
        self._load(run)
        return run

    def _load(self, run: TapRun) -> None:
        keys = {m["stream"]: m["key_properties"] for m in run.of_type("SCHEMA")}
        for message in run.messages:
            if message["type"] == "RECORD":
                record, key = message["record"], keys[message["stream"]]
                table = self.tables.setdefault(message["stream"], {})
                table[tuple(record[name] for name in key)] = record
            elif message["type"] == "STATE":
                self.state = message["value"]


def _without_last_words(patched: pytest.MonkeyPatch) -> None:
    """Let whatever a run does on its way out have no effect, but that its thread ends."""

    def leave(exports: Any) -> None:
        run, exports._run = exports._run, None  # noqa: SLF001  # it is gone
        if run is not None:
            run._scheduler.stop(0.1)  # noqa: SLF001

    patched.setattr("tap_marketo_bulk.streams.exports.Exports.leave", leave)
