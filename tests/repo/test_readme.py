"""What the README shows is what happens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGES = [
    ROOT / "README.md",
    ROOT / "DESIGN.md",
    ROOT / "CONTRIBUTING.md",
    *(ROOT / "docs").glob("*.md"),
]


def test_the_first_command_is_the_demo_and_the_second_runs_the_tests() -> None:
    """`.ci/run` runs these two, exactly as printed."""
    first, second = re.findall(r"```bash\n(.*)\n```", README)[:2]
    assert first == "python3 examples/demo.py"
    assert second.endswith(".venv/bin/pytest -n auto")


def test_the_readme_can_be_read_in_a_few_minutes() -> None:
    """What grows goes to docs/."""
    assert len(README.splitlines()) <= 150


def test_the_demo_prints_the_headings_that_the_readme_shows() -> None:
    """Numbers and names change with the day, headings do not."""
    demo = re.sub(r"\{.*?\}", "", (ROOT / "examples" / "demo.py").read_text())
    shown = README.split("```text\n")[1].split("\n```")[0]
    headings = [line for line in shown.splitlines() if line.endswith((":", "?", " rows"))]
    assert len(headings) == 3
    for heading in headings:
        assert re.sub(r"[\d,]*\d", "", heading).strip() in demo


def test_reverse_etl_prints_what_its_page_shows() -> None:
    """The example ends well, and its output is the one in docs/reverse-etl.md."""
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "reverse_etl.py"],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    assert done.returncode == 0, done.stderr
    shown = done.stdout[done.stdout.index("Leads in Marketo:") :].strip()
    page = (ROOT / "docs" / "reverse-etl.md").read_text()
    assert f"```text\n{shown}\n```" in page


def test_every_test_that_is_named_exists() -> None:
    """The evidence in the tables can be run."""
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for page in PAGES:
        text = page.read_text()
        for name in re.findall(r"`(test_\w+)`", text):
            assert f"def {name}(" in tests, f"{page.name} names {name}"
        for path in re.findall(r"`(tests/[\w/]+\.py)`", text):
            assert (ROOT / path).exists(), f"{page.name} names {path}"


def test_faults_are_counted_as_the_page_of_faults_lists_them() -> None:
    """The number in the README is that of the ids in docs/faults.md."""
    ids = set(
        re.findall(r"^\| ([A-Z]\d+) \|", (ROOT / "docs" / "faults.md").read_text(), re.MULTILINE)
    )
    assert f"Each of Marketo's {len(ids)} known ways to misbehave" in README


def test_the_longest_runs_are_those_that_are_shown() -> None:
    """The README counts the schedules that docs/simulation.md lists, and shows the output of."""
    page = (ROOT / "docs" / "simulation.md").read_text()
    _, tap, target = re.split(r"^The tap, |^The target, ", page, flags=re.MULTILINE)
    played = re.findall(r"^\| [\d,]+-[\d,]+ \| ([\d,]+) \|", tap, re.MULTILINE)
    loaded = re.findall(r"^([\d,]+) schedules, 0 failed: ", target, re.MULTILINE)
    sums = [sum(int(count.replace(",", "")) for count in counts) for counts in (played, loaded)]
    assert f"{sums[0]:,} schedules of the tap and {sums[1]:,} of the target" in README
    assert (tap.split()[0], target.split()[0]) == tuple(f"{count:,}" for count in sums)
