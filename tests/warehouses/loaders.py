"""Loaders: targets for warehouses, each in an environment of its own, and how they are run."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

POSTGRES = ("meltanolabs-target-postgres==0.8.1",)
# What meltano.yml says of these two.
DUCKDB = ("target-duckdb==0.8.0", "duckdb==1.1.3")


class Loader:
    """A target that is installed, with a config."""

    def __init__(self, folder: Path, packages: tuple[str, ...], config: dict[str, Any]) -> None:
        self._folder = folder
        self._config = config
        folder.mkdir()
        self._bin = folder / "venv" / "bin"
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", str(folder / "venv")], check=True, timeout=300)
        install = [*uv, "pip", "install", "--quiet", "--python", str(self._bin / "python")]
        subprocess.run([*install, *packages], check=True, timeout=600)

    def load(self, command: str, lines: bytes, **more: object) -> bytes:
        """Have messages loaded, with more settings; return the STATE lines."""
        path = self._folder / "config.json"
        path.write_text(json.dumps({**self._config, **more}))
        done = subprocess.run(
            [str(self._bin / command), "--config", str(path)],
            input=lines,
            capture_output=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()[-4000:]
        return done.stdout
