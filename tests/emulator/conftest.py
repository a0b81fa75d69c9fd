"""An emulator on a virtual clock, called in process, without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from marketo_emulator import Emulator, Options, VirtualClock
from tests.emulator.harness import NOON, Marketo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def make() -> Iterator[Callable[..., Marketo]]:
    """Return a maker of emulators that are closed after the test."""
    made: list[Emulator] = []

    def _make(
        *, programs: int = 8, members: int = 120, job_seconds: float = 90.0, **options: object
    ) -> Marketo:
        clock = VirtualClock(NOON)
        emulator = Emulator(
            programs=programs,
            members=members,
            job_seconds=job_seconds,
            clock=clock,
            options=Options(**options),  # type: ignore[arg-type]
        )
        made.append(emulator)
        marketo = Marketo(emulator, clock)
        marketo.sign_in()
        return marketo

    yield _make
    for emulator in made:
        emulator.close()


@pytest.fixture
def marketo(make: Callable[..., Marketo]) -> Marketo:
    """Return an emulator with every default."""
    return make()
