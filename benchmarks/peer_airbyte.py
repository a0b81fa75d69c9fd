"""Driver of airbyte-source-marketo: `python peer_airbyte.py FILE` parses and prints a local file.

Runs in that connector's own environment. What is measured is its `Leads.parse_response` on a real
`requests.Response`, and what the CDK does to make a printed message of a record; what the CDK does
besides, state above all, is left out in its favour.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import requests
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.sources.utils.record_helper import stream_data_to_airbyte_message
from airbyte_cdk.sources.utils.transform import TransformConfig, TypeTransformer
from export_file import COLUMNS
from source_marketo.source import Leads


class LocalLeads(Leads):  # type: ignore[misc]  # the connector has no types
    """The stream, with fields it need not ask for."""

    def _get_available_fields(self) -> dict[str, str]:
        return COLUMNS

    def get_json_schema(self) -> dict[str, Any]:
        """Return the schema of these fields alone, as the connector maps their types."""
        if self._schema is None:
            types = {name: self._map_marketo_type(kind) for name, kind in COLUMNS.items()}
            self._schema = {"type": ["null", "object"], "properties": types}
        return self._schema


def main() -> None:
    """Write the messages of one slice."""
    config = {
        "authenticator": None,
        "start_date": "2026-10-01T00:00:00Z",
        "domain_url": "http://127.0.0.1:9",
    }
    leads = LocalLeads(config)
    response = requests.Response()
    response.status_code = 200
    schema = leads.get_json_schema()
    transformer = TypeTransformer(TransformConfig.NoTransform)
    with Path(sys.argv[1]).open("rb") as file:
        response.raw = file
        for record in leads.parse_response(response, stream_state={}):
            message = stream_data_to_airbyte_message("leads", record, transformer, schema)
            text = AirbyteEntrypoint.airbyte_message_to_string(message)
            print(f"{text}\n", end="", flush=True)  # as the CDK's entry point does


if __name__ == "__main__":
    main()
