"""Nulled values: the one sentence about values that became null because they do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping


def tell_nulled(logger: logging.Logger, source: str, counts: Mapping[str, int]) -> None:
    """Log how many values of each column have become null in what `source` names."""
    for name, count in counts.items():
        logger.warning(
            "%s: column %s: %d values do not fit its type, null instead", source, name, count
        )
