"""Fixtures: drills against emulators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.drill import Drill

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator


@pytest.fixture
def make_drill(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Drill]:
    """Return a function that makes a drill against an emulator with these options."""

    def make(**options: Any) -> Drill:
        return Drill(make_emulator(**options), monkeypatch)

    return make


@pytest.fixture
def drill(make_drill: Callable[..., Drill]) -> Drill:
    """Return a drill against three programs with 60 members: one job of about 15 kB."""
    return make_drill()
