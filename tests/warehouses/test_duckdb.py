"""DuckDB, by target-duckdb: every cell is Marketo's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.tap_runs import members_of
from tests.warehouses.landed import hold_as_documented
from tests.warehouses.loaders import DUCKDB, Loader
from tests.warehouses.story import STREAM, TYPES, Story, as_json, keyed, lines_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_emulator import Emulator

pytestmark = pytest.mark.slow


def test_every_cell_is_marketos(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After each run of the story; the types are those of the table in the docs."""
    path = tmp_path / "members.duckdb"
    config = {"path": str(path), "default_target_schema": "marketo"}
    loader = Loader(tmp_path / "loader", DUCKDB, config)
    story = Story(make_emulator(programs=2, members=40), monkeypatch, {})
    for run in story.runs():
        loader.load("target-duckdb", lines_of(run))
        with duckdb.connect(str(path), read_only=True) as connection:
            found = connection.sql(f'from marketo."{STREAM}"')
            # The target writes names in lower case.
            (member, *_) = story.emulator.store.members()
            spelled = {name.lower(): name for name in member}
            columns = [spelled.get(name, name) for name in found.columns]
            landed = dict(zip(columns, map(str, found.types), strict=True))
            rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
        # The target makes null of an empty text.
        story.hold_equal(keyed(rows, as_json), empty=None)
    hold_that_rows_stay(story, loader, path)
    types = {kind: landed[name] for kind, name in TYPES.items()}
    hold_as_documented("DuckDB (target-duckdb)", types)


def hold_that_rows_stay(story: Story, loader: Loader, path: Path) -> None:
    """Hold that the target does nothing about ACTIVATE_VERSION, as the page says."""
    lead, program = next(iter(members_of(story.emulator)))
    story.emulator.store.remove_member(program, lead)
    run = story.run_in_full()
    assert {m["stream"] for m in run.of_type("ACTIVATE_VERSION")} >= {STREAM}
    loader.load("target-duckdb", lines_of(run))
    with duckdb.connect(str(path), read_only=True) as connection:
        stays = f'from marketo."{STREAM}" where leadid = {lead} and programid = {program}'
        assert len(connection.sql(stays).fetchall()) == 1
