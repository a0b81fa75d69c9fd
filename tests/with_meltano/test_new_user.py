"""What docs/meltano.md says, done by a new user: from nothing to rows in PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from marketo_emulator import Emulator
from tests.with_meltano.commands import Shell, blocks_of
from tests.with_meltano.hub import running_hub
from tests.with_meltano.postgres import PASSWORD, Postgres, running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "meltano.md"
DEFINITIONS_HOST = "https://raw.githubusercontent.com"
START_DATE = "2026-01-01"
"""As the page sets it."""

RUN = "meltano run tap-marketo-bulk target-postgres"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this checkout."""
    directory = tmp_path_factory.mktemp("wheel")
    build = ["uv", "build", "--quiet", "--wheel", "--out-dir", str(directory), str(ROOT)]
    subprocess.run([sys.executable, "-m", *build], check=True, timeout=300)
    (found,) = directory.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """Return a running PostgreSQL."""
    with running_postgres() as server:
        yield server


def test_the_page_leads_from_nothing_to_rows(
    wheel: Path, postgres: Postgres, tmp_path: Path
) -> None:
    """Missing credentials, wrong ones, right ones: a line, a line, and every member in a table."""
    project, settings, fields, run, target = blocks_of(PAGE)
    with running_hub(wheel) as hub, Emulator(programs=3, members=60, job_seconds=0.2) as emulator:
        assert f"start_date {START_DATE}" in settings
        shell = Shell(
            tmp_path,
            _clean_environment(hub),
            {
                DEFINITIONS_HOST: hub,
                "meltano-venv/bin/pip install --quiet meltano": "meltano-venv/bin/pip install "
                f"--quiet --constraint {ROOT / 'constraints.txt'} meltano",
                "TAP_MARKETO_BULK_MUNCHKIN_ID=123-ABC-456": (
                    f"TAP_MARKETO_BULK_BASE_URL={emulator.base_url}\n"
                    "TAP_MARKETO_BULK_POLL_INTERVAL_SECONDS=0.2"
                ),
                "TARGET_MARKETO_BULK_MUNCHKIN_ID=123-ABC-456": (
                    f"TARGET_MARKETO_BULK_BASE_URL={emulator.base_url}"
                ),
                "your-client-id": emulator.client_id,
                "your-client-secret": emulator.client_secret,
                "your-password": PASSWORD,
                "host localhost": "host 127.0.0.1",
                "port 5432": f"port {postgres.port}",
            },
        )
        _hold_ok(shell.run(project, timeout=600))

        _hold_one_line(shell.run(RUN), "client_id, client_secret, munchkin_id (or base_url) must")
        _hold_ok(shell.run(settings))
        env = shell.folder / ".env"
        right = env.read_text()
        env.write_text(right.replace(emulator.client_secret, "wrong"))
        _hold_one_line(shell.run(RUN), "client_secret")

        env.write_text(right)
        _hold_ok(shell.run(fields))
        _hold_ok(shell.run(run))
        checked = shell.run(target)
        _hold_ok(checked)
        assert "check: all is in order" in checked.stderr + checked.stdout
        wanted = {
            (m["leadId"], m["programId"], m["statusName"])
            for m in emulator.store.members()
            if str(m["updatedAt"]) >= START_DATE
        }
    rows = postgres.query('select "leadId", "programId", "statusName" from marketo.program_members')
    assert {(int(lead), int(program), status) for lead, program, status in rows} == wanted


def _clean_environment(hub: str) -> dict[str, str]:
    """Return the environment of somebody who has never heard of this project."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        **{name: value for name, value in os.environ.items() if name.startswith(("UV_", "PIP_"))},
        "MELTANO_HUB_URL": hub,
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "NO_COLOR": "1",
    }


def _hold_ok(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def _hold_one_line(done: subprocess.CompletedProcess[str], words: str) -> None:
    """Hold that the run failed, that the tap says why, and that nothing shows a traceback."""
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert words in text, text
    assert "Traceback" not in text, text
