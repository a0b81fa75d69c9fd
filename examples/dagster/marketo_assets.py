"""Program members as an asset of Dagster: run again later when Marketo's daily quota is used up.

MARKETO_COMMAND is what runs; TAP_MARKETO_BULK_JOB_JOURNAL is the folder of the outcome file.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from dagster import Definitions, Failure, MaterializeResult, RetryRequested, asset

COMMAND = os.environ.get("MARKETO_COMMAND", "meltano run tap-marketo-bulk target-postgres")
JOURNAL = Path(os.environ.get("TAP_MARKETO_BULK_JOB_JOURNAL", "journal")).resolve()
RETRY_SECONDS = float(os.environ.get("MARKETO_RETRY_SECONDS", "3600"))
RETRIES_MAX = 24


@asset
def program_members() -> MaterializeResult[None]:
    """Members of Marketo's programs, brought up to date."""
    environment = {**os.environ, "TAP_MARKETO_BULK_JOB_JOURNAL": str(JOURNAL)}
    done = subprocess.run(["sh", "-c", COMMAND], check=False, env=environment)
    # `meltano run` turns every exit code into 1; the outcome file has the tap's own.
    path = JOURNAL / "outcome.json"
    outcome = json.loads(path.read_text()) if path.exists() else {}
    if done.returncode == 0:
        return MaterializeResult(metadata={"endedAt": outcome["endedAt"]})
    if outcome.get("outcome") == "try_later":
        raise RetryRequested(max_retries=RETRIES_MAX, seconds_to_wait=RETRY_SECONDS)
    raise Failure(" ".join(outcome.get("message", ["it has failed: see the log"])))


defs = Definitions(assets=[program_members])
