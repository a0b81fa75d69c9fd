#!/bin/sh
# Load program members; for cron, every hour:
#   7 * * * * /opt/marketo/marketo.sh >> /var/log/marketo.log 2>&1
# A daily quota that is used up is no failure worth a mail: the next hour tries again.
set -u
MARKETO_COMMAND=${MARKETO_COMMAND:-meltano run tap-marketo-bulk target-postgres}
TAP_MARKETO_BULK_JOB_JOURNAL=${TAP_MARKETO_BULK_JOB_JOURNAL:-$PWD/journal}
export TAP_MARKETO_BULK_JOB_JOURNAL
sh -c "$MARKETO_COMMAND" && exit 0
code=$?
# `meltano run` turns every exit code into 1; the outcome file has the tap's own.
grep -q '"outcome": "try_later"' "$TAP_MARKETO_BULK_JOB_JOURNAL/outcome.json" && exit 0
exit "$code"
