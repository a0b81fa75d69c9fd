"""A target that appends records to a file, as slowly as it is told to; run as a script."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

ROWS = "ROWS_PATH"
SECONDS = "SECONDS_A_ROW"


def main() -> None:
    """Write each record as a line; pass each STATE on; end at a signal without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with Path(os.environ[ROWS]).open("a", buffering=1) as rows:
        for line in sys.stdin:
            message = json.loads(line)
            if message["type"] == "RECORD":
                time.sleep(float(os.environ[SECONDS]))
                rows.write(f"{json.dumps(message['record'])}\n")
            elif message["type"] == "STATE":
                sys.stdout.write(f"{json.dumps(message['value'])}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
