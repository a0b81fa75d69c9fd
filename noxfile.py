"""The commands people work with: `nox -l` lists them, `nox -s quick` runs one.

`.ci/run` and the workflow of the public CI call the same ones.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox

PROJECT = nox.project.load_toml("pyproject.toml")
NAME = PROJECT["project"]["name"]
PYTHONS = nox.project.python_versions(PROJECT)
"""Every interpreter of the classifiers."""

ORCHESTRATORS = {"AIRFLOW_PYTHON": "airflow", "DAGSTER_PYTHON": "dagster"}
"""Variables by which tests find an interpreter, and the file with the versions it has."""

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "quick"]


def _show_pyenv_to_nox() -> None:
    """Let the shims of pyenv give every version that is installed, not the default one alone."""
    pyenv = shutil.which("pyenv")
    if pyenv is None or "PYENV_VERSION" in os.environ:
        return
    ask = [pyenv, "versions", "--bare", "--skip-aliases"]
    installed = subprocess.run(ask, check=True, capture_output=True, text=True).stdout.split()
    chosen = subprocess.run([pyenv, "version-name"], check=True, capture_output=True, text=True)
    first = chosen.stdout.strip().split(":")
    os.environ["PYENV_VERSION"] = ":".join([*first, *(v for v in installed if v not in first)])


_show_pyenv_to_nox()


def _install(session: nox.Session, *groups: str, project: bool = True) -> None:
    wanted = nox.project.dependency_groups(PROJECT, *groups)
    itself = ["--editable", ".[emulator]"] if project else []
    session.install("--constraint", "constraints.txt", *wanted, *itself)


@nox.session
def lint(session: nox.Session) -> None:
    """Format, rules, and dependencies that are declared and used; `-- --fix` mends what it can."""
    _install(session, "lint")
    mend = "--fix" in session.posargs
    session.run("ruff", "format", *([] if mend else ["--check"]), ".")
    session.run("ruff", "check", *(["--fix"] if mend else []), ".")
    session.run("deptry", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types of packages and tests."""
    _install(session, "dev")
    session.run("mypy", *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run all tests under each interpreter, with coverage; `-- tests/tap` runs some."""
    _install(session, "test")
    session.run("pytest", *(session.posargs or ["-n", "auto", "--cov"]))


@nox.session(python=PYTHONS)
def quick(session: nox.Session) -> None:
    """Run the tests of single modules, under a minute, under each interpreter."""
    _install(session, "test")
    few = {"HYPOTHESIS_PROFILE": "quick"}
    shown = ("--durations", "5", "--durations-min", "2")
    session.run("pytest", "-n", "auto", "-m", "not slow", *shown, *session.posargs, env=few)


@nox.session
def schedules(session: nox.Session) -> None:
    """Play schedules under random faults: `-- 20000` of each plugin, 2,000 if not said."""
    _install(session, "test")
    count = session.posargs[0] if session.posargs else "2000"
    for soak in ("tests/simulation/soak.py", "tests/target_simulation/target_soak.py"):
        session.run("python", soak, "--schedules", count, *session.posargs[1:])


@nox.session
def orchestrators(session: nox.Session) -> None:
    """Run the examples under Dagster and Airflow, each in an environment of its own."""
    _install(session, "test")
    told = {}
    for variable, name in ORCHESTRATORS.items():
        folder = Path(session.virtualenv.location) / name
        told[variable] = str(folder / "bin" / "python")
        versions = f"tests/orchestrators/{name}.txt"
        session.run("uv", "venv", "--quiet", "--allow-existing", str(folder))
        session.run("uv", "pip", "sync", "--quiet", "--python", told[variable], versions)
    check = "tests/orchestrators/check_orchestrators.py"
    session.run("pytest", check, "-n", "2", "--durations", "4", *session.posargs, env=told)


@nox.session
def spark(session: nox.Session) -> None:
    """Run the example of Spark by two workers, in an environment of its own; it needs Java 17."""
    _install(session, "test")
    folder = Path(session.virtualenv.location) / "spark"
    python = str(folder / "bin" / "python")
    session.run("uv", "venv", "--quiet", "--allow-existing", str(folder))
    install = ["uv", "pip", "install", "--quiet", "--python", python, "--editable", ".[parquet]"]
    session.run(
        *install, "--constraint", "constraints.txt", "--requirement", "tests/spark/spark.txt"
    )
    told = {"SPARK_PYTHON": python}
    session.run("pytest", "tests/spark/check_spark.py", *session.posargs, env=told)


@nox.session
def docs(session: nox.Session) -> None:
    """Make the generated pages anew, and test what README and docs say; `-- --check` makes none."""
    _install(session, "test")
    if "--check" not in session.posargs:
        session.run("python", "tests/faults/table.py")
        session.run("python", "benchmarks/report.py", "--page")
        session.run("python", "benchmarks/pictures.py")
        session.run("python", "benchmarks/freshness_page.py")
        session.run("python", "scripts/settings_page.py")
        session.run("python", "scripts/errors_page.py")
        session.run("python", "scripts/definitions.py")
        session.run("python", "scripts/arrows.py")
    about_words = (
        "arrows", "readme", "facts", "benchmarks", "settings_in_sync", "named_commands",
        "errors_page", "limits_page", "migrating_page", "links", "log_lines", "docs_commands",
    )  # fmt: skip
    pages = [f"tests/repo/test_{name}.py" for name in about_words]
    pages.append("tests/with_meltano/test_definitions.py")
    session.run("pytest", *pages, "tests/faults/test_table.py")


@nox.session
def dist(session: nox.Session) -> None:
    """Build what is published into dist/, and try it alone; `-- v1.2.3` says its version."""
    built = Path("dist")
    shutil.rmtree(built, ignore_errors=True)
    session.run("uv", "build", "--quiet", "--out-dir", str(built))
    (wheel,) = built.glob("*.whl")
    for tag in session.posargs:
        if f"-{tag.removeprefix('v')}-" not in wheel.name:
            session.error(f"{wheel.name} is not {tag}: commit everything, and tag that commit")
    fresh = ("--reinstall-package", NAME, "--constraint", "constraints.txt")
    session.install(*fresh, str(wheel))
    for plugin in ("tap-marketo-bulk", "target-marketo-bulk"):
        session.run(plugin, "--version")
        session.run(plugin, "--about", "--format=json", silent=True)


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks; `-- --parts c` runs one part."""
    _install(session, "test")
    session.run("python", "benchmarks/run.py", *session.posargs)
