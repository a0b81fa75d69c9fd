"""The fault: where it happens, what it does, and what of it a job keeps."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from marketo_emulator.faults.rewrites import REWRITES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One misbehaviour: which calls, which of them, and what happens; effects combine.

    The operations are those of `routes.OPERATIONS`, and two that are no calls: `export.job`
    (a worker takes an export; its file is written) and `import.job` (a worker takes an import).
    """

    # -- which calls: patterns of `fnmatch` -----------------------------------------------------
    operation: str = "*"
    method: str = "*"
    path: str = "*"
    # -- which of the matching calls ------------------------------------------------------------
    nth: int = 1
    """The first matching call it happens at, counted from 1."""
    every: int = 1
    """From then on at every so many matching calls."""
    times: int | None = 1
    """How often altogether; None for ever."""
    for_seconds: float | None = None
    """How long after it was added it may happen; None for ever."""
    # -- the call -------------------------------------------------------------------------------
    delay_seconds: float = 0
    """Waits before anything is done."""
    reset: Literal["", "before", "after"] = ""
    """Breaks the connection before the request takes effect, or after it did (lost reply)."""
    ignore_range: bool = False
    """Answers with the whole file although a part was asked for."""
    range_shift: int = 0
    """Moves the bytes of a part against the range its headers state; -1 repeats one byte."""
    # -- the answer in place of the right one ---------------------------------------------------
    code: str = ""
    """An error envelope with this code; the request has no effect unless `takes_effect`."""
    message: str = ""
    """Its text; the usual one of the code if empty."""
    status: int = 0
    """HTTP status of the answer; from 400 on, with a proxy's page unless there is a `body`."""
    body: str | None = None
    """A body in place of the answer's."""
    takes_effect: bool = False
    """Whether the request is carried out before its answer is replaced."""
    # -- changes to the answer ------------------------------------------------------------------
    put: Mapping[str, Any] = field(default_factory=dict)
    """Values put into JSON, by path: {"result.0.status": "Paused"}; at a job, into the status it
    shows when it has ended: {"fileSize": 1}."""
    drop: tuple[str, ...] = ()
    """Paths taken out of JSON; at a job, keys out of that status."""
    rewrites: tuple[str, ...] = ()
    """Names of `rewrites.REWRITES`, applied to the body; at `export.job`, to the file for good."""
    headers: Mapping[str, str | None] = field(default_factory=dict)
    """Headers to set, or with None to take away."""
    date_skew_seconds: float = 0
    """Moves the `Date` header."""
    # -- its transmission -----------------------------------------------------------------------
    cut_after_bytes: int | None = None
    """Ends the body early under the full Content-Length, or cleanly if `chunked`."""
    chunked: bool = False
    """Sends the body in chunks, without a length."""
    drip_bytes: int = 0
    """Sends the body in pieces of this size..."""
    drip_seconds: float = 0
    """...with pauses of this length before each."""
    # -- a job ----------------------------------------------------------------------------------
    outcome: Literal["", "Failed", "Cancelled", "Stuck"] = ""
    """How a job ends, or that it never does; `message` is its error text."""
    job_seconds: float | None = None
    """How long a job runs."""

    def __post_init__(self) -> None:
        unknown = [name for name in self.rewrites if name not in REWRITES]
        if unknown:
            message = f"no such rewrite: {', '.join(unknown)}; there are {', '.join(REWRITES)}"
            raise ValueError(message)
        if self.nth < 1 or self.every < 1:
            message = f"nth={self.nth} and every={self.every} are counted from 1"
            raise ValueError(message)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Fault:
        """Return the fault that this JSON object describes.

        Raises: ValueError for an unknown key.
        """
        unknown = set(document) - {field.name for field in fields(cls)}
        if unknown:
            message = f"a fault has no {', '.join(sorted(unknown))}"
            raise ValueError(message)
        lists = {key: tuple(document[key]) for key in ("drop", "rewrites") if key in document}
        return cls(**{**document, **lists})

    def to_json(self) -> dict[str, Any]:
        """Return the fields that differ from their defaults."""
        plain = asdict(Fault())
        return {key: value for key, value in asdict(self).items() if value != plain[key]}

    @property
    def replaces_answer(self) -> bool:
        """Whether the right answer is not wanted at all."""
        return bool(self.code) or self.body is not None or self.status >= HTTPStatus.BAD_REQUEST


@dataclass(slots=True)
class _Armed:
    fault: Fault
    added_at: datetime
    matched: int = 0
    fired: int = 0

    def fires(self, operation: str, method: str, path: str, now: datetime) -> bool:
        fault = self.fault
        if fault.for_seconds is not None and now >= self.added_at + timedelta(
            seconds=fault.for_seconds
        ):
            return False
        if not (
            fnmatchcase(operation, fault.operation)
            and fnmatchcase(method, fault.method)
            and fnmatchcase(path, fault.path)
        ):
            return False
        self.matched += 1
        due = self.matched >= fault.nth and (self.matched - fault.nth) % fault.every == 0
        if not due or (fault.times is not None and self.fired >= fault.times):
            return False
        self.fired += 1
        return True


class Faults:
    """The faults that were added, each with its own count."""

    def __init__(self, clock_now: Callable[[], datetime]) -> None:
        self._now = clock_now
        self._armed: list[_Armed] = []

    def add(self, *faults: Fault) -> None:
        """Arm faults; several may happen at one call, in the order they were added."""
        self._armed.extend(_Armed(fault, self._now()) for fault in faults)

    def clear(self) -> None:
        """Disarm all."""
        self._armed.clear()

    def __iter__(self) -> Iterator[Fault]:
        return (armed.fault for armed in self._armed)

    def fired(self) -> list[int]:
        """Return how often each has happened."""
        return [armed.fired for armed in self._armed]

    def strike(
        self, operation: str, *, method: str = "", path: str = "", now: datetime
    ) -> list[Fault]:
        """Count a call and return the faults that happen at it."""
        return [
            armed.fault for armed in list(self._armed) if armed.fires(operation, method, path, now)
        ]


@dataclass(frozen=True, slots=True)
class Amendments:
    """Values put into a status, and keys left out of it."""

    put: tuple[tuple[str, Any], ...] = ()
    drop: tuple[str, ...] = ()

    def with_fault(self, fault: Fault) -> Amendments:
        """Return these and those of one more fault."""
        return Amendments((*self.put, *fault.put.items()), self.drop + fault.drop)

    def applied(self, shown: dict[str, object]) -> dict[str, object]:
        """Return the status as it is told."""
        told = {**shown, **dict(self.put)}
        return {key: value for key, value in told.items() if key not in self.drop}


NOTHING_AMENDED = Amendments()
