"""Demo: from a fresh clone to loaded tables of all streams, without a Marketo account.

Needs Python and pip, nothing else. It installs the project, Meltano and DuckDB into `.demo/`,
starts the emulator, runs `meltano run tap-marketo-bulk target-duckdb` twice with a day and some
changes in between, and shows what is in the tables and what the second run asked for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
import venv
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / ".demo"
ENVIRONMENT = DEMO / "venv"
# Not named like the schema: newer versions of DuckDB take `marketo.` for the file then.
DATABASE = DEMO / "all_streams.duckdb"
MELTANO_STATE = DEMO / "meltano.db"
LOG = DEMO / "meltano.log"

PROGRAMS = 12
MEMBERS = 2_000
HISTORY_DAYS = 90
CHANGED = 25
CLICKS = 300
CLICK_EMAIL = 11
ONE_DAY_SECONDS = 86_400
LIMIT_SECONDS = 300

INSIDE = "--against-emulator"

START = f"{datetime.now(timezone.utc) - timedelta(days=HISTORY_DAYS * 1.3):%Y-%m-%d}"
"""Before anything was in this Marketo."""

FIELDS = {
    "program_members": (
        "acquiredBy", "leadId", "membershipDate", "program", "programId", "reachedSuccess",
        "statusName", "updatedAt",
    ),
    "leads": ("id", "company", "country", "industry", "leadStatus", "title", "updatedAt"),
    "deleted_leads": ("leadId", "activityDate"),
    **dict.fromkeys(
        ("activities", "activity_types", "channels", "custom_object_car_c", "programs"), ("*",)
    ),
}  # fmt: skip
"""Every stream that the tap offers; no field that nobody looks at, for each byte counts."""

SELECT = [f"{stream}.{field}" for stream, fields in FIELDS.items() for field in fields]

COMPARED = (
    ("leads", "leads", "/_emulator/leads", "id"),
    ("activities", "activities", "/_emulator/activities", "marketoGUID"),
    ("cars", "custom_object_car_c", "/_emulator/objects/car_c", "marketoGUID"),
)
"""Rows, their table, where the emulator shows what it must hold, and the key of both."""

FREQUENT_TYPES = {1, 3, 6, 7, 13, 22}
"""Types of activities that the tap leaves out unless `activity_types` names them."""

WHO_CLICKED = """
select m.program, l.title, count(distinct m.leadid), count(distinct a.leadid)
from marketo.program_members m
join marketo.leads l on l.id = m.leadid
left join marketo.activities a on a.leadid = l.id and a.activitytypename = 'Click Email'
where l.title is not null
group by all having count(distinct a.leadid) > 0
order by 4 desc, 3, 1, 2 limit 3
"""


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
        f"--history-days={HISTORY_DAYS}",
        "--job-seconds=0.2",
        "--",
        str(ENVIRONMENT / "bin" / "python"),
        __file__,
        INSIDE,
    ]
    exit_code = subprocess.run(command, check=False, cwd=ROOT, timeout=LIMIT_SECONDS).returncode
    if exit_code == 0:
        say(f"done in {time.monotonic() - started:.0f} s; the tables stay in {show(DATABASE)}")
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
    check_tables()
    say(f"a day passes: {CHANGED} members and {CHANGED} leads change, {CLICKS} click in an e-mail")
    control("/_emulator/clock/advance", {"seconds": ONE_DAY_SECONDS})
    control("/_emulator/members/change", {"count": CHANGED, "seed": 7})
    click_in_emails()
    control("/_emulator/clock/advance", {"seconds": 3_600})
    say("meltano run tap-marketo-bulk target-duckdb   (second run: what changed)")
    meltano_run()
    rows = check_tables()
    show_members(rows)
    show_second_run(exports()[jobs_before:])
    show_answer()
    return 0


def meltano_run() -> None:
    """Run the pipeline with the project's own meltano.yml, and all streams."""
    environment = {
        **os.environ,
        "PATH": f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "MELTANO_DATABASE_URI": f"sqlite:///{MELTANO_STATE}",
        "MELTANO_CLI_LOG_FORMAT": "plain",
        "TAP_MARKETO_BULK__SELECT": json.dumps(SELECT),
        "TAP_MARKETO_BULK_START_DATE": START,
        # Nobody else calls this Marketo.
        "TAP_MARKETO_BULK_CALLS_PER_20_SECONDS": "100",
        "TARGET_DUCKDB_PATH": str(DATABASE),
    }
    run(["meltano", "run", "tap-marketo-bulk", "target-duckdb"], environment)


def click_in_emails() -> None:
    """Let leads that are members of programs click in an e-mail; a few become customers."""
    leads = sorted({member["leadId"] for member in control("/_emulator/members")})
    clicking = Random(7).sample(leads, CLICKS)  # noqa: S311  # the same leads in every demo
    for lead_id in clicking[:CHANGED]:
        control(f"/_emulator/leads/{lead_id}", {"leadStatus": "Won"})
    for lead_id in clicking:
        click = {"Link": "https://example.com/offer", "Is Mobile Device": lead_id % 2 == 0}
        control(
            "/_emulator/activities",
            {"activityTypeId": CLICK_EMAIL, "leadId": lead_id, "attributes": click},
        )


def check_tables() -> int:
    """Compare the tables with the emulator's; return how many program members there are."""
    wanted = {(m["leadId"], m["programId"]): m["statusName"] for m in control("/_emulator/members")}
    found = {
        (lead, program): status
        for lead, program, status in query(
            "select leadid, programid, statusname from marketo.program_members"
        )
    }
    if found != wanted:
        different = {k for k in wanted.keys() | found.keys() if wanted.get(k) != found.get(k)}
        sys.exit(f"{len(different)} members differ between table and emulator; see {show(LOG)}")
    counts = [f"{len(found):,} program members"]
    for rows, table, path, key in COMPARED:
        there = {value for (value,) in query(f"select {key} from marketo.{table}")}  # noqa: S608
        if there != {
            row[key] for row in control(path) if row.get("activityTypeId") not in FREQUENT_TYPES
        }:
            sys.exit(f"table {table} and emulator differ; see {show(LOG)}")
        counts.append(f"{len(there):,} {rows}")
    say(f"tables and emulator agree: {', '.join(counts)}")
    return len(found)


def show_members(rows: int) -> None:
    """Print what a user would look at first."""
    print(f"\n  marketo.program_members: {rows:,} rows")
    print(f"  {'program':<34} {'status':<22} {'members':>7}  last updated")
    for program, status, members, updated in query(
        "select program, statusname, count(*), max(updatedat) from marketo.program_members"
        " group by all order by 3 desc, 1, 2 limit 2"
    ):
        print(f"  {program[:34]:<34} {status[:22]:<22} {members:>7}  {updated:%Y-%m-%d %H:%M}")


def show_second_run(jobs: list[dict[str, Any]]) -> None:
    """Print what the second run asked Marketo for, from the emulator's own log."""
    print(f"\n  The second run created {len(jobs)} export jobs, for what had changed in a day:")
    for job in jobs:
        programs = job["filter"].get("programIds")
        of = "" if programs is None else f" of {len(programs)} programs"
        print(
            f"  {job['object'] + of:<40} {job['numberOfRecords']:>4} records,"
            f" {job['fileSize']:>6,} bytes"
        )


def show_answer() -> None:
    """Print the answer to a question that takes members, leads and activities."""
    print("\n  Which members clicked in an e-mail, by program and job title?")
    print(f"  {'program':<34} {'job title':<22} {'members':>7} {'clicked':>8}")
    for program, title, members, clicked in query(WHO_CLICKED):
        print(f"  {program[:34]:<34} {title[:22]:<22} {members:>7} {clicked:>8}")


def query(sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query over the loaded tables."""
    import duckdb  # noqa: PLC0415  # only there once this file has installed it

    with duckdb.connect(str(DATABASE), read_only=True) as connection:
        return connection.sql(sql).fetchall()


def exports() -> list[dict[str, Any]]:
    """Return each export job the emulator has seen, with the filter it was created with."""
    created = [r for r in control("/_emulator/requests") if r["operation"] == "export.create"]
    made = [request for request in created if not request["error_code"]]
    jobs = control("/_emulator/exports")
    return [
        {**job, "filter": request["body"]["filter"]}
        for request, job in zip(made, jobs, strict=True)
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
