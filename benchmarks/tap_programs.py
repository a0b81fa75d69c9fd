"""Driver of this tap: a whole sync of program members over HTTP; prints what it took, as JSON.

    python tap_programs.py < ORDER

The order is JSON: `config`, `state`, and `files_waiting`, how many files have to wait on disk
before the first record is taken from the tap. Calls are not spread over time.
"""

from __future__ import annotations

import io
import json
import logging
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

sys.path.insert(0, str(Path(__file__).parents[1]))

from marketo_bulk import MarketoBulk
from marketo_bulk.scheduling.work import Phase
from singer_marketo.settings import connection_from
from tap_marketo_bulk.sync import run as sync_run
from tap_marketo_bulk.sync.job_journal import JobJournal
from tap_marketo_bulk.tap import TapMarketoBulk

if TYPE_CHECKING:
    from singer_marketo.progress import Progress
    from tap_marketo_bulk.sync.prepared import PreparedStream

STREAM = "program_members"


class Reader:
    """What stands in for stdout: counts bytes by the type of message."""

    def __init__(self, tap: TapMarketoBulk, files_waiting: int) -> None:
        self._tap = tap
        self._files_waiting = files_waiting
        self.bytes: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()

    @property
    def buffer(self) -> Self:
        """Return what stands in for the buffer of stdout."""
        return self

    def write(self, lines: bytes | bytearray) -> int:
        """Take lines of one type."""
        kind = lines[9 : lines.index(b'"', 9)].decode()
        if kind == "RECORD":
            self._wait()
        self.bytes[kind] += len(lines)
        self.messages[kind] += lines.count(b"\n")
        return len(lines)

    def _wait(self) -> None:
        while self._files_waiting:
            ready = self._progress().states.get(Phase.READY.value, 0)
            if ready >= self._files_waiting:
                self._files_waiting = 0
            time.sleep(0.02)

    def _progress(self) -> Progress:
        run = self._tap.exports._run  # noqa: SLF001  # nobody else knows of it
        if run is None:
            raise RuntimeError("records outside a run")
        return run.progress()

    def flush(self) -> None:
        """Keep nothing back."""

    def fileno(self) -> int:
        """Be no file."""
        raise io.UnsupportedOperation("no descriptor")


def main() -> None:
    """Sync, and print the figures."""
    logging.disable(logging.CRITICAL)
    order = json.load(sys.stdin)
    tap = TapMarketoBulk(config=order["config"], state=order["state"], setup_mapper=False)
    connection = replace(connection_from(tap.config), calls_per_20_seconds=10**6)
    tap.job_journal = JobJournal(Path(order["journal"]))
    tap.client = MarketoBulk.connect(connection)  # fills the cached property
    tap.setup_mapper()
    for name, stream in tap.streams.items():
        stream.metadata.root.selected = name == STREAM
    planning = _timed_planning()
    stdout, sys.stdout = sys.stdout, Reader(tap, order["files_waiting"])  # type: ignore[assignment]
    reader: Any = sys.stdout
    begun = time.process_time()
    tap.sync_all()
    seconds = time.process_time() - begun
    sys.stdout = stdout
    print(
        json.dumps(
            {
                "plan_seconds": planning[0],
                "sync_seconds": seconds,
                "records": reader.messages["RECORD"],
                "record_bytes": reader.bytes["RECORD"],
                "states": reader.messages["STATE"],
                "state_bytes": reader.bytes["STATE"],
                "megabytes": _megabytes(),
            }
        )
    )


def _megabytes() -> float:
    """Return the largest resident set of this program.

    The kernel's account of the process has that of whoever started it, too, which may be larger.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _timed_planning() -> list[float]:
    """Return where the seconds of planning will be."""
    plan, seconds = sync_run.prepare, []

    def timed(*arguments: Any) -> PreparedStream:  # noqa: ANN401  # handed on as they are
        begun = time.process_time()
        prepared = plan(*arguments)
        seconds.append(time.process_time() - begun)
        return prepared

    sync_run.prepare = timed  # type: ignore[assignment]
    return seconds


if __name__ == "__main__":
    main()
