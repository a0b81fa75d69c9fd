"""The shaping: what faults do to an answer on its way out."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from werkzeug.http import http_date
from werkzeug.wrappers import Response

from marketo_emulator.faults.rewrites import REWRITES
from marketo_emulator.wire.errors import TEXTS, html_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from _typeshed.wsgi import WSGIEnvironment

    from marketo_emulator.faults.fault import Fault

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


def resets(faults: Sequence[Fault], moment: str) -> bool:
    """Whether the connection breaks at this moment, and not in the middle of the body."""
    return any(fault.reset == moment and fault.cut_after_bytes is None for fault in faults)


def delay(faults: Sequence[Fault], sleep: Callable[[float], object]) -> None:
    """Wait as long as the faults say."""
    for fault in faults:
        if fault.delay_seconds:
            sleep(fault.delay_seconds)


def usual_text(fault: Fault) -> str:
    """Return the text that usually goes with the fault's code."""
    return TEXTS.get(fault.code, "Unknown error")


def replaced_body(fault: Fault) -> Response:
    """Return the body that stands in for the answer."""
    page = html_page(HTTPStatus(fault.status or HTTPStatus.OK))
    text = page if fault.body is None else fault.body
    return Response(text.encode(), content_type="text/html")


def change_range(environ: WSGIEnvironment, faults: Sequence[Fault]) -> None:
    """Forget or move the range that was asked for."""
    for fault in faults:
        if fault.ignore_range:
            environ.pop("HTTP_RANGE", None)
        match = _RANGE.fullmatch(environ.get("HTTP_RANGE", ""))
        if fault.range_shift and match:
            start, end = match.groups()
            moved = str(int(end) + fault.range_shift) if end else ""
            environ["HTTP_RANGE"] = f"bytes={max(0, int(start) + fault.range_shift)}-{moved}"


def shaped(response: Response, faults: Sequence[Fault], now: datetime) -> Response:
    """Return the answer with status, body and headers as the faults want them."""
    for fault in faults:
        if fault.put or fault.drop:
            _edit_json(response, fault)
        for name in fault.rewrites:
            response.set_data(REWRITES[name](response.get_data()))
        if fault.status:
            response.status_code = fault.status
        _edit_headers(response, fault, now)
    return response


def transmitted(
    response: Response, faults: Sequence[Fault], sleep: Callable[[float], object]
) -> Iterator[bytes]:
    """Return the body in the pieces in which, and as far as, it is sent."""
    body: Iterator[bytes] = iter(response.response)  # type: ignore[arg-type]
    for fault in faults:
        if fault.cut_after_bytes is not None:
            body = _cut(body, fault.cut_after_bytes, breaks=bool(fault.reset))
        if fault.drip_bytes:
            body = _dripping(body, fault, sleep)
    return body


def before_last(body: Iterator[bytes], leave: Callable[[], None]) -> Iterator[bytes]:
    """Return the body; `leave` is called before its last piece is handed out."""
    held: bytes | None = None
    for piece in body:
        if held is not None:
            yield held
        held = piece
    leave()
    if held is not None:
        yield held


def final_headers(response: Response, faults: Sequence[Fault]) -> list[tuple[str, str]]:
    """Return the headers; without a length the body goes out in chunks."""
    headers = response.headers
    if "Content-Length" not in headers and response.automatically_set_content_length:
        length = response.calculate_content_length()
        if length is not None:
            headers["Content-Length"] = str(length)
    if any(fault.chunked for fault in faults):
        headers.pop("Content-Length", None)
    return headers.to_wsgi_list()


def _edit_json(response: Response, fault: Fault) -> None:
    document = json.loads(response.get_data())
    for path, value in fault.put.items():
        holder, key = _holder(document, path)
        holder[key] = value
    for path in fault.drop:
        holder, key = _holder(document, path)
        if isinstance(holder, list) or key in holder:
            del holder[key]
    length = response.headers.pop("Content-Length", None)
    response.set_data(json.dumps(document, ensure_ascii=False).encode())
    if length is None:
        response.headers.pop("Content-Length", None)


def _holder(document: Any, path: str) -> tuple[Any, Any]:  # noqa: ANN401 - any JSON
    *parents, last = path.split(".")
    for part in parents:
        document = document[int(part) if isinstance(document, list) else part]
    return document, int(last) if isinstance(document, list) else last


def _edit_headers(response: Response, fault: Fault, now: datetime) -> None:
    if fault.date_skew_seconds:
        response.headers["Date"] = http_date(now + timedelta(seconds=fault.date_skew_seconds))
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if fault.range_shift and match:
        start, end, total = map(int, match.groups())
        last = end if end == total - 1 else end - fault.range_shift
        response.headers["Content-Range"] = f"bytes {start - fault.range_shift}-{last}/{total}"
    for name, value in fault.headers.items():
        if value is None:
            response.headers.pop(name, None)
        else:
            response.headers[name] = value


def _cut(body: Iterable[bytes], length: int, *, breaks: bool) -> Iterator[bytes]:
    left = length
    for piece in body:
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            break
    if breaks:
        raise ConnectionResetError


def _dripping(
    body: Iterable[bytes], fault: Fault, sleep: Callable[[float], object]
) -> Iterator[bytes]:
    for piece in body:
        for start in range(0, len(piece), fault.drip_bytes):
            sleep(fault.drip_seconds)
            yield piece[start : start + fault.drip_bytes]
