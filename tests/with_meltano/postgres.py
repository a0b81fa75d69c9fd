"""PostgreSQL: a server of this run's own, on the loopback interface, gone when it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "loader"
PASSWORD = "made-up"
DATABASE = "warehouse"


@dataclass(frozen=True)
class Postgres:
    """A running server. It takes TCP connections from this machine only."""

    port: int
    programs: Path

    def query(self, sql: str) -> list[list[str]]:
        """Return the rows of a query, each cell as text."""
        done = subprocess.run(
            [self.programs / "psql", "--no-psqlrc", "-At", "-F\t", "-c", sql],
            env={**os.environ, **self.environment()},
            check=True,
            capture_output=True,
            text=True,
        )
        return [line.split("\t") for line in done.stdout.split("\n")[:-1]]

    def environment(self) -> dict[str, str]:
        """Return what psql needs to know."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": USER,
            "PGPASSWORD": PASSWORD,
            "PGDATABASE": DATABASE,
        }


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a server until the block ends; its data are gone then."""
    programs = _programs()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # Not below the folder of pytest, which another pytest of this user closes to all others.
    with tempfile.TemporaryDirectory(prefix="postgres-", dir="/tmp") as name:
        directory = Path(name)
        data, password = directory / "data", directory / "password"
        password.write_text(PASSWORD)
        # The server refuses to run as root.
        as_whom: list[str] = []
        if os.geteuid() == 0:
            as_whom = ["runuser", "-u", "postgres", "--"]
            for path in (directory, password):
                shutil.chown(path, "postgres")
        _run(
            *as_whom,
            *(programs / "initdb", "--no-sync", "-D", data, "-U", USER, "--pwfile", password),
            *("-A", "scram-sha-256", "-E", "UTF8"),
        )
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories="
        control = [*as_whom, programs / "pg_ctl", "-D", data, "-w", "-s"]
        _run(*control, "-o", f"{options} -c fsync=off", "-l", directory / "log", "start")
        try:
            server = Postgres(port, programs)
            _run(
                *(programs / "createdb", DATABASE),
                env={**server.environment(), "PGDATABASE": "postgres"},
            )
            yield server
        finally:
            _run(*control, "-m", "immediate", "stop")


def _programs() -> Path:
    """Return the folder of the server's programs; Debian keeps them off PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if found:
        return found[-1]
    on_path = shutil.which("createdb")
    assert on_path is not None, "PostgreSQL's server is not installed: apt-get install postgresql"
    return Path(on_path).resolve().parent


def _run(*command: object, env: dict[str, str] | None = None) -> None:
    subprocess.run(
        [str(part) for part in command],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=120,
        env={**os.environ, **(env or {})},
        cwd="/",
    )
