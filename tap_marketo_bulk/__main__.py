"""The entry point of `tap-marketo-bulk` and `python -m tap_marketo_bulk`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_marketo.starting import run

if TYPE_CHECKING:
    from tap_marketo_bulk.tap import TapMarketoBulk


def main() -> None:
    """Run the command."""
    run(_load)


def _load() -> type[TapMarketoBulk]:
    from tap_marketo_bulk.tap import TapMarketoBulk  # noqa: PLC0415  # takes a second

    return TapMarketoBulk


if __name__ == "__main__":
    main()
