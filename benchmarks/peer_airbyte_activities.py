"""Driver of airbyte-source-marketo for activities: `peer_airbyte_activities.py FILE`.

Runs in that connector's own environment, with its own `Activities.parse_response`, as
`peer_airbyte.py` does for leads. The connector has a stream and a job for each type; here one
stream knows the attributes of all types, so that it reads the same file once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import requests
from activity_file import TYPES
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.sources.utils.record_helper import stream_data_to_airbyte_message
from airbyte_cdk.sources.utils.transform import TransformConfig, TypeTransformer
from source_marketo.source import Activities

ATTRIBUTES = {name: kind for _, attributes in TYPES.values() for name, kind in attributes.items()}


class LocalActivities(Activities):  # type: ignore[misc]  # the connector has no types
    """The stream, with a type it need not ask for."""

    name = "activities_all"
    activity = {  # noqa: RUF012  # as the connector makes its classes
        "id": 1,
        "name": "All",
        "attributes": [{"name": name, "dataType": kind} for name, kind in ATTRIBUTES.items()],
    }

    def get_json_schema(self) -> dict[str, Any]:
        """Return the schema with a column that the connector does not ask for."""
        schema: dict[str, Any] = super().get_json_schema()
        schema["properties"]["actionResult"] = {"type": ["null", "string"]}
        return schema


def main() -> None:
    """Write the messages of one slice."""
    config = {
        "authenticator": None,
        "start_date": "2026-10-01T00:00:00Z",
        "domain_url": "http://127.0.0.1:9",
    }
    activities = LocalActivities(config)
    schema = activities.get_json_schema()
    response = requests.Response()
    response.status_code = 200
    transformer = TypeTransformer(TransformConfig.NoTransform)
    with Path(sys.argv[1]).open("rb") as file:
        response.raw = file
        for record in activities.parse_response(response, stream_state={}):
            message = stream_data_to_airbyte_message("activities", record, transformer, schema)
            text = AirbyteEntrypoint.airbyte_message_to_string(message)
            print(f"{text}\n", end="", flush=True)  # as the CDK's entry point does


if __name__ == "__main__":
    main()
