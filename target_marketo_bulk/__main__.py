"""The entry point of `target-marketo-bulk` and `python -m target_marketo_bulk`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_marketo.starting import run

if TYPE_CHECKING:
    from target_marketo_bulk.target import TargetMarketoBulk


def main() -> None:
    """Run the command."""
    run(_load)


def _load() -> type[TargetMarketoBulk]:
    from target_marketo_bulk.target import TargetMarketoBulk  # noqa: PLC0415  # takes a second

    return TargetMarketoBulk


if __name__ == "__main__":
    main()
