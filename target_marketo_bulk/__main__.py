"""Module run: `python -m target_marketo_bulk`."""

from target_marketo_bulk.target import TargetMarketoBulk

TargetMarketoBulk.cli()
