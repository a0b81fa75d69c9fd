"""The call: one request on its way to a handler."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import CombinedMultiDict, MultiDict
from werkzeug.exceptions import ClientDisconnected
from werkzeug.formparser import FormDataParser

from marketo_emulator.wire.errors import HttpError, InvalidDataError, MarketoError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Request

_MULTIPART = "multipart/form-data"
_URL_ENCODED = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Call:
    """What a handler is given."""

    request: Request
    request_id: str
    operation: str = "unknown"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Parts of the path."""
    client_id: str = ""
    tunnelled: bool = False
    """A GET whose long query came as the form of a POST (C§1.3)."""
    _parts: tuple[Mapping[str, str], Mapping[str, bytes]] | None = None

    @property
    def parameters(self) -> MultiDict[str, str]:
        """The query, and the form of a call that is tunnelled."""
        if self.tunnelled:
            return CombinedMultiDict([self.request.args, self.request.form])
        return self.request.args

    def number(self, name: str, default: int) -> int:
        """Return an integer parameter.

        Raises: MarketoError 1001 for text that is no integer.
        """
        text = self.parameters.get(name, "")
        if not text:
            return default
        try:
            return int(text)
        except ValueError:
            message = f"Invalid value '{text}'. Required of type 'Integer'"
            raise MarketoError("1001", message) from None

    def parts(self) -> tuple[Mapping[str, str], Mapping[str, bytes]]:
        """Return the fields and the files of a multipart body, which is read once.

        Raises: MarketoError 612 for another content type, 613 for parts that cannot be told apart;
        ConnectionResetError if the client goes away.
        """
        request = self.request
        if request.mimetype != _MULTIPART:
            raise MarketoError("612")
        if self._parts is None:
            # In memory, where it ends up anyway: a temporary file would outlive a broken upload.
            parser = FormDataParser(stream_factory=lambda *_, **__: BytesIO(), silent=False)
            try:
                _, form, files = parser.parse(
                    request.stream,
                    request.mimetype,
                    request.content_length,
                    request.mimetype_params,
                )
            except ClientDisconnected as error:
                raise ConnectionResetError from error
            except ValueError as error:
                raise MarketoError("613") from error
            self._parts = form.to_dict(), {name: file.read() for name, file in files.items()}
        return self._parts

    def legacy_token(self) -> str:
        """Return the `access_token` of the query or of a form of either kind, or "" (C§1.4).

        The body stays readable for the handler: JSON is not touched, a form is kept.
        """
        if token := self.request.args.get("access_token", ""):
            return token
        if self.request.mimetype == _URL_ENCODED:
            return self.request.form.get("access_token", "")
        try:
            return self.parts()[0].get("access_token", "")
        except MarketoError:
            return ""

    def json_object(self) -> dict[str, Any]:
        """Return the body.

        Raises: MarketoError 612 without the content type of JSON, 609 for anything that is no
        JSON, 1003 for JSON that is no object.
        """
        if self.request.mimetype != "application/json":
            raise MarketoError("612")
        try:
            document = json.loads(self.request.get_data())
        except ValueError:
            raise MarketoError("609") from None
        if not isinstance(document, dict):
            raise InvalidDataError("Request body must be an object")
        return document


def check_size(request: Request, *, is_import: bool, max_body: int, max_import: int) -> None:
    """Refuse a body that is too long: now if its length is told, else when it is read.

    Raises: HttpError 413.
    """
    request.max_content_length = max_import - 1 if is_import else max_body
    if (request.content_length or 0) > request.max_content_length:
        raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
