"""A loopback Marketo to test against: a second, independent reading of its documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marketo_emulator.clock import Clock, SystemClock, VirtualClock
    from marketo_emulator.emulator import Emulator
    from marketo_emulator.faults.fault import Fault
    from marketo_emulator.options import Options

__all__ = ["Clock", "Emulator", "Fault", "Options", "SystemClock", "VirtualClock"]

_HOMES = {
    "Clock": "clock",
    "Emulator": "emulator",
    "Fault": "faults.fault",
    "Options": "options",
    "SystemClock": "clock",
    "VirtualClock": "clock",
}


def __getattr__(name: str) -> object:
    # Loaded on first use, so that the command line can say what to install without Werkzeug.
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module  # noqa: PLC0415 - see above

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
