"""The recipe of docs/warehouses.md under Meltano: a nightly run of everything removes what is gone.

The page's meltano.yml and commands are used as they stand.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.tap_runs import DAY_SECONDS, members_of
from tests.warehouses.landed import PAGE
from tests.with_meltano.commands import Shell, blocks_of
from tests.with_meltano.hub import POSTGRES
from tests.with_meltano.postgres import DATABASE, PASSWORD, USER, Postgres, running_postgres
from tests.with_meltano.test_reverse_etl import hold_ok, use_this_checkout

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def project(folder: Path) -> None:
    """Make a project of the page's meltano.yml, with the definitions that `meltano add` gets."""
    (recipe,) = YAML.findall(PAGE.read_text(encoding="utf-8"))
    head: dict[str, Any] = {
        "default_environment": "dev",
        "environments": [{"name": "dev"}],
        "project_id": "x",
    }
    head |= {"venv": {"backend": "uv"}, "send_anonymous_usage_stats": False}
    (folder / "meltano.yml").write_text(yaml.safe_dump({**head, **yaml.safe_load(recipe)}))
    use_this_checkout(folder / "meltano.yml")
    for kind in ("extractors", "loaders"):
        (folder / "plugins" / kind).mkdir(parents=True)
    lock = "extractors/tap-marketo-bulk--tap-target-marketo-bulk.lock"
    shutil.copy(ROOT / "plugins" / lock, folder / "plugins" / lock)
    target = {"plugin_type": "loaders", "label": "PostgreSQL", **POSTGRES}
    path = folder / "plugins" / "loaders" / "target-postgres--meltanolabs.lock"
    path.write_text(json.dumps(target))


def environment(emulator: Emulator, postgres: Postgres) -> dict[str, str]:
    """Return what the page leaves to `.env`."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "NO_COLOR": "1",
        "TAP_MARKETO_BULK_BASE_URL": emulator.base_url,
        "TAP_MARKETO_BULK_CLIENT_ID": emulator.client_id,
        "TAP_MARKETO_BULK_CLIENT_SECRET": emulator.client_secret,
        "TAP_MARKETO_BULK_POLL_INTERVAL_SECONDS": "0.1",
        "TARGET_POSTGRES_HOST": "127.0.0.1",
        "TARGET_POSTGRES_PORT": str(postgres.port),
        "TARGET_POSTGRES_USER": USER,
        "TARGET_POSTGRES_PASSWORD": PASSWORD,
        "TARGET_POSTGRES_DATABASE": DATABASE,
    }


def rows(postgres: Postgres, condition: str = "true") -> set[tuple[int, int]]:
    """Return the keys of the rows for which something holds."""
    found = postgres.query(
        f'select "leadId", "programId" from marketo.program_members where {condition}'
    )
    return {(int(lead), int(program)) for lead, program in found}


def test_what_is_gone_is_marked_by_the_nightly_run(
    make_emulator: Callable[..., Emulator], tmp_path: Path
) -> None:
    """And who comes back is loaded by the hourly run, without the mark."""
    emulator = make_emulator(programs=2, members=40)
    commands = next(block for block in blocks_of(PAGE) if block.startswith("meltano"))
    hourly, nightly = commands.splitlines()
    project(tmp_path)
    with running_postgres() as postgres:
        told = environment(emulator, postgres)

        def run(command: str) -> None:
            emulator.advance(DAY_SECONDS)
            hold_ok(Shell(tmp_path, told, {}).run(command, timeout=600))

        run(f"meltano install\n{hourly}")
        everybody = set(members_of(emulator))
        assert rows(postgres) == everybody
        gone = sorted(everybody)[:3]
        for lead, program in gone:
            emulator.store.remove_member(program, lead)
        run(nightly)
        assert rows(postgres) == everybody
        assert rows(postgres, "_sdc_deleted_at is not null") == set(gone)
        back = gone.pop()
        emulator.store.add_member(back[1], back[0])
        run(hourly)
        assert rows(postgres, "_sdc_deleted_at is not null") == set(gone)
        assert rows(postgres) == everybody
