"""The example under Spark, by several workers: the table is the tap's own.

Run by `nox -s spark`, which gives SPARK_PYTHON: Spark has an environment of its own.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.dataset as ds

from tests.end_to_end.test_archive import replay
from tests.warehouses.landed import hold_as_documented
from tests.warehouses.story import TYPES, Story, as_json, keyed

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from marketo_emulator import Emulator

EXAMPLE = Path(__file__).parents[2] / "examples" / "spark" / "archive_to_table.py"
MASTER = "local-cluster[2,1,1024]"


def test_the_table_is_the_taps_own(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Fields that come and go, members updated twice and nasty text included."""
    archive, table = tmp_path / "archive", tmp_path / "table"
    emulator = make_emulator(programs=3, members=200)
    config = {"archive_url": str(archive), "start_date": "2026-01-01"}
    story = Story(emulator, monkeypatch, config)
    for _ in story.runs():
        pass
    done = subprocess.run(
        [os.environ["SPARK_PYTHON"], str(EXAMPLE), str(archive), str(table)],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("COV")},
            "SPARK_MASTER": MASTER,
            "PYSPARK_PYTHON": os.environ["SPARK_PYTHON"],
            "SPARK_LOCAL_IP": "127.0.0.1",
        },
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    told, *columns = done.stdout.splitlines()
    assert "by 2 workers" in told
    rows = ds.dataset(table, partitioning="hive").to_table().to_pylist()
    own = replay(archive, monkeypatch).table()
    assert without_null(keyed(rows, as_json)) == without_null(own)
    kinds = dict(line.split(": ") for line in columns)
    hold_as_documented("Parquet, read by Spark", {k: kinds[name] for k, name in TYPES.items()})


def without_null(table: dict[Any, dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Return a table in which null and absent are the same."""
    return {k: {n: v for n, v in r.items() if v is not None} for k, r in table.items()}
