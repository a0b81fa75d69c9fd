"""Commands: the fenced commands of a page, run as a person would type them, one block at a time."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks_of(page: Path) -> list[str]:
    """Return the commands of each block that is marked as shell."""
    return BLOCK.findall(page.read_text())


class Shell:
    """A shell whose folder and exported variables last from one block to the next.

    `replaced` maps text of the page to what stands for it here: an address, a secret.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], replaced: Mapping[str, str]
    ) -> None:
        self._environment = dict(environment)
        self._folder = folder
        self._replaced = replaced

    @property
    def folder(self) -> Path:
        """The folder the next block runs in."""
        return self._folder

    def run(self, block: str, *, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Run a block; it ends at its first command that fails."""
        for text, instead in self._replaced.items():
            block = block.replace(text, instead)
        memory = self._folder / ".shell-memory"
        script = f"set -eu\n{block}\nset +eu\npwd > '{memory}'\nenv -0 >> '{memory}'\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode == 0:
            where, _, variables = memory.read_text().partition("\n")
            memory.unlink()
            self._folder = Path(where)
            self._environment = dict(
                line.split("=", 1) for line in variables.split("\0") if "=" in line
            )
        return done
