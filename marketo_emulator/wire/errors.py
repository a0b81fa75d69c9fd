"""The error: a refusal with one of Marketo's codes, or with an HTTP status of its own.

Texts are those seen on the wire where a recording quotes them, else those of the documented table
(C§5.1, C§8.1, C§12); the ones marked "guess" are in no source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from http import HTTPStatus

TEXTS = {
    "600": "Access token is missing",  # guess: the code is known from old clients only
    "601": "Access token invalid",
    "602": "Access token expired",
    "603": "Access denied",
    "604": "Request timed out",
    "605": "HTTP method not supported",
    "606": "Max rate limit '100' exceeded with in '20' secs",
    "607": "Daily quota reached",
    "608": "API Temporarily Unavailable",
    "609": "Invalid JSON",
    "610": "Requested resource not found",
    "611": "System error",
    "612": "Invalid Content Type",
    "613": "Invalid Multipart Request",
    "615": "Concurrent access limit '10' reached",
    "702": "No data found for the given search criteria",
    "713": "Transient Error",
    "1013": "Object not found",
    "1019": "Import in progress",
}

NO_ASSETS = "No assets found for the given search criteria."
QUEUE_FULL = "Too many jobs in queue"
ALREADY_QUEUED = "Job already queued"
IMPORTS_FULL = "There are {0} imports currently being processed. Please try again later"

# C§12: a reply with one of these uses up neither the daily quota nor the rate limit.
UNCOUNTED_CODES = frozenset({"601", "602", "604", "605", "608", "611"})


class MarketoError(Exception):
    """A refusal inside an envelope, delivered with HTTP 200."""

    def __init__(self, code: str, message: str = "") -> None:
        self.code = code
        self.message = message or TEXTS[code]
        super().__init__(f"{code} {self.message}")


class InvalidDataError(MarketoError):
    """Code 1003, whose message says what was wrong."""

    def __init__(self, message: str) -> None:
        super().__init__("1003", message)


class HttpError(Exception):
    """A refusal by HTTP status, with a body that is not an envelope."""

    def __init__(self, status: HTTPStatus, body: str = "", content_type: str = "") -> None:
        self.status = status
        self.body = body or html_page(status)
        self.content_type = content_type or ("text/plain" if body else "text/html")
        super().__init__(f"HTTP {status.value}")


def html_page(status: HTTPStatus) -> str:
    """Return the kind of page a proxy in front of the service would send."""
    title = f"{status.value} {status.phrase}"
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n"
        f"<body>\r\n<center><h1>{title}</h1></center>\r\n<hr>\r\n</body>\r\n</html>\r\n"
    )
