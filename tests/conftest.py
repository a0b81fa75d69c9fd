"""What tests of several folders need: an emulator, and a tap run against it."""

from __future__ import annotations

import contextlib
import os
import uuid
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from marketo_emulator import Emulator, VirtualClock
from tests.tap_runs import NO_RATE_LIMIT, TapRun, capture, make_tap
from tests.virtual_runs import VirtualRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


# Examples are the same in every run, and slow ones are no failure: what fails here fails anywhere.
# `HYPOTHESIS_PROFILE=explore` looks for new examples; `quick` is satisfied with few.
hypothesis.settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile(
    "quick", hypothesis.settings.get_profile("same"), max_examples=20
)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


WHOLE_RUNS = {
    "end_to_end", "faults", "orchestrators", "simulation", "spark", "target_simulation",
    "warehouses", "with_meltano",
}  # fmt: skip
MANY_CASES = {"test_setting_values.py", "test_bad_inputs.py", "test_bad_places.py"}
"""Tables of so many inputs that they take half a minute and more."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what would be deselected as a whole: importing it takes seconds for each worker."""
    is_slow = collection_path.name in WHOLE_RUNS | MANY_CASES
    return True if is_slow and config.option.markexpr == "not slow" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what plays whole runs, starts processes or has a thousand cases."""
    for item in items:
        starts_processes = isinstance(item, pytest.Function) and hasattr(item.module, "subprocess")
        if starts_processes or item.path.parent.name in WHOLE_RUNS or item.path.name in MANY_CASES:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def make_emulator() -> Iterator[Callable[..., Emulator]]:
    """Return a function that starts an emulator, on a clock of its own, without rate limit."""
    with contextlib.ExitStack() as running:

        def start(**options: Any) -> Emulator:
            plain = {"programs": 3, "members": 60, "job_seconds": 0.0, "options": NO_RATE_LIMIT}
            return running.enter_context(Emulator(**{**plain, "clock": VirtualClock(), **options}))

        yield start


@pytest.fixture
def emulator(make_emulator: Callable[..., Emulator]) -> Emulator:
    """Return a small emulator."""
    return make_emulator()


@pytest.fixture
def run_tap(monkeypatch: pytest.MonkeyPatch) -> Callable[..., TapRun]:
    """Return a function that runs the tap in this process against an emulator."""

    def run(
        emulator: Emulator,
        config: Mapping[str, Any] | None = None,
        *,
        catalog: dict[str, Any] | None = None,
        state: dict[str, Any] | None = None,
    ) -> TapRun:
        tap = make_tap(emulator, config, catalog=catalog, state=state)
        with tap.client:
            return capture(tap.sync_all, monkeypatch)

    return run


@pytest.fixture
def virtual(monkeypatch: pytest.MonkeyPatch) -> Callable[[Emulator], VirtualRuns]:
    """Return a function that gives the runs against an emulator, on its virtual clock."""

    def runs(emulator: Emulator) -> VirtualRuns:
        return VirtualRuns(emulator, monkeypatch)

    return runs


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Return the address of an S3 on the loopback interface."""
    # Here, because it is dear to load and few tests need it.
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def s3_environment(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set up how an S3 is reached, as its users do."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return s3_server


@pytest.fixture
def bucket(s3_environment: str) -> str:
    """Return the address of a folder in a new bucket."""
    import boto3  # noqa: PLC0415  # as above

    name = f"b{uuid.uuid4().hex}"
    boto3.client("s3", endpoint_url=s3_environment).create_bucket(Bucket=name)
    return f"s3://{name}/some/where"


@pytest.fixture(autouse=True)
def _own_state_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test find the job journal of another, or leave one to the user."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))
