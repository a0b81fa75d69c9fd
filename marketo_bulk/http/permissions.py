"""Permissions: what the role of an API user must allow, in the words of Admin > Users & Roles.

Source: Adobe, REST API > Endpoint Reference (read 2026-08-17).
"""

from __future__ import annotations

READ_ASSETS = "Read-Only Assets"
READ_LEAD = "Read-Only Lead"
READ_ACTIVITY = "Read-Only Activity"
READ_CUSTOM_OBJECT = "Read-Only Custom Object"
WRITE_LEAD = "Read-Write Lead"

ACCESS_DENIED = "603"


def advice(permission: str) -> str:
    """Return what to do where a call was refused for want of a permission."""
    return (
        f'Tick "{permission}" in the role of the API user (Admin > Users & Roles > Roles > '
        "Access API). If it is ticked, allow the address of this machine"
    )
