"""The table of faults: made from the tests that carry `@pytest.mark.fault`, written to docs.

python tests/faults/table.py
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    "S": ("Programs", 16),
    "I": ("Import (target)", 25),
    "L": ("Leads", 26),
    "V": ("Activities", 38),
    "O": ("Custom objects", 18),
    "X": ("Changed programs, by activities", 12),
}
"""The letter of each group of ids, its heading, and how many there are."""

TRIED = {
    1: ("the SDK's own ways", 4),
    2: ("people's data in the log", 5),
    3: ("STATE", 10),
    4: ("settings and environment", 7),
    5: ("one line in place of a traceback", 14),
    6: ("values", 7),
    7: ("retries and waste", 10),
    8: ("loads", 13),
    9: ("the emulator", 3),
    10: ("the catalog", 4),
}
"""What trying the plugins from outside found: the first number of an id `T3.2`, its heading, and
how many second numbers there are."""

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
    def place(self) -> tuple[int, list[int], bool, str, int]:
        """Where the row stands among all rows: one that goes on from another comes after it."""
        group = [*GROUPS, "T"].index(self.fault_id[0])
        numbers = [int(number) for number in self.fault_id[1:].split(".")]
        return group, numbers, self.fault.startswith("…"), self.path, self.line


def all_ids() -> list[str]:
    """Return every id there is, in the order of the page."""
    grouped = [
        f"{group}{number}" for group, (_, count) in GROUPS.items() for number in range(1, count + 1)
    ]
    tried = [
        f"T{first}.{second}"
        for first, (_, count) in TRIED.items()
        for second in range(1, count + 1)
    ]
    return grouped + tried


def rows() -> list[Row]:
    """Return what the marks in the tests say, in the order of the page."""
    found = [row for path in TESTS.rglob("test_*.py") for row in _rows_of(path)]
    return sorted(found, key=lambda row: row.place)


def page() -> str:
    """Return the text of the page."""
    found = rows()
    parts = [HEAD]
    for group, (heading, _) in GROUPS.items():
        parts += _table(heading, (row for row in found if row.fault_id[0] == group))
    for number, (heading, _) in TRIED.items():
        chosen = (row for row in found if row.fault_id.startswith(f"T{number}."))
        parts += _table(f"Tried from outside: {heading}", chosen)
    parts += ["\n## The tests can fail\n\n", CAN_FAIL, "\n", mutations.table(), "\n"]
    return "".join(parts)


def _table(heading: str, chosen: Iterable[Row]) -> Iterator[str]:
    yield f"\n## {heading}\n\n| | what goes wrong | what happens | test |\n"
    yield "| --- | --- | --- | --- |\n"
    yield from (_line(row) for row in chosen)


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
                    inside = f"[{word.value.value!s}]"
        yield from _marks(ast.iter_child_nodes(node), inside)


if __name__ == "__main__":
    PAGE.write_text(page())
