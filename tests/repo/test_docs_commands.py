"""Every fenced command of README and docs is run by a test, or stands here with a reason."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from marketo_emulator import Emulator
from tests.tap_runs import settings_for
from tests.with_meltano.commands import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
    ROOT / "benchmarks" / "README.md",
    ROOT / "tests" / "fuzz" / "README.md",
]
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
SHELLS = frozenset({"sh", "bash", "shell", "console", "zsh"})

# A target that is not installed here: it keeps the last STATE, as a target prints it.
STAND_IN = 'sed -n \'s/^{"type":"STATE","value":\\(.*\\)}$/\\1/p\''
REPLACED = {
    "target-postgres --config target.json": STAND_IN,
    "serve --programs 12": "serve --lifetime-seconds 0.01 --programs 12",
    "--schedules 100000": "--schedules 2",
}
"""What stands in a command for what nobody has here, or waits for."""

RUN_HERE = {
    "README.md": ["tap-marketo-bulk --config config.json --discover > catalog.json"],
    "docs/emulator.md": ["marketo-emulator serve --programs 12 --members 400"],
    "docs/operating.md": ["mkdir -p logs", "python3 examples/alerts/alerts.py logs/*.jsonl"],
    "docs/simulation.md": ["python tests/simulation/soak.py --schedules 100000"],
}
"""By the first line of a block; a test below runs it."""

NEW_USER = "tests/with_meltano/test_new_user.py::test_the_page_leads_from_nothing_to_rows"
REVERSE_ETL = "tests/with_meltano/test_reverse_etl.py::test_a_table_and_a_file_become_leads"
EXAMPLE = "tests/repo/test_readme.py::test_reverse_etl_prints_what_its_page_shows"
WAREHOUSES = (
    "tests/warehouses/test_rows_that_are_gone.py::test_what_is_gone_is_marked_by_the_nightly_run"
)
RUN_ELSEWHERE = {
    "README.md": {
        "python3 examples/demo.py": ".ci/run",
        "meltano add tap-marketo-bulk": NEW_USER,
        "python3 -m venv .venv && .venv/bin/pip install": ".ci/run",
    },
    "docs/meltano.md": {"": NEW_USER},
    "docs/reverse-etl.md": {
        ".demo/venv/bin/python examples/reverse_etl.py": EXAMPLE,
        "": REVERSE_ETL,
    },
    "docs/warehouses.md": {
        "meltano run tap-marketo-bulk target-postgres": WAREHOUSES,
        "SPARK_MASTER=": "tests/spark/check_spark.py::test_the_table_is_the_taps_own",
    },
    "CONTRIBUTING.md": {
        "python3 -m venv .venv": ".ci/run",
        ".venv/bin/nox -s quick-3.11": ".ci/run",
    },
}
"""By how a block begins; an empty text is every block of a page, which the test reads."""

NOT_RUN = {
    "benchmarks/README.md": {
        "python benchmarks/run.py": "takes a quarter of an hour, and a machine with nothing to do"
    },
    "tests/fuzz/README.md": {
        "pip install -e . atheris": "searches without an end; test_claims.py has the known bytes"
    },
}
"""With the reason."""


class Block(NamedTuple):
    """A fenced block of commands, and the page it stands on."""

    page: str
    text: str

    def begins_with_one_of(self, table: dict[str, dict[str, str]]) -> bool:
        """Whether the table has it."""
        return any(self.text.startswith(start) for start in table.get(self.page, ()))


def blocks() -> Iterator[Block]:
    """Return every block of commands of every page, without its indentation."""
    for page in PAGES:
        for found in FENCE.finditer(page.read_text("utf-8")):
            if found["kind"] in SHELLS:
                lines = found["text"].splitlines(keepends=True)
                text = "".join(line.removeprefix(found["indent"]) for line in lines)
                yield Block(page.relative_to(ROOT).as_posix(), text)


HERE = {page: dict.fromkeys(starts, "") for page, starts in RUN_HERE.items()}
TABLES = (HERE, RUN_ELSEWHERE, NOT_RUN)


@pytest.mark.parametrize("page", sorted({block.page for block in blocks()}))
def test_each_block_is_run_or_has_a_reason(page: str) -> None:
    """Each is in one of the three tables, and in one alone."""
    astray = [
        block.text
        for block in blocks()
        if block.page == page
        and [block.begins_with_one_of(table) for table in TABLES].count(True) != 1
    ]
    assert astray == []


def test_nothing_in_the_tables_is_out_of_date() -> None:
    """Each entry is a block, and each test that is named exists."""
    found = list(blocks())
    for table in TABLES:
        for page, entries in table.items():
            for start, where in entries.items():
                assert any(b.page == page and b.text.startswith(start) for b in found), start
                if "::" in where:
                    path, _, name = where.partition("::")
                    assert f"def {name}(" in (ROOT / path).read_text("utf-8")


def test_commands_of_the_readme_are_those_of_a_page_that_is_run() -> None:
    """What is shown twice is the same: the guide of Meltano has each line."""
    (block,) = (b for b in blocks() if b.page == "README.md" and b.text.startswith("meltano"))
    guide = (ROOT / "docs" / "meltano.md").read_text("utf-8").splitlines()
    assert [line for line in block.text.splitlines() if line not in guide] == []


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted(RUN_HERE))
def test_blocks_run_as_they_stand(page: str, tmp_path: Path) -> None:
    """One after another, in a folder that has what the page takes for granted."""
    for name in ("examples", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    with Emulator(programs=3, members=60) as emulator:
        settings = settings_for(emulator, {"job_journal": str(tmp_path / "journal")})
        (tmp_path / "config.json").write_text(json.dumps(settings))
        commands = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        shell = Shell(tmp_path, {**os.environ, **commands, "PYTHONPATH": str(ROOT)}, REPLACED)
        for block in blocks():
            if not block.begins_with_one_of({page: HERE[page]}):
                continue
            done = shell.run(block.text)
            assert done.returncode == 0, f"{block.text}{done.stdout[-2000:]}{done.stderr[-2000:]}"
    states = tmp_path / "state.json"
    if page == "README.md":
        assert "program_members" in json.loads(states.read_text())["bookmarks"]
