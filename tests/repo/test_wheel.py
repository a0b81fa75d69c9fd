"""The wheel has every module there is, and its version is the tag."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "marketo_bulk",
    "marketo_emulator",
    "singer_marketo",
    "tap_marketo_bulk",
    "target_marketo_bulk",
)
CACHES = frozenset({"__pycache__", ".ruff_cache"})


def built(source: Path, out: Path, *kinds: str) -> Path:
    """Return the wheel of a source tree."""
    build = ["uv", "build", "--quiet", *kinds, "--out-dir", str(out), str(source)]
    subprocess.run([sys.executable, "-m", *build], check=True, timeout=300)
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """A clone of one commit, with a tag for it."""
    if not (ROOT / ".git").exists():
        pytest.skip("not in a clone")
    clone = tmp_path / "clone"
    git(ROOT, "clone", "--quiet", "--depth=1", "--no-tags", ROOT.as_uri(), str(clone))
    git(clone, "tag", "v1.2.3")
    return clone


def git(folder: Path, *words: str) -> bytes:
    """Return what git says."""
    command = ["git", "-c", "safe.directory=*", *words]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE).stdout


@pytest.mark.slow
def test_the_version_of_both_plugins_is_the_tag(tagged: Path, tmp_path: Path) -> None:
    """Of a clone; `nox -s dist` builds it by way of a source distribution, as it is published."""
    wheel = built(tagged, tmp_path / "dist", "--wheel")
    assert wheel.name.startswith("tap_target_marketo_bulk-1.2.3-")
    site = tmp_path / "site"
    install = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run([sys.executable, "-m", *install], check=True, timeout=300)
    for plugin in ("tap", "target"):
        said = subprocess.run(
            [sys.executable, "-m", f"{plugin}_marketo_bulk", "--version"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(site)},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert said.stdout.startswith(f"{plugin}-marketo-bulk v1.2.3, ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tags", "version"), [(("v1.2.3",), "1.2.3"), ((), "0.0")], ids=["tag", "no tag"]
)
def test_an_archive_of_the_sources_can_be_built(
    tagged: Path, tmp_path: Path, tags: tuple[str, ...], version: str
) -> None:
    """It has no git folder; without a tag its version says that nobody knows."""
    if not tags:
        git(tagged, "tag", "--delete", "v1.2.3")
    packed = io.BytesIO(git(tagged, "archive", "HEAD"))
    with tarfile.open(fileobj=packed) as archive:
        archive.extractall(tmp_path / "archive", filter="data")
    wheel = built(tmp_path / "archive", tmp_path / "dist", "--wheel")
    assert wheel.name.startswith(f"tap_target_marketo_bulk-{version}-")


def test_the_wheel_lacks_no_file(tmp_path: Path) -> None:
    """Modules, marks of typing, the emulator's page: all that lies in a package."""
    wheel = built(ROOT, tmp_path, "--wheel")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    there = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and not CACHES.intersection(path.parts)
    }
    assert there - packed == set()
