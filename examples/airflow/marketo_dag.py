"""Program members as a DAG of Airflow: run again later when Marketo's daily quota is used up.

MARKETO_COMMAND is what runs; TAP_MARKETO_BULK_JOB_JOURNAL is the folder of the outcome file.
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

COMMAND = os.environ.get("MARKETO_COMMAND", "meltano run tap-marketo-bulk target-postgres")
JOURNAL = Path(os.environ.get("TAP_MARKETO_BULK_JOB_JOURNAL", "journal")).resolve()
RETRY_SECONDS = float(os.environ.get("MARKETO_RETRY_SECONDS", "3600"))


@dag(
    schedule="@hourly",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
)
def marketo() -> None:
    """Bring the members of Marketo's programs up to date, one run at a time."""

    @task(retries=24, retry_delay=timedelta(seconds=RETRY_SECONDS))
    def program_members() -> str:
        environment = {**os.environ, "TAP_MARKETO_BULK_JOB_JOURNAL": str(JOURNAL)}
        done = subprocess.run(["sh", "-c", COMMAND], check=False, env=environment)
        # `meltano run` turns every exit code into 1; the outcome file has the tap's own.
        path = JOURNAL / "outcome.json"
        outcome = json.loads(path.read_text()) if path.exists() else {}
        if done.returncode == 0:
            return str(outcome["endedAt"])
        said = " ".join(outcome.get("message", ["it has failed: see the log"]))
        if outcome.get("outcome") == "try_later":
            raise AirflowException(said)
        raise AirflowFailException(said)

    program_members()


marketo()
