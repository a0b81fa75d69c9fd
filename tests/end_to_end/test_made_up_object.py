"""A newcomer among the export objects is a description, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marketo_bulk import FieldDescription, custom_object
from tap_marketo_bulk.streams.description import StreamDescription
from tap_marketo_bulk.streams.fields import Fields
from tap_marketo_bulk.sync.names import StreamNames
from tap_marketo_bulk.tap import TapMarketoBulk
from tests.tap_runs import DAY_SECONDS, NO_RATE_LIMIT, TapRun, capture, make_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from marketo_emulator import Emulator

ROOT = Path(__file__).parents[2]
CONFIG = {"start_date": "2024-01-01T00:00:00Z"}


class Cars(StreamDescription):
    """The custom object of the emulator, as a stream."""

    names = StreamNames(stream="cars", bookmark="updatedAt", record="car")
    object = custom_object("car_c")
    keys = {"marketoGUID": "string"}  # noqa: RUF012
    is_selected = True

    @override
    def fields(self) -> Fields:
        """Return three fields of a car."""
        described = (
            FieldDescription("marketoGUID", "Marketo GUID", "string"),
            FieldDescription("model", "Model", "string"),
            FieldDescription("updatedAt", "Updated At", "datetime"),
        )
        return Fields(described, self.keys)


class TapWithCars(TapMarketoBulk):
    """The tap with one word more in its list of streams."""

    exports_listed = (*TapMarketoBulk.exports_listed, Cars)


def run(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, state: dict[str, Any] | None = None
) -> TapRun:
    """Return what a sync of cars and members writes."""
    tap = make_tap(emulator, CONFIG, state=state, kind=TapWithCars)
    with tap.client:
        return capture(tap.sync_all, monkeypatch)


def cars_of(emulator: Emulator) -> dict[str, Any]:
    """Return the cars there are, by their key."""
    return {str(row["marketoGUID"]): row["model"] for row in emulator.store.object_rows("car_c")}


def test_a_made_up_object_is_synced(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its windows, its bookmark and its STATE are the engine's."""
    emulator = make_emulator(options=NO_RATE_LIMIT)
    first = run(emulator, monkeypatch)
    table = {car["marketoGUID"]: car["model"] for car in first.records("cars")}
    assert table == cars_of(emulator) != {}
    bookmark = first.last_state["bookmarks"]["cars"]
    assert bookmark == {
        "replication_key": "updatedAt",
        "replication_key_value": "2026-06-15T11:59:00Z",
        "export_jobs": [],
    }
    emulator.advance(DAY_SECONDS)
    second = run(emulator, monkeypatch, first.last_state)
    assert second.records("cars") == []
    after = second.last_state["bookmarks"]["cars"]["replication_key_value"]
    assert after == "2026-06-16T11:59:00Z"


WORDS = re.compile(r"program|\bleads?\b(?! (to|up)\b)|lead_|lead_?id|updated_?at", re.IGNORECASE)
OF_SETTINGS = {"settings.py", "program_settings.py", "refused_settings.py"}
"""What users set is called by what it is about."""


def test_only_descriptions_name_what_is_exported() -> None:
    """An object named elsewhere would be one that the engine cannot do without."""
    tap = ROOT / "tap_marketo_bulk"
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(tap.rglob("*.py"))
        if "streams" not in path.relative_to(tap).parts and path.name not in OF_SETTINGS
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if WORDS.search(line)
    ]
    assert found == []
