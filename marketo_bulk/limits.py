"""Limits: what Marketo documents, and the bounds this client puts on its own waiting and reading.

Marketo's numbers stand first, each with its page of Adobe's REST API guide (read 2026-08-17).
The bounds below them are ours: no page names them, they only keep every loop finite.
"""

from __future__ import annotations

# Best Practices > API Limits: 100 calls per 20 seconds and 10 at once, for all integrations of
# an instance together; one integration should stay at half of both.
RATE_WINDOW_SECONDS = 20
CALLS_PER_WINDOW_MAX = 100
CALLS_PER_WINDOW_DEFAULT = 50
CONCURRENT_CALLS_MAX = 10
CONCURRENT_CALLS_DEFAULT = 5

# Bulk Import > Limits and REST API > intro: a bulk call's whole body, not only its file. What
# "10 MB" means is not said, so the smaller reading is used.
BULK_BODY_MAX_BYTES = 10_000_000

# Bulk Extract > Limits and > Queue: one queue for all object types; running jobs count too.
EXPORT_QUEUE_MAX_JOBS = 10
EXPORT_RUNNING_MAX_JOBS = 2
EXPORT_WINDOW_MAX_DAYS = 31
EXPORT_DAILY_QUOTA_BYTES = 500_000_000
# Bulk Program Member Extract > Filters: programIds.
EXPORT_PROGRAM_IDS_MAX = 10
# Bulk Extract > Polling: a status is renewed at most once a minute.
EXPORT_POLL_MIN_SECONDS = 60
# Bulk Extract says seven days (Limits) and ten days (Polling); the shorter one is safe.
EXPORT_FILE_RETENTION_DAYS = 7
# Bulk Extract > Retrieving Jobs: batchSize.
EXPORT_LIST_PAGE_MAX_JOBS = 300

# Activities > Query and > Deleted leads: activityTypeIds, leadIds, assetIds, batchSize.
ACTIVITY_TYPE_IDS_MAX = 10
ACTIVITY_LEAD_IDS_MAX = 30
ACTIVITY_ASSET_TYPES_MAX = 1
ACTIVITY_PAGE_MAX = 300
# Activities > Deleted leads, OpenAPI: "may be pruned" when older.
DELETED_LEADS_RETENTION_DAYS = 14

# Bulk Lead Import > Processing Limits and > Polling.
IMPORT_QUEUE_MAX_JOBS = 10
IMPORT_BATCH_RETENTION_DAYS = 7

# Programs > Browse: maxReturn; also how many ids are asked for at once, so that one page holds
# every answer and the address stays far below the 8 KB at which Marketo answers HTTP 414.
PROGRAM_PAGE_MAX = 200

# Authentication > Creating an Access Token.
TOKEN_LIFETIME_SECONDS = 3600

# From here on the bounds are ours.
CONNECT_TIMEOUT_SECONDS = 15
# The longest time-out Adobe states for any endpoint is 300 s (Assets > Timeouts).
REQUEST_TIMEOUT_DEFAULT_SECONDS = 300
MAX_RETRY_DEFAULT_SECONDS = 900
# Seconds are the bound users set; attempts only catch a clock that does not advance.
RETRY_MAX_ATTEMPTS = 100

# No id is known to be larger; the number only keeps a setting from being of any size.
ID_MAX = 2**63 - 1
# The longest any time in seconds may be set to: Marketo forgets jobs and files after seven days.
SETTING_MAX_SECONDS = 7 * 86_400

# A token with less than this left is used until Marketo refuses it: asking again only brings
# the same token back (Authentication > Tips), so asking before every call would be a tight loop.
TOKEN_MIN_REUSE_SECONDS = 10

# Calls are spread over a little more than Marketo's window: it counts them when they arrive, and
# one that was long under way may arrive together with the next ones.
PACING_WINDOW_SECONDS = RATE_WINDOW_SECONDS + 0.5

# The concurrency given up after a 615 comes back after this long.
CONCURRENCY_PENALTY_SECONDS = 60

# A head that has not arrived after so many of a request's time-outs only trickles.
HEAD_MAX_TIMEOUTS = 2

# A describe of 1 500 fields is below 1 MB; this only stops a peer that never stops sending.
JSON_REPLY_MAX_BYTES = 64 * 2**20
JSON_REPLY_MAX_SECONDS = 600
# A 10 MB import of very short rows, each failing with a reason, is about 100 MB.
IMPORT_REPORT_MAX_BYTES = 256 * 2**20

# Pages of anything that ends by itself; beyond this the peer is repeating itself.
PAGES_MAX = 10_000
# Offset pages overlap by this many programs: a deletion between two pages shifts the rest.
PROGRAM_PAGE_OVERLAP = 20

DOWNLOAD_CHUNK_BYTES = 2**20
# Used when a job announces no size: there is no documented maximum for one file.
EXPORT_FILE_MAX_BYTES = 20 * 2**30
# An announced size may be wrong under a matching checksum, but not by this much.
EXPORT_FILE_SLACK_BYTES = 2**20
# A connection that brings less than this was not worth its call and counts as a failure.
DOWNLOAD_PROGRESS_MIN_BYTES = 64 * 2**10
# Less than DOWNLOAD_PROGRESS_MIN_BYTES within this time: drop the connection and resume.
DOWNLOAD_STALL_SECONDS = 60
DOWNLOAD_MAX_RESUMES = 1_000
# Starts from byte zero beyond the first: ranges ignored or answered wrongly.
DOWNLOAD_MAX_RESTARTS = 5
# A file that is missing although its job is Completed: asked for again after these waits.
DOWNLOAD_GONE_WAITS_SECONDS = (5, 15, 45)
