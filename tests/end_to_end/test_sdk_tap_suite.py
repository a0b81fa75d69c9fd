"""The SDK's own standard tests, with a record limit (its loop) and without (the record loop)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_runs import settings_for

from marketo_emulator import Emulator, Options
from tap_marketo_bulk.tap import TapMarketoBulk

if TYPE_CHECKING:
    from collections.abc import Iterator

# The test classes build their tap while this module is imported, so the emulator must be up.
EMULATOR = Emulator(
    programs=3,
    members=200,
    job_seconds=0,
    options=Options(max_calls_per_window=10**6, max_concurrent_calls=10**6),
).__enter__()

# Optional attributes of programs are absent where Marketo has none, and the suite warns of that.
pytestmark = pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records")


@pytest.fixture(scope="module", autouse=True)
def _stop_emulator() -> Iterator[None]:
    yield
    EMULATOR.close()


CONFIG = settings_for(EMULATOR, {"calls_per_20_seconds": 100})

TestWithRecordLimit = get_tap_test_class(
    TapMarketoBulk, config=CONFIG, parse_env_config=False, include_tap_tests=True
)
TestWithoutRecordLimit = get_tap_test_class(
    TapMarketoBulk,
    config=CONFIG,
    parse_env_config=False,
    suite_config=SuiteConfig(max_records_limit=None),
)
