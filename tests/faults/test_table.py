"""docs/faults.md is complete and up to date."""

from __future__ import annotations

from tests.faults.table import NOT_TESTED, PAGE, all_ids, page, rows


def test_every_id_has_a_test() -> None:
    """Each id has a test or a reason, and no test names an id that does not exist."""
    tested = {row.fault_id for row in rows()}
    assert tested | set(NOT_TESTED) == set(all_ids())
    assert tested.isdisjoint(NOT_TESTED)


def test_page_is_what_the_tests_say() -> None:
    """Repaired by `python tests/faults/table.py`."""
    assert PAGE.read_text() == page()
