"""SDK metadata: what the SDK adds to records for its own use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SDK_METADATA = frozenset(
    {
        "_sdc_extracted_at",
        "_sdc_received_at",
        "_sdc_batched_at",
        "_sdc_deleted_at",
        "_sdc_sequence",
        "_sdc_table_version",
        "_sdc_sync_started_at",
    }
)
"""Properties the SDK takes out of a record before it is validated."""


def without_sdk_metadata(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the SDK validates of a record."""
    return {name: value for name, value in record.items() if name not in SDK_METADATA}
