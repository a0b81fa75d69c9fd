"""The peers: other people's connectors, each in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from measurement import Contender

PEERS = {
    "tap-marketo==2.9.4": "peer_tap_marketo.py",
    "airbyte-source-marketo==2.1.3": "peer_airbyte.py",
}
FOLDER = Path(__file__).parent / ".peers"


def install_peers() -> list[Contender]:
    """Install the peers where that has not been done yet, and return them.

    Raises: CalledProcessError if a package cannot be installed.
    """
    return [Contender(name, script, _environment(name)) for name, script in PEERS.items()]


def _environment(requirement: str) -> str:
    python = FOLDER / requirement / "bin" / "python"
    marker = FOLDER / requirement / "installed"
    if not marker.exists():
        print(f"installing {requirement} into benchmarks/.peers/", flush=True)
        subprocess.run([sys.executable, "-m", "venv", FOLDER / requirement], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", requirement], check=True)
        marker.touch()
    return str(python)
