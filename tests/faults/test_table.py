"""docs/faults.md is complete and up to date."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.faults import mutations
from tests.faults.table import PAGE, all_ids, page, rows

if TYPE_CHECKING:
    from pathlib import Path


def test_every_id_has_a_test() -> None:
    """And no test names an id that does not exist."""
    assert {row.fault_id for row in rows()} == set(all_ids())


def test_page_is_what_the_tests_say() -> None:
    """Repaired by `python tests/faults/table.py`."""
    assert PAGE.read_text() == page()


@pytest.mark.parametrize("mutation", mutations.MUTATIONS, ids=lambda mutation: mutation.what)
def test_each_mutation_still_finds_its_code(mutation: mutations.Mutation, tmp_path: Path) -> None:
    """The script that applies them all takes minutes; that they can be applied is checked here."""
    copy = tmp_path / mutation.path
    copy.parent.mkdir(parents=True)
    shutil.copy(mutations.ROOT / mutation.path, copy)
    mutations.apply(mutation, tmp_path)
    assert copy.read_text() != (mutations.ROOT / mutation.path).read_text()
    assert (mutations.ROOT / mutation.test).exists()
