"""Errors, grouped by what the caller should do.

MarketoBulkError
├── ConfigurationError            the settings cannot work; correct them
├── TransientError                passing; the client has already waited and tried again
│   ├── RateLimitedError          606: too many calls in 20 seconds
│   ├── ConcurrencyLimitError     615: too many calls at once
│   ├── ServiceUnavailableError   502, 608, 611, network, no readable answer
│   │   └── EmptyAnswerError      success without the result it should carry
│   ├── QueueFullError            1029 queue, 1016, 1019: try again when a job has finished
│   └── LostReplyError            sent, but whether Marketo acted on it is unknown
├── TokenExpiredError             600, 601, 602 again after a new token
├── CredentialsError              the identity service refused the client id or secret, or the call
├── DailyQuotaExceededError       607, 1029 quota: come back after the reset
├── AlreadyQueuedError            1029 already queued: nothing is left to do
├── PayloadTooLargeError          HTTP 413: send less at once
├── RejectedError                 the request is wrong and is never right later
│   └── NotFoundError             610, 702, 710, 1013, HTTP 404
├── JobError                      a job ended, or did not end, as it should
│   ├── JobFailedError · JobCancelledError · JobTimeoutError · UnknownStatusError
├── DownloadError                 a file could not be brought here whole
│   ├── IncompleteDownloadError · ChecksumMismatchError · ExportFileGoneError
└── DecodeError                   an answer, or a row of a file, that cannot be read
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

_INVALID_FIELDS = re.compile(r"invalid fields?\s*\[([^\]]*)\]", re.IGNORECASE)
_SHOWN_MAX_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class MarketoFault:
    """One entry of the `errors` list of a Marketo answer."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Where an error came from: the operation, and what Marketo's answer to it said."""

    operation: str = ""
    faults: tuple[MarketoFault, ...] = ()
    request_id: str | None = None
    http_status: int | None = None


class MarketoBulkError(Exception):
    """The root of all errors of this package.

    `message` holds Marketo's own words where there are any; `str(error)` is one line that says
    what happened, on what, under which request id, and what to do.
    """

    remedy: ClassVar[str] = ""

    def __init__(self, message: str, *, answer: Answer | None = None, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.answer = answer or Answer()
        self.advice = remedy or self.remedy
        self.attempts = 1
        self.waited_seconds = 0.0

    @property
    def faults(self) -> tuple[MarketoFault, ...]:
        """All entries of the answer's `errors` list, in its order."""
        return self.answer.faults

    @property
    def code(self) -> str | None:
        """The first fault's code, or None when the answer was not an envelope."""
        return self.answer.faults[0].code if self.answer.faults else None

    @property
    def request_id(self) -> str | None:
        """Marketo's id of the call: the one its support asks for."""
        return self.answer.request_id

    @property
    def http_status(self) -> int | None:
        """The answer's HTTP status, or None when there was no answer."""
        return self.answer.http_status

    @override
    def __str__(self) -> str:
        operation = f"{self.answer.operation}: " if self.answer.operation else ""
        request = f" (request {self.request_id})" if self.request_id else ""
        tried = (
            f", after {self.attempts} attempts in {self.waited_seconds:.0f} s"
            if self.attempts > 1
            else ""
        )
        advice = f". {self.advice}" if self.advice else ""
        return one_line(f"{operation}{self._what()}{request}{tried}{advice}")

    def _what(self) -> str:
        if not self.faults:
            return self.message
        said = "; ".join(f"{fault.code} {fault.message}" for fault in self.faults)
        ours = "" if self.message == self.faults[0].message else f"{self.message}: "
        return f"{ours}Marketo answered {said}"


class ConfigurationError(MarketoBulkError, ValueError):
    """The settings cannot work."""


class TransientError(MarketoBulkError):
    """Passing; raised only after waiting and trying again, or where only the caller may."""

    remedy = "Marketo may be back later: run again"


class RateLimitedError(TransientError):
    """More calls in 20 seconds than the instance allows."""

    remedy = "Lower calls_per_20_seconds, or find what else is calling this instance"


class ConcurrencyLimitError(TransientError):
    """More calls at once than the instance allows."""

    remedy = "Lower max_concurrent_calls, or find what else is calling this instance"


class ServiceUnavailableError(TransientError):
    """No readable answer, or one that says it may work later."""

    def __init__(
        self,
        message: str,
        *,
        answer: Answer | None = None,
        remedy: str = "",
        never_sent: bool = False,
    ) -> None:
        super().__init__(message, answer=answer, remedy=remedy)
        self.never_sent = never_sent


class EmptyAnswerError(ServiceUnavailableError):
    """Success, but without the result the operation always has."""


class QueueFullError(TransientError):
    """Marketo's job queue has no place, or the target list is being imported to."""

    remedy = "Try again when a job has finished"


class LostReplyError(TransientError):
    """The request was sent, but its reply did not arrive: Marketo may have acted on it."""

    remedy = "Send it again only if doing it twice does no harm"


class TokenExpiredError(MarketoBulkError):
    """Marketo refused the access token, and a renewed one too."""

    remedy = "Check that the API user and its LaunchPoint service still exist"


class CredentialsError(MarketoBulkError):
    """The identity service refused the client id or secret, or the call itself."""

    remedy = "Check client_id, client_secret and identity_url (Admin > LaunchPoint)"


class DailyQuotaExceededError(MarketoBulkError):
    """Today's API calls or export megabytes are used up."""

    remedy = (
        "The quota resets at midnight US Central time; run again after 06:00 UTC. "
        "Nothing that was finished is lost"
    )


class AlreadyQueuedError(MarketoBulkError):
    """The export is in the queue already."""


class PayloadTooLargeError(MarketoBulkError):
    """The body is larger than Marketo takes."""

    remedy = "Send less at once"


class RejectedError(MarketoBulkError):
    """Marketo will never accept this request as it is."""

    @property
    def invalid_fields(self) -> tuple[str, ...]:
        """The field names of a 1003 that lists them; empty for any other rejection."""
        found = _INVALID_FIELDS.search(self.message) if self.code == "1003" else None
        names = found.group(1).split(",") if found else []
        return tuple(name.strip() for name in names if name.strip())


class NotFoundError(RejectedError):
    """What was asked for does not exist, or not for this API user."""


class JobError(MarketoBulkError):
    """A job did not end as it should."""

    def __init__(self, message: str, *, job_id: str, status: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.job_id = job_id
        self.status = status


class JobFailedError(JobError):
    """Marketo gave the job up."""


class JobCancelledError(JobError):
    """Somebody cancelled the job."""


class JobTimeoutError(JobError):
    """The job did not end within the time allowed."""


class UnknownStatusError(JobError):
    """The job is in a status this client does not know."""


class DownloadError(MarketoBulkError):
    """A file could not be brought here whole."""


class IncompleteDownloadError(DownloadError):
    """The file ended early, again and again."""

    remedy = "Run again: the export can be downloaded for seven days"


class ChecksumMismatchError(DownloadError):
    """The bytes are not those whose digest Marketo announced, twice."""

    remedy = "Create the export again"


class ExportFileGoneError(DownloadError):
    """The file is not there (any more)."""

    remedy = "Create the export again"


class DecodeError(MarketoBulkError):
    """An answer, or a row of a file, that cannot be read.

    `line`, `column` and `value` are set when a row is at fault. The value may be personal: it is
    an attribute, and in the message only if whoever raised the error put it there.
    """

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        column: str | None = None,
        value: str | None = None,
        answer: Answer | None = None,
    ) -> None:
        super().__init__(message, answer=answer)
        self.line = line
        self.column = column
        self.value = value

    def locate(self, answer: Answer) -> None:
        """Say which answer could not be read, where that is not known yet."""
        if not self.answer.operation:
            self.answer = answer


def one_line(text: str) -> str:
    """Return text as one printable line of bounded length: a peer's words may hold anything."""
    flat = "".join(character if character.isprintable() else " " for character in text)
    shown = " ".join(flat.split())
    return shown if len(shown) <= _SHOWN_MAX_CHARACTERS else f"{shown[:_SHOWN_MAX_CHARACTERS]}…"
