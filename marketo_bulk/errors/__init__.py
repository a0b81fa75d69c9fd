"""Errors, grouped by what the caller should do.

MarketoBulkError
├── ConfigurationError            the settings cannot work; correct them
├── TransientError                passing; the client has already waited and tried again
│   ├── RateLimitedError          606: too many calls in 20 seconds
│   ├── ConcurrencyLimitError     615: too many calls at once
│   ├── ServiceUnavailableError   502, 608, 611, network, no readable answer
│   │   ├── EmptyAnswerError      success without the result it should carry
│   │   └── HostNotFoundError     the first call's host has no address, for now
│   ├── QueueFullError            1029 queue, 1016, 1019: try again when a job has finished
│   └── LostReplyError            sent, but whether Marketo acted on it is unknown
├── AbandonedError                broken off here, because the run is to end
├── TokenExpiredError             600, 601, 602 again and again, whatever the token
├── CredentialsError              the identity service refused the client id or secret, or the call
├── DailyQuotaExceededError       607, 1029 quota: come back after the reset
│   └── BudgetReachedError        the same, by a budget of the settings
├── AlreadyQueuedError            1029 already queued: nothing is left to do
├── PayloadTooLargeError          HTTP 413: send less at once
├── RejectedError                 the request is wrong and is never right later
│   └── NotFoundError             610, 702, 710, 1013, HTTP 404
├── JobError                      a job did not end as it should
│   ├── JobFailedError · JobCancelledError · JobTimeoutError
├── DownloadError                 a file could not be brought here whole
│   ├── DiskError · ChecksumMismatchError · ExportFileGoneError
│   └── IncompleteDownloadError
│       └── SizeMismatchError
└── DecodeError                   an answer, or a row of a file, that cannot be read
"""

from __future__ import annotations

from marketo_bulk.errors.answers import (
    Answer,
    MarketoFault,
    one_line,
)
from marketo_bulk.errors.files import (
    ChecksumMismatchError,
    DecodeError,
    DiskError,
    DownloadError,
    ExportFileGoneError,
    IncompleteDownloadError,
    JobCancelledError,
    JobError,
    JobFailedError,
    JobTimeoutError,
    SizeMismatchError,
)
from marketo_bulk.errors.refusals import (
    AbandonedError,
    AlreadyQueuedError,
    BudgetReachedError,
    CredentialsError,
    DailyQuotaExceededError,
    NotFoundError,
    PayloadTooLargeError,
    RejectedError,
    TokenExpiredError,
)
from marketo_bulk.errors.root import (
    ConfigurationError,
    MarketoBulkError,
)
from marketo_bulk.errors.transient import (
    ConcurrencyLimitError,
    EmptyAnswerError,
    HostNotFoundError,
    LostReplyError,
    QueueFullError,
    RateLimitedError,
    ServiceUnavailableError,
    TransientError,
)

__all__ = [
    "AbandonedError",
    "AlreadyQueuedError",
    "Answer",
    "BudgetReachedError",
    "ChecksumMismatchError",
    "ConcurrencyLimitError",
    "ConfigurationError",
    "CredentialsError",
    "DailyQuotaExceededError",
    "DecodeError",
    "DiskError",
    "DownloadError",
    "EmptyAnswerError",
    "ExportFileGoneError",
    "HostNotFoundError",
    "IncompleteDownloadError",
    "JobCancelledError",
    "JobError",
    "JobFailedError",
    "JobTimeoutError",
    "LostReplyError",
    "MarketoBulkError",
    "MarketoFault",
    "NotFoundError",
    "PayloadTooLargeError",
    "QueueFullError",
    "RateLimitedError",
    "RejectedError",
    "ServiceUnavailableError",
    "SizeMismatchError",
    "TokenExpiredError",
    "TransientError",
    "one_line",
]
