"""Demo: from a fresh clone to a loaded table of program members, without a Marketo account.

Needs Python and pip, nothing else. It installs the project, Meltano and DuckDB into `.demo/`,
starts the emulator, runs `meltano run tap-marketo-bulk target-duckdb` twice with a day and some
changes in between, and shows what is in the table and what the second run asked for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / ".demo"
ENVIRONMENT = DEMO / "venv"
DATABASE = DEMO / "members.duckdb"
MELTANO_STATE = DEMO / "meltano.db"
LOG = DEMO / "meltano.log"

PROGRAMS = 12
MEMBERS = 2_000
CHANGED = 25
ONE_DAY_SECONDS = 86_400
LIMIT_SECONDS = 300

INSIDE = "--against-emulator"


def main() -> int:
    """Install, then run the rest of this file inside the emulator."""
    started = time.monotonic()
    say("installing the project, Meltano and DuckDB into .demo/ (the first time takes a minute)")
    install()
    for stale in (DATABASE, MELTANO_STATE, LOG):
        stale.unlink(missing_ok=True)
    command = [
        str(ENVIRONMENT / "bin" / "marketo-emulator"),
        "exec",
        f"--programs={PROGRAMS}",
        f"--members={MEMBERS}",
        "--job-seconds=0.2",
        "--",
        str(ENVIRONMENT / "bin" / "python"),
        __file__,
        INSIDE,
    ]
    exit_code = subprocess.run(command, check=False, cwd=ROOT, timeout=LIMIT_SECONDS).returncode
    if exit_code == 0:
        say(f"done in {time.monotonic() - started:.0f} s; the table stays in {show(DATABASE)}")
    return exit_code


def install() -> None:
    """Make `.demo/venv` what the pinned versions say; quick if it is already."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    pinned = ["--constraint", str(ROOT / "constraints.txt")]
    run([str(python), "-m", "pip", "install", "--quiet", *pinned, "uv"])
    packages = ["--editable", f"{ROOT}[emulator]", "meltano", "duckdb"]
    run(
        [
            str(ENVIRONMENT / "bin" / "uv"),
            "pip",
            "install",
            "--quiet",
            "--python",
            str(python),
            *pinned,
            *packages,
        ]
    )


def against_emulator() -> int:
    """Run Meltano twice against the emulator around us, and show the results."""
    say("meltano run tap-marketo-bulk target-duckdb   (first run: everything)")
    meltano_run()
    jobs_before = len(exports())
    check_table()
    say(f"a day passes in Marketo; {CHANGED} members change")
    control("/_emulator/clock/advance", {"seconds": ONE_DAY_SECONDS})
    control("/_emulator/members/change", {"count": CHANGED, "seed": 7})
    control("/_emulator/clock/advance", {"seconds": 3_600})
    say("meltano run tap-marketo-bulk target-duckdb   (second run: what changed)")
    meltano_run()
    rows = check_table()
    show_table(rows)
    show_second_run(exports()[jobs_before:])
    return 0


def meltano_run() -> None:
    """Run the pipeline with the project's own meltano.yml."""
    environment = {
        **os.environ,
        "PATH": f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "MELTANO_DATABASE_URI": f"sqlite:///{MELTANO_STATE}",
        "MELTANO_CLI_LOG_FORMAT": "plain",
        "TARGET_DUCKDB_PATH": str(DATABASE),
    }
    run(["meltano", "run", "tap-marketo-bulk", "target-duckdb"], environment)


def check_table() -> int:
    """Compare the table with the emulator's members; return how many there are."""
    wanted = {(m["leadId"], m["programId"]): m["statusName"] for m in control("/_emulator/members")}
    found = {
        (lead, program): status
        for lead, program, status in query("select leadid, programid, statusname from members")
    }
    if found != wanted:
        different = {k for k in wanted.keys() | found.keys() if wanted.get(k) != found.get(k)}
        sys.exit(f"{len(different)} members differ between table and emulator; see {show(LOG)}")
    say(f"table and emulator agree: {len(found):,} program members")
    return len(found)


def show_table(rows: int) -> None:
    """Print what a user would look at first."""
    print(f"\n  marketo.program_members: {rows:,} rows\n")
    print(f"  {'program':<34} {'status':<22} {'members':>7}  last updated")
    for program, status, members, updated in query(
        "select program, statusname, count(*), max(updatedat) from members"
        " group by all order by 3 desc, 1, 2 limit 8"
    ):
        print(f"  {program[:34]:<34} {status[:22]:<22} {members:>7}  {updated:%Y-%m-%d %H:%M}")


def show_second_run(jobs: list[dict[str, Any]]) -> None:
    """Print what the second run asked Marketo for, from the emulator's own log."""
    print(f"\n  The second run created {len(jobs)} export jobs:\n")
    for job in jobs:
        window = job["filter"]["updatedAt"]
        print(
            f"  {len(job['filter']['programIds']):>2} programs, updated {window['startAt']} to"
            f" {window['endAt']}: {job['numberOfRecords']:>2} records, {job['fileSize']:,} bytes"
        )
    print()


def query(sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query over the loaded table, called `members`."""
    import duckdb  # noqa: PLC0415  # only there once this file has installed it

    with duckdb.connect(str(DATABASE), read_only=True) as connection:
        return connection.sql(f"with members as (from marketo.program_members) {sql}").fetchall()


def exports() -> list[dict[str, Any]]:
    """Return each export job the emulator has seen, with the filter it was created with."""
    created = [r for r in control("/_emulator/requests") if r["operation"] == "export.create"]
    jobs = control("/_emulator/exports")
    return [
        {**job, "filter": request["body"]["filter"]}
        for request, job in zip(created, jobs, strict=True)
    ]


def control(path: str, body: dict[str, object] | None = None) -> Any:
    """Call the emulator's control API."""
    request = urllib.request.Request(  # noqa: S310  # the emulator's own loopback address
        os.environ["MARKETO_EMULATOR_URL"] + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
        return json.load(reply)


def run(command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a command with its output in the log; show the log's end if it fails."""
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("ab") as log:
        done = subprocess.run(
            command,
            check=False,
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            timeout=LIMIT_SECONDS,
        )
    if done.returncode:
        print("".join(LOG.read_text(errors="replace").splitlines(keepends=True)[-30:]))
        sys.exit(f"{' '.join(command)} failed with {done.returncode}; all of it is in {show(LOG)}")


def show(path: Path) -> str:
    """Return a path as seen from the repository."""
    return str(path.relative_to(ROOT))


def say(text: str) -> None:
    """Print a step."""
    print(f"==> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(against_emulator() if INSIDE in sys.argv else main())
