"""What docs/reverse-etl.md says: a table and a file become leads, and only what has changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from marketo_emulator import Emulator
from tests.with_meltano.commands import Shell, blocks_of
from tests.with_meltano.postgres import PASSWORD, running_postgres

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reverse-etl.md"
EXAMPLE = ROOT / "examples" / "reverse_etl"
SALT = "a-long-random-text"


def test_a_table_and_a_file_become_leads(tmp_path: Path) -> None:
    """Renamed, hashed, dropped; the second run sends the one row that has changed."""
    _without_marketo, set_up, check, load = blocks_of(PAGE)
    table, _ = load.splitlines()
    shutil.copytree(EXAMPLE, tmp_path / "examples" / "reverse_etl")
    use_this_checkout(tmp_path / "examples" / "reverse_etl" / "meltano.yml")
    with (
        running_postgres() as postgres,
        Emulator(programs=0, members=0, job_seconds=0.1) as emulator,
    ):
        postgres.query((EXAMPLE / "customers.sql").read_text())
        shell = Shell(
            tmp_path,
            {
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "TARGET_MARKETO_BULK_POLL_INTERVAL_SECONDS": "0.1",
                "NO_COLOR": "1",
            },
            {
                "TARGET_MARKETO_BULK_MUNCHKIN_ID=123-ABC-456": (
                    f"TARGET_MARKETO_BULK_BASE_URL={emulator.base_url}"
                ),
                "your-client-id": emulator.client_id,
                "your-client-secret": emulator.client_secret,
                "your-password": PASSWORD,
                "HOST=localhost": "HOST=127.0.0.1",
                "PORT=5432": f"PORT={postgres.port}",
            },
        )
        for block in (set_up, check, load):
            hold_ok(shell.run(block, timeout=600))
        leads = {str(lead["email"]): lead for lead in emulator.store.leads()}
        hashed = hashlib.md5(f"{SALT}DE-1906".encode()).hexdigest()
        assert leads["grace@example.com"]["externalCompanyId"] == hashed
        assert leads["ada@example.com"]["company"] == "Analytical, Inc."
        assert leads["mary@example.com"]["lastName"] == "Shelley"

        postgres.query(
            "UPDATE customers SET given_name = 'Augusta', updated_at = now() WHERE customer_id = 1"
        )
        before = len(sent(emulator))
        hold_ok(shell.run(table))
        (lead,) = (each for each in emulator.store.leads() if each["email"] == "ada@example.com")
        assert lead["firstName"] == "Augusta"
        assert len(sent(emulator)) == before + 1


def sent(emulator: Emulator) -> list[object]:
    """Return the calls that have sent a file."""
    return [request for request in emulator.requests if request.operation == "import.create"]


def use_this_checkout(path: Path) -> None:
    """Have a project install this checkout where it names the package."""
    project = yaml.safe_load(path.read_text())
    for kind in ("extractors", "loaders"):
        for plugin in project["plugins"].get(kind, ()):
            if plugin.get("pip_url") == "tap-target-marketo-bulk":
                plugin["pip_url"] = f"-c {ROOT / 'constraints.txt'} -e {ROOT}"
    path.write_text(yaml.safe_dump(project))


def hold_ok(done: subprocess.CompletedProcess[str]) -> None:
    """Hold that a block has ended well."""
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
