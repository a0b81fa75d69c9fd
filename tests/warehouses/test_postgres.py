"""PostgreSQL, by meltanolabs-target-postgres: every cell is Marketo's, and what is gone goes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.tap_runs import members_of
from tests.warehouses.landed import hold_as_documented
from tests.warehouses.loaders import POSTGRES, Loader
from tests.warehouses.story import STREAM, TYPES, Story, keyed, lines_of
from tests.with_meltano.postgres import DATABASE, PASSWORD, USER, Postgres, running_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from marketo_emulator import Emulator

pytestmark = pytest.mark.slow

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """Return a running PostgreSQL."""
    with running_postgres() as server:
        yield server


def config(postgres: Postgres, **more: Any) -> dict[str, Any]:
    """Return the settings of the target."""
    address = {"host": "127.0.0.1", "port": postgres.port, "user": USER, "password": PASSWORD}
    return {**address, "database": DATABASE, "default_target_schema": "marketo", **more}


def rows_of(postgres: Postgres) -> list[dict[str, Any]]:
    """Return the table."""
    lines = postgres.query(f"select row_to_json(t) from marketo.{STREAM} t")
    return [json.loads("\t".join(cells)) for cells in lines]


def as_json(value: Any) -> Any:
    """Return what JSON has for a value: the target's moments have no zone, and are UTC."""
    is_moment = isinstance(value, str) and MOMENT.fullmatch(value)
    return f"{value}Z" if is_moment else value


def test_every_cell_is_marketos(
    make_emulator: Callable[..., Emulator],
    monkeypatch: pytest.MonkeyPatch,
    postgres: Postgres,
    tmp_path: Path,
) -> None:
    """After each run of the story; the types are those of the table in the docs."""
    loader = Loader(tmp_path / "loader", POSTGRES, config(postgres))
    story = Story(make_emulator(programs=2, members=40), monkeypatch, {})
    for run in story.runs():
        loader.load("target-postgres", lines_of(run))
        story.hold_equal(keyed(rows_of(postgres), as_json))
    types = {
        row[0]: row[1]
        for row in postgres.query(
            "select column_name, data_type from information_schema.columns "
            f"where table_schema = 'marketo' and table_name = '{STREAM}'"
        )
    }
    hold_as_documented("PostgreSQL", {kind: types[name] for kind, name in TYPES.items()})
    hold_that_rows_go(story, loader, postgres)


def hold_that_rows_go(story: Story, loader: Loader, postgres: Postgres) -> None:
    """Hold that a run of everything takes what is gone out of the table, and nothing else."""
    for lead, program in list(members_of(story.emulator))[:3]:
        story.emulator.store.remove_member(program, lead)
    loader.load("target-postgres", lines_of(story.run_in_full()), hard_delete=True)
    story.hold_equal(keyed(rows_of(postgres), as_json))
