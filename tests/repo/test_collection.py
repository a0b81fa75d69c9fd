"""Collecting the tests starts nothing that outlives it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 300
NO_TESTS_RAN = 5

FORGOTTEN = """
import requests
from marketo_emulator import Emulator
emulator = Emulator(programs=0, members=0).__enter__()
session = requests.Session()
session.get(f"{emulator.identity_url}/oauth/token", timeout=60)
print("served")
"""


@pytest.mark.parametrize(
    "selection",
    [
        ["--collect-only"],
        ["-k", "no_test_has_such_a_name"],
        ["-m", "fault and not fault"],
        ["--deselect", "tests"],
    ],
    ids=lambda selection: selection[0],
)
def test_pytest_ends_when_it_runs_no_test(selection: list[str]) -> None:
    """Whatever selects tests imports all modules; none of them leaves a thread behind."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *selection],
        check=False,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        cwd=ROOT,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
    )
    expected = 0 if selection == ["--collect-only"] else NO_TESTS_RAN
    assert done.returncode == expected, done.stdout[-2000:]


def test_a_process_that_forgets_to_close_its_emulator_ends() -> None:
    """Neither the server nor a connection that is kept open holds the process."""
    done = subprocess.run(
        [sys.executable, "-c", FORGOTTEN],
        check=False,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout) == (0, "served\n"), done.stderr
