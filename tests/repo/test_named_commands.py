"""People, `.ci/run` and the public CI run the same named commands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
NOXFILE = (ROOT / "noxfile.py").read_text("utf-8")
SESSIONS = re.findall(r"^@nox\.session.*\ndef (\w+)\(", NOXFILE, re.MULTILINE)
WORKFLOWS: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
WORKFLOW = WORKFLOWS["ci"]
PROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
TRUSTED = re.compile(
    r"(actions/(checkout|setup-python|upload-artifact|download-artifact)"
    r"|pypa/gh-action-pypi-publish)@[0-9a-f]{40}"
)


def commands(workflow: dict[str, Any]) -> list[str]:
    """Return every shell command of a workflow, the matrix filled in."""
    found = []
    for job in workflow["jobs"].values():
        matrix = job.get("strategy", {}).get("matrix", {})
        for step in job["steps"]:
            texts = [step.get("run", "")]
            for name, values in matrix.items():
                place = f"${{{{ matrix.{name} }}}}"
                texts = [text.replace(place, value) for text in texts for value in values]
            found += texts
    return found


def sessions_called(text: str) -> set[str]:
    """Return the sessions that a text calls, without an interpreter's number."""
    called: set[str] = set()
    for words in re.findall(r"nox (?:-s|--session) ([a-z0-9. -]+)", text):
        called |= set(words.partition(" -")[0].split())
    return {name.partition("-")[0] for name in called}


@pytest.mark.parametrize("place", [".ci/run", "CONTRIBUTING.md", *WORKFLOWS])
def test_every_command_that_is_called_has_a_name(place: str) -> None:
    """No script, page or workflow calls a session that is not there."""
    is_workflow = place in WORKFLOWS
    text = "\n".join(commands(WORKFLOWS[place])) if is_workflow else (ROOT / place).read_text()
    called = sessions_called(text)
    assert called <= set(SESSIONS)
    if place == "benchmarks":
        assert called == {"bench"}
        return
    everywhere = {"lint", "types", "docs"}
    assert everywhere | (set() if place == "release" else {"quick", "orchestrators"}) <= called


def test_every_interpreter_of_the_classifiers_is_in_the_matrix() -> None:
    """What the project says it supports is what the public CI tests."""
    named = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PROJECT)
    assert WORKFLOW["jobs"]["tests"]["strategy"]["matrix"]["python"] == named


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_read_and_runs_known_code_alone(name: str) -> None:
    """No job may write, and each action is pinned by its commit."""
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {"contents": "read"}
    more = {
        name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job
    }
    assert more == ({"publish": {"id-token": "write"}} if name == "release" else {})
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert [action for action in used if not TRUSTED.fullmatch(action)] == []


def test_a_tag_is_built_checked_and_only_then_published() -> None:
    """What is published is what was checked, by a job that runs nothing else and has no secret."""
    # YAML reads the key `on` as a boolean.
    release: dict[Any, Any] = WORKFLOWS["release"]
    assert release[True] == {"push": {"tags": ["v[0-9]*"]}}
    build, publish = release["jobs"]["build"], release["jobs"]["publish"]
    assert [step.get("run") for step in build["steps"]][-2] == (
        'nox --session dist -- "$GITHUB_REF_NAME"'
    )
    assert (publish["needs"], publish["environment"]) == ("build", "release")
    assert all("run" not in step for step in publish["steps"])
    assert build["steps"][-1]["with"]["name"] == publish["steps"][0]["with"]["name"]
    assert "secrets." not in (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")


def test_ci_runs_the_readmes_commands_as_printed() -> None:
    """Both come out of the README, and neither is in the script."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert script.count('bash -euc "${commands[') == 2
    assert "demo.py" not in script
    assert ".venv/bin/pytest" not in script
