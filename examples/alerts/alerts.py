"""Alerts on the JSON log lines of both plugins: prints what is wrong, and exits with 1 then.

python examples/alerts/alerts.py logs/*.jsonl

Needs the package `duckdb`. The conditions are in `alerts.sql`.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone
from pathlib import Path

import duckdb

SQL = Path(__file__).with_name("alerts.sql")


def main() -> int:
    """Print an alert a line; return 1 if there is one."""
    parser = argparse.ArgumentParser(description="Alerts on the log lines of both plugins.")
    parser.add_argument("logs", nargs="+", help="files of JSON log lines")
    parser.add_argument("--quota-mb", type=float, default=500, help="export MB of a day")
    parser.add_argument("--quota-percent", type=float, default=80)
    parser.add_argument("--rejected-percent", type=float, default=5)
    parser.add_argument("--hours", type=int, default=24, help="without a finished window")
    parser.add_argument("--now", default=datetime.now(timezone.utc).isoformat())
    options = parser.parse_args()
    variables = {
        "logs": options.logs,
        "moment": datetime.fromisoformat(options.now),
        "quota_bytes": options.quota_mb * 1e6,
        "quota_percent": options.quota_percent,
        "rejected_percent": options.rejected_percent,
        "hours": options.hours,
    }
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, value in variables.items():
            connection.execute(f"SET VARIABLE {name} = $1", [value])
        alerts = connection.execute(SQL.read_text(encoding="utf-8")).fetchall()
    for alert, what in alerts:
        print(f"{alert}: {what}")
    return 1 if alerts else 0


if __name__ == "__main__":
    sys.exit(main())
