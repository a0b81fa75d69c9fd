"""The table of faults: made from the tests that carry `@pytest.mark.fault`, written to docs.

python tests/faults/table.py
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # also when run as a script

from tests.faults import mutations  # noqa: E402  # needs the line above

TESTS = ROOT / "tests"
PAGE = ROOT / "docs" / "faults.md"

GROUPS = {
    "J": ("Export jobs", 24),
    "F": ("Download", 12),
    "C": ("Content of a file", 28),
    "A": ("Authentication, transport and limits", 27),
    "S": ("Programs", 6),
    "I": ("Import (target)", 25),
}
"""The letter of each group of ids, its heading, and how many there are."""

NOT_TESTED: Mapping[str, str] = {}
"""Ids without a test, and why."""

HEAD = """\
# Faults survived

Every way in which Marketo, or the network before it, is known or likely to go wrong;
what tap and target do then; and the test that shows it, over HTTP.
In nearly all tests of the tap, whole runs must end with a table equal to the emulator's members
and with the bookmark where it belongs; or a run fails, its bookmark is where it was,
and the run after it makes up for it.

Run one with `pytest -k NAME`, all with `pytest -m fault`.
This page is made by `python tests/faults/table.py`;
a test fails if an id has no test, or if the page is out of date.
"""

CAN_FAIL = """\
`python tests/faults/mutations.py` breaks a copy of the code in these ways, one by one,
and ends with 0 only if the tests named beside each have noticed.

"""


class Row(NamedTuple):
    """One row of the table: a fault, and the test that proves the behaviour."""

    fault_id: str
    fault: str
    behaviour: str
    path: str
    line: int
    test: str

    @property
    def place(self) -> tuple[int, int, bool, str, int]:
        """Where the row stands among all rows: one that goes on from another comes after it."""
        group, number = [*GROUPS].index(self.fault_id[0]), int(self.fault_id[1:])
        return group, number, self.fault.startswith("…"), self.path, self.line


def all_ids() -> list[str]:
    """Return every id there is, in the order of the page."""
    return [
        f"{group}{number}" for group, (_, count) in GROUPS.items() for number in range(1, count + 1)
    ]


def rows() -> list[Row]:
    """Return what the marks in the tests say, in the order of the page."""
    found = [row for path in TESTS.rglob("test_*.py") for row in _rows_of(path)]
    return sorted(found, key=lambda row: row.place)


def page() -> str:
    """Return the text of the page."""
    found = rows()
    parts = [HEAD]
    for group, (heading, _) in GROUPS.items():
        parts += [f"\n## {heading}\n\n", "| | what goes wrong | what happens | test |\n"]
        parts.append("| --- | --- | --- | --- |\n")
        parts += [_line(row) for row in found if row.fault_id[0] == group]
    if NOT_TESTED:
        parts.append("\n## Without a test\n\n")
        parts += [f"- {fault_id}: {reason}\n" for fault_id, reason in NOT_TESTED.items()]
    parts += ["\n## The tests can fail\n\n", CAN_FAIL, "\n", mutations.table(), "\n"]
    return "".join(parts)


def _line(row: Row) -> str:
    fault, behaviour = (text.replace("|", "\\|") for text in (row.fault, row.behaviour))
    return f"| {row.fault_id} | {fault} | {behaviour} | [`{row.test}`](../{row.path}) |\n"


def _rows_of(path: Path) -> Iterator[Row]:
    """Yield the marks of a file, those of single parameters included."""
    name = path.relative_to(ROOT).as_posix()
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            for mark, parameter in _marks(function.decorator_list):
                fault_id, fault, behaviour = (ast.literal_eval(text) for text in mark.args)
                test = f"{function.name}{parameter}"
                yield Row(fault_id, fault, behaviour, name, mark.lineno, test)


def _marks(nodes: Iterable[ast.AST], parameter: str = "") -> Iterator[tuple[ast.Call, str]]:
    for node in nodes:
        inside = parameter
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == "pytest.mark.fault":
                yield node, parameter
            for word in node.keywords if called == "pytest.param" else ():
                if word.arg == "id" and isinstance(word.value, ast.Constant):
                    inside = f"[{word.value.value}]"
        yield from _marks(ast.iter_child_nodes(node), inside)


if __name__ == "__main__":
    PAGE.write_text(page())
