"""The SDK's own standard tests, with a record limit (its loop) and without (the record loop)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from typing_extensions import override

from marketo_emulator import Emulator, Options
from tap_marketo_bulk.streams.leads import Leads
from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.tap import TapMarketoBulk
from tests.tap_runs import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Stream

# Optional attributes of programs are absent where Marketo has none, and the suite warns of that.
pytestmark = pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records")

START = {"start_date": "2024-01-01T00:00:00Z", "poll_interval_seconds": 0.01}
CONFIG: dict[str, Any] = {}
"""Which emulator; the classes hold this very mapping, and read it when a test begins."""


class SelectedLeads(Leads):
    """The leads, selected: the suite reads every stream, and expects the fields of its catalog."""

    is_selected = True


class WholeTap(TapMarketoBulk):
    """The tap with all its streams selected."""

    exports_listed = (ProgramMembers, SelectedLeads)

    @override
    def discover_streams(self) -> list[Stream]:
        streams = super().discover_streams()
        for stream in streams:
            stream.selected_by_default = True
        return streams


def running() -> Emulator:
    """Return an emulator, the same data in each."""
    options = Options(max_calls_per_window=10**6, max_concurrent_calls=10**6)
    emulator = Emulator(programs=3, members=200, job_seconds=0, options=options)
    # So that every stream has a record.
    emulator.store.delete_lead(1)
    return emulator


def point_at(emulator: Emulator) -> None:
    """Make the classes below talk to this emulator."""
    CONFIG.update(settings_for(emulator, {"calls_per_20_seconds": 100, **START}))


@pytest.fixture(scope="module", autouse=True)
def _emulator() -> Iterator[None]:
    with running() as emulator:
        point_at(emulator)
        yield


# The classes discover the streams while they are made. That emulator is gone when they are: a
# module may be imported and none of its tests run.
with running() as described:
    point_at(described)
    TestWithRecordLimit = get_tap_test_class(
        WholeTap, config=CONFIG, parse_env_config=False, include_tap_tests=True
    )
    TestWithoutRecordLimit = get_tap_test_class(
        WholeTap,
        config=CONFIG,
        parse_env_config=False,
        suite_config=SuiteConfig(max_records_limit=None),
    )
