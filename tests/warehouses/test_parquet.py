"""Parquet files in a directory and in a bucket, read by DuckDB: every cell is Marketo's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.warehouses.landed import PAGE, hold_as_documented
from tests.warehouses.story import TYPES, Story, as_json, keyed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_emulator import Emulator

pytestmark = pytest.mark.slow

SQL = re.compile(r"^```sql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROOT = "s3://my-bucket/marketo"
"""As the page has it."""


@pytest.fixture(params=["directory", "S3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a location."""
    is_local = request.param == "directory"
    return str(tmp_path / "lake") if is_local else str(request.getfixturevalue("bucket"))


def test_every_cell_is_marketos(
    make_emulator: Callable[..., Emulator],
    monkeypatch: pytest.MonkeyPatch,
    root: str,
) -> None:
    """By the view of the page, after each run of the story; the types are those of its table."""
    (view,) = SQL.findall(PAGE.read_text(encoding="utf-8"))
    assert ROOT in view
    batches = {"encoding": {"format": "parquet"}, "storage": {"root": root}}
    story = Story(make_emulator(programs=2, members=40), monkeypatch, {"batch_config": batches})
    for run in story.runs():
        assert not run.records()
        with duckdb.connect() as connection:
            if root.startswith("s3://"):
                use_s3(connection)
            connection.execute(view.replace(ROOT, root))
            found = connection.sql("from program_members")
            names: dict[str, Any] = dict(zip(found.columns, found.types, strict=True))
            rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
        story.hold_equal(keyed(rows, as_json))
    types = {kind: str(names[name]) for kind, name in TYPES.items()}
    hold_as_documented("Parquet, read by DuckDB", types)


def use_s3(connection: duckdb.DuckDBPyConnection) -> None:
    """Let DuckDB read S3 by s3fs: its own extension for that would have to be downloaded."""
    import s3fs  # noqa: PLC0415  # dear to load

    s3fs.S3FileSystem.clear_instance_cache()
    connection.register_filesystem(s3fs.S3FileSystem())
