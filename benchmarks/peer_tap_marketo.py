"""Driver of tap-marketo: `python peer_tap_marketo.py FILE` runs its `sync_leads` on a local file.

Runs in that tap's own environment. Its client is replaced by one whose export is ready.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from export_file import COLUMNS
from tap_marketo.sync import sync_leads

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = {
    "integer": {"type": ["null", "integer"]},
    "score": {"type": ["null", "integer"]},
    "currency": {"type": ["null", "number"]},
    "float": {"type": ["null", "number"]},
    "boolean": {"type": ["null", "boolean"]},
    "datetime": {"type": ["null", "string"], "format": "date-time"},
}


class Response:
    """A download."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def iter_content(self, chunk_size: int, **_: object) -> Iterator[bytes]:
        """Yield the file in the pieces asked for."""
        with self._path.open("rb") as file:
            while piece := file.read(chunk_size):
                yield piece

    def close(self) -> None:
        """Close nothing: the file closes itself."""


class Client:
    """A Marketo whose one export is finished."""

    use_corona = True

    def export_available(self, *_: object) -> bool:
        """Return that the export in the state is still there."""
        return True

    def wait_for_export(self, *_: object) -> None:
        """Wait for nothing."""

    def stream_export(self, *_: object, **__: object) -> Response:
        """Return the file."""
        return Response(sys.argv[1])


def main() -> None:
    """Write the messages of one window."""
    stream: dict[str, Any] = {
        "tap_stream_id": "leads",
        "key_properties": ["leadId"],
        "schema": {
            "properties": {
                name: SCHEMAS.get(kind, {"type": ["null", "string"]})
                for name, kind in COLUMNS.items()
            }
        },
        "metadata": [
            {"breadcrumb": ["properties", name], "metadata": {"selected": True}} for name in COLUMNS
        ],
    }
    # An end in the future makes it one window, so that the file is read once.
    today, day = datetime.now(timezone.utc), timedelta(days=1)
    window = {"updatedAt": (today - day).isoformat(), "export_end": (today + day).isoformat()}
    state = {"bookmarks": {"leads": {"export_id": "export", **window}}}
    sync_leads(Client(), state, stream, {})


if __name__ == "__main__":
    main()
