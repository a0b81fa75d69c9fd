"""The file the page is, as it is sent."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from werkzeug.wrappers import Response

# Nothing is loaded from anywhere, and nothing is sent elsewhere.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@lru_cache(maxsize=1)
def _content() -> bytes:
    return files("marketo_emulator.page").joinpath("index.html").read_bytes()


def page() -> Response:
    """Return the page."""
    response = Response(_content(), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
