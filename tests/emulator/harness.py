"""The harness: an emulator and a signed-in client of it, called without a socket."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from werkzeug.test import Client
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from marketo_emulator import Emulator, VirtualClock

NOON = datetime(2026, 6, 15, 18, tzinfo=timezone.utc)
MEMBERS = "program/members"


class Marketo:
    """An emulator and one signed-in client of it."""

    def __init__(self, emulator: Emulator, clock: VirtualClock) -> None:
        self.emulator = emulator
        self.clock = clock
        self.wire = Client(emulator.application, Response)
        self.token = ""

    def sign_in(self, client_id: str = "emulator", secret: str = "emulator-secret") -> None:
        """Use a client's token from now on."""
        reply = self.wire.get(
            "/identity/oauth/token",
            query_string={
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": secret,
            },
        )
        self.token = json.loads(reply.data)["access_token"]

    def send(self, method: str, path: str, **more: Any) -> TestResponse:
        """Return the raw answer to a call with the token."""
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return self.wire.open(path, method=method, headers=headers, buffered=True, **more)

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """Return the JSON of a GET."""
        return dict(json.loads(self.send("GET", path, query_string=query).data))

    def post(self, path: str, body: object = None) -> dict[str, Any]:
        """Return the JSON of a POST."""
        more = {} if body is None else {"json": body}
        return dict(json.loads(self.send("POST", path, **more).data))

    def error(self, path: str, body: object = None) -> tuple[str, str]:
        """Return code and text of the refusal of a POST."""
        return refusal(self.post(path, body))

    def create(self, fields: list[str], kind: str = MEMBERS, **conditions: Any) -> str:
        """Create an export and return its id."""
        body = {"fields": fields, "filter": conditions}
        return str(self.post(f"/bulk/v1/{kind}/export/create.json", body)["result"][0]["exportId"])

    def enqueue(self, export_id: str, kind: str = MEMBERS) -> dict[str, Any]:
        """Enqueue an export and return the answer."""
        return self.post(f"/bulk/v1/{kind}/export/{export_id}/enqueue.json")

    def status(self, export_id: str, kind: str = MEMBERS) -> dict[str, Any]:
        """Return an export's status."""
        reply = self.get(f"/bulk/v1/{kind}/export/{export_id}/status.json")
        return dict(reply["result"][0])

    def file(self, export_id: str, kind: str = MEMBERS, **headers: str) -> TestResponse:
        """Return the answer that carries an export's file."""
        return self.send("GET", f"/bulk/v1/{kind}/export/{export_id}/file.json", headers=headers)

    def export(self, fields: list[str], kind: str = MEMBERS, **conditions: Any) -> bytes:
        """Run an export to its end and return its file."""
        export_id = self.create(fields, kind, **conditions)
        self.enqueue(export_id, kind)
        self.clock.advance(600)
        return bytes(self.file(export_id, kind).data)


def refusal(document: dict[str, Any]) -> tuple[str, str]:
    """Return code and text of a refusal."""
    assert document["success"] is False
    error = document["errors"][0]
    return error["code"], error["message"]
