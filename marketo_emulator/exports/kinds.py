"""The kinds of export: which request a create call of each is (C§5, C§21)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketo_emulator.exports.activities import activity_request
from marketo_emulator.exports.objects import object_request
from marketo_emulator.exports.request import ACTIVITIES, CUSTOM_OBJECTS, people_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketo_emulator.data.store import Store
    from marketo_emulator.exports.request import ExportRequest
    from marketo_emulator.options import Options


def parse_export_request(
    kind: str, body: Mapping[str, Any], store: Store, options: Options
) -> ExportRequest:
    """Return the checked request.

    Raises: MarketoError, with a text that names what was refused.
    """
    if kind == ACTIVITIES:
        return activity_request(body, store, options)
    if kind.startswith(CUSTOM_OBJECTS):
        return object_request(kind, body, store, options)
    return people_request(kind, body, store, options)
