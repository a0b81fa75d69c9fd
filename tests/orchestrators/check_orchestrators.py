"""The examples under the orchestrators they are for: a refused run, and its retry.

Run by `nox -s orchestrators`, which gives DAGSTER_PYTHON and AIRFLOW_PYTHON: each has an
environment of its own, since their requirements are not ours.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from marketo_emulator import Emulator, Fault
from tests.tap_runs import members_of, parse, settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
QUOTA = Fault(operation="export.create", code="1029", message="Export daily quota 500MB exceeded.")

MATERIALIZE = """
from dagster import materialize
from marketo_assets import program_members
result = materialize([program_members], raise_on_error=False)
retries = [e for e in result.all_events if e.event_type_value == "STEP_UP_FOR_RETRY"]
print("success", result.success, "retries", len(retries))
"""

TEST_DAG = """
from marketo_dag import marketo
run = marketo().test()
(task,) = run.get_task_instances()
print("state", run.state.value, "tries", task.try_number)
"""


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An instance whose daily quota is used up for one call."""
    with Emulator(programs=3, members=30) as running:
        running.faults.add(QUOTA)
        yield running


def environment(emulator: Emulator, folder: Path) -> dict[str, str]:
    """Return what an example is told: what to run, and where the outcome lies."""
    config = folder / "config.json"
    config.write_text(json.dumps(settings_for(emulator)))
    tap = [sys.executable, "-m", "tap_marketo_bulk", "--config", str(config), "--config", "ENV"]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("COV")},
        "MARKETO_COMMAND": f"{shlex.join(tap)} > {shlex.quote(str(folder / 'out.jsonl'))}",
        "MARKETO_RETRY_SECONDS": "0",
        "TAP_MARKETO_BULK_JOB_JOURNAL": str(folder / "journal"),
        "TAP_MARKETO_BULK_LOGLEVEL": "INFO",
    }


def hold_loaded(emulator: Emulator, folder: Path) -> None:
    """Hold that the run after the refused one has brought every member."""
    messages = parse((folder / "out.jsonl").read_bytes())
    records = [m["record"] for m in messages if m["type"] == "RECORD" and "leadId" in m["record"]]
    assert {(r["leadId"], r["programId"]) for r in records} == set(members_of(emulator))


def test_dagster(emulator: Emulator, tmp_path: Path) -> None:
    """The asset asks for a retry, and is then materialized."""
    done = subprocess.run(
        [os.environ["DAGSTER_PYTHON"], "-c", MATERIALIZE],
        env={
            **environment(emulator, tmp_path),
            "PYTHONPATH": str(EXAMPLES / "dagster"),
            "DAGSTER_HOME": str(tmp_path),
            "DAGSTER_DISABLE_TELEMETRY": "1",
        },
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "success True retries 1" in done.stdout, done.stderr[-4000:]
    hold_loaded(emulator, tmp_path)


def test_airflow(emulator: Emulator, tmp_path: Path) -> None:
    """The task fails, is tried again, and the DAG succeeds."""
    told = {
        **environment(emulator, tmp_path),
        "PYTHONPATH": str(EXAMPLES / "airflow"),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(EXAMPLES / "airflow"),
    }
    python = Path(os.environ["AIRFLOW_PYTHON"])
    migrate = [str(python.with_name("airflow")), "db", "migrate"]
    subprocess.run(migrate, env=told, check=True, capture_output=True, timeout=300)
    done = subprocess.run(
        [str(python), "-c", TEST_DAG],
        env=told,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "state success tries 2" in done.stdout, done.stdout[-3000:] + done.stderr[-3000:]
    hold_loaded(emulator, tmp_path)


def test_cron(emulator: Emulator, tmp_path: Path) -> None:
    """A quota that is used up is no failure; the next hour loads; other failures are failures."""
    told = environment(emulator, tmp_path)
    command = [str(EXAMPLES / "cron" / "marketo.sh")]

    def run(**more: str) -> int:
        return subprocess.run(command, env={**told, **more}, check=False, timeout=120).returncode

    assert run() == 0
    assert run() == 0
    hold_loaded(emulator, tmp_path)
    assert run(TAP_MARKETO_BULK_JOB_JOURNAL=str(tmp_path / "other"), MARKETO_COMMAND="exit 1") == 1


def test_kubernetes() -> None:
    """The manifest is YAML, forbids two runs at once and keeps the journal on a volume."""
    manifest = yaml.safe_load((EXAMPLES / "kubernetes" / "cronjob.yml").read_text())
    assert manifest["spec"]["concurrencyPolicy"] == "Forbid"
    pod = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    journal = next(e for e in container["env"] if e["name"].endswith("JOB_JOURNAL"))
    assert any(journal["value"].startswith(v["mountPath"]) for v in container["volumeMounts"])
