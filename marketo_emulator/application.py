"""The application: a WSGI callable that admits, answers, spoils and logs each request."""

from __future__ import annotations

import gzip
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import ClosingIterator

from marketo_emulator import routes
from marketo_emulator.api.control import CONTROL_PREFIX, Control
from marketo_emulator.api.route import is_missing
from marketo_emulator.faults import shaping
from marketo_emulator.page.serving import page
from marketo_emulator.wire import envelope
from marketo_emulator.wire.call import Call, check_size
from marketo_emulator.wire.errors import HttpError, MarketoError
from marketo_emulator.wire.request_log import RequestLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from marketo_emulator.api.route import Route
    from marketo_emulator.faults.fault import Fault
    from marketo_emulator.limits import Admission
    from marketo_emulator.world import World

_COMPRESSED_FROM_BYTES = 1024


@dataclass(slots=True)
class _Exchange:
    """One request and what became of it so far."""

    call: Call
    started_at: datetime
    faults: list[Fault] = field(default_factory=list)
    admission: Admission | None = None
    error_code: str = ""
    left: bool = False


class Application:
    """Marketo as a WSGI application; needs no socket."""

    def __init__(self, world: World, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self.world = world
        self.requests = RequestLog()
        self._sleep = sleep
        self._control = Control(world, self.requests)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Return the body; ConnectionResetError where a fault breaks the connection."""
        request = Request(environ)
        try:
            if request.path.split("/")[1:2] == [CONTROL_PREFIX[1:]]:
                return self._control.answer(request)(environ, start_response)
            if request.path == "/" and request.method in {"GET", "HEAD"}:
                return page()(environ, start_response)
            return self._exchange(request, start_response)
        finally:
            request.close()

    def _exchange(self, request: Request, start_response: StartResponse) -> Iterable[bytes]:
        with self.world.lock:
            now = self.world.clock.now()
            request_id = envelope.new_request_id(self.world.random, now)
        exchange = _Exchange(Call(request, request_id), now)
        try:
            response = self._finished(exchange, self._answer(exchange))
        except ConnectionResetError:
            self._log(exchange, 0)
            self._leave(exchange)
            raise
        self._log(exchange, response.status_code)
        body = shaping.transmitted(response, exchange.faults, self._sleep)
        # The place is free again before the last byte is out: a client that has the whole answer
        # may call at once.
        body = shaping.before_last(body, lambda: self._leave(exchange))
        headers = shaping.final_headers(response, exchange.faults)
        start_response(response.status, headers)
        return ClosingIterator(body, [response.close, lambda: self._leave(exchange)])

    def _answer(self, exchange: _Exchange) -> Response:
        call = exchange.call
        route: Route | None = None
        refusal: MarketoError | None = None
        try:
            _untunnel(call)
            method = "GET" if call.tunnelled else call.request.method
            route, call.arguments = routes.match(method, call.request.path)
            call.operation = route.operation
        except MarketoError as error:
            refusal = error
        request = call.request
        with self.world.lock:
            exchange.faults = self.world.faults.strike(
                call.operation,
                method=request.method,
                path=request.path,
                now=exchange.started_at,
            )
        if shaping.resets(exchange.faults, "before"):
            raise ConnectionResetError
        try:
            self._admit(exchange)
            shaping.delay(exchange.faults, self._sleep)
            response = self._carry_out(exchange, route, refusal)
        except MarketoError as error:
            exchange.error_code = error.code
            response = envelope.failure(call.request_id, error)
        except HttpError as error:
            response = envelope.http_failure(error)
        except RequestEntityTooLarge:
            response = envelope.http_failure(HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
        if shaping.resets(exchange.faults, "after"):
            response.close()
            raise ConnectionResetError
        return response

    def _admit(self, exchange: _Exchange) -> None:
        """Check size and token, and count the call; identity calls are free (C§2)."""
        call, world = exchange.call, self.world
        options = world.options
        if len(call.request.full_path.encode()) > options.max_uri_bytes:
            raise HttpError(HTTPStatus.REQUEST_URI_TOO_LONG)
        check_size(
            call.request,
            is_import=call.operation == "import.create",
            max_body=options.max_body_bytes,
            max_import=options.max_import_body_bytes,
        )
        if call.operation == "identity.token":
            return
        with world.lock:
            now = world.clock.now()
            call.client_id = world.tokens.client_of(self._token(call), now)
            exchange.admission = world.limits.enter(call.client_id, now)

    def _token(self, call: Call) -> str:
        options = self.world.options
        scheme, _, token = call.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return token.strip()
        if options.token_in_query_allowed and (legacy := call.legacy_token()):
            return legacy
        raise MarketoError(options.missing_token_code)

    def _carry_out(
        self, exchange: _Exchange, route: Route | None, refusal: MarketoError | None
    ) -> Response:
        call = exchange.call
        replaced = next((fault for fault in exchange.faults if fault.replaces_answer), None)
        if replaced is None or replaced.takes_effect:
            if refusal is not None or route is None:
                raise refusal or MarketoError("610")
            if is_missing(route.permission, call.client_id, self.world.options.missing_permissions):
                raise MarketoError("603")
            shaping.change_range(call.request.environ, exchange.faults)
            response = route.handler(self.world, call)
            if replaced is None:
                return response
            response.close()
        if replaced.code:
            raise MarketoError(replaced.code, replaced.message or shaping.usual_text(replaced))
        return shaping.replaced_body(replaced)

    def _finished(self, exchange: _Exchange, response: Response) -> Response:
        """Return the answer with everything said that is the same for all of them."""
        call, now = exchange.call, self.world.clock.now()
        if exchange.error_code:
            with self.world.lock:
                self.world.limits.note_error(exchange.error_code, exchange.admission, now)
        response.headers["Server"] = "nginx"
        response.headers["Date"] = http_date(now)
        response = shaping.shaped(response, exchange.faults, now)
        if self.world.options.compress_json and not call.request.path.startswith("/bulk/"):
            _compress(call.request, response)
        return response

    def _leave(self, exchange: _Exchange) -> None:
        if exchange.admission is None or exchange.left:
            return
        exchange.left = True
        with self.world.lock:
            self.world.limits.leave()

    def _log(self, exchange: _Exchange, status: int) -> None:
        admission = exchange.admission
        self.requests.add(
            exchange.call,
            started_at=exchange.started_at,
            finished_at=self.world.clock.now(),
            status=status,
            error_code=exchange.error_code,
            concurrency=0 if admission is None else admission.concurrency,
        )


def _untunnel(call: Call) -> None:
    request = call.request
    form = request.method == "POST" and request.mimetype == "application/x-www-form-urlencoded"
    # One that is too long is refused by its size later, whatever it says.
    with suppress(RequestEntityTooLarge):
        call.tunnelled = form and request.form.get("_method", "").upper() == "GET"


def _compress(request: Request, response: Response) -> None:
    if response.mimetype != "application/json" or not request.accept_encodings.quality("gzip"):
        return
    with suppress(RuntimeError):
        content = response.get_data()
        if len(content) >= _COMPRESSED_FROM_BYTES:
            response.set_data(gzip.compress(content, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
            response.headers.pop("Content-Length", None)
            response.automatically_set_content_length = False
