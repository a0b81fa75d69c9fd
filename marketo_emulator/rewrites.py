"""The rewrite: a named way in which a body comes out wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Rewrite = Callable[[bytes], bytes]

REWRITES: dict[str, Rewrite] = {}
