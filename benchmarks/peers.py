"""The peers: other people's connectors, each in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from measurement import Contender

AIRBYTE = "airbyte-source-marketo==2.1.3"
PEERS = {"tap-marketo==2.9.4": "peer_tap_marketo.py", AIRBYTE: "peer_airbyte.py"}
FOLDER = Path(__file__).parent / ".peers"


def install_peers() -> list[Contender]:
    """Install the peers where that has not been done yet, and return them.

    Raises: CalledProcessError if a package cannot be installed.
    """
    return [Contender(name, script, environment_of(name)) for name, script in PEERS.items()]


def loader(requirement: str, *more: str) -> str:
    """Install a loader where that has not been done yet, and return its command."""
    command = requirement.partition("==")[0]
    return str(Path(environment_of(requirement, *more)).with_name(command))


def environment_of(requirement: str, *more: str) -> str:
    """Install a package where that has not been done yet; return the Python that has it."""
    python = FOLDER / requirement / "bin" / "python"
    marker = FOLDER / requirement / "installed"
    if not marker.exists():
        print(f"installing {requirement} into benchmarks/.peers/", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", FOLDER / requirement], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", requirement, *more]
        subprocess.run(pip, check=True)
        marker.touch()
    return str(python)
