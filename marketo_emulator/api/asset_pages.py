"""The page of an asset call (C§4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_emulator.wire.envelope import asset_success
from marketo_emulator.wire.errors import NO_ASSETS, MarketoError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.wrappers import Response

    from marketo_emulator.wire.call import Call

_DEFAULT_PAGE = 20
_MAX_PAGE = 200


def page(call: Call, found: Sequence[dict[str, object]]) -> Response:
    """Return a page: no total, no token; past the end a warning takes the result's place.

    Raises: MarketoError 1001 for a size or an offset out of bounds.
    """
    size = call.number("maxReturn", _DEFAULT_PAGE)
    offset = call.number("offset", 0)
    if not 1 <= size <= _MAX_PAGE or offset < 0:
        message = f"Invalid value '{size}' or '{offset}'. 'maxReturn' is 1 to {_MAX_PAGE}"
        raise MarketoError("1001", message)
    shown = found[offset : offset + size]
    return asset_success(call.request_id, shown, "" if shown else NO_ASSETS)
