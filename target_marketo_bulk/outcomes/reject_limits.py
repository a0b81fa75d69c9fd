"""Reject limits: how many rows may be rejected before a run that has reported them all fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_bulk.errors import MarketoBulkError

if TYPE_CHECKING:
    from target_marketo_bulk.outcomes.summary import Summary
    from target_marketo_bulk.settings import ImportSettings


class TooManyRejectsError(MarketoBulkError):
    """More rows were rejected than `max_rejected_percent` or `max_rejected_rows` allows.

    Remedy: Look at the reasons in the rejects, and correct the source or the stream map.
    """


def hold_reject_limits(summary: Summary, settings: ImportSettings) -> None:
    """Return if no more rows were rejected than may be; those rejected before do not count.

    Raises: TooManyRejectsError
    """
    passed = []
    if summary.rejected_percent > settings.max_rejected_percent:
        passed.append(_percent(settings))
    if settings.max_rejected_rows is not None and summary.rejected_now > settings.max_rejected_rows:
        passed.append(_rows(settings))
    if passed:
        raise TooManyRejectsError(
            f"{summary.rejected_now:,} rows ({summary.rejected_percent:.2f} %) were rejected, more "
            f"than {' and '.join(passed)} {'allows' if len(passed) == 1 else 'allow'}. They are in "
            f"{summary.rejects_path}"
        )


def told_reject_limits(settings: ImportSettings) -> str:
    """Return the settings that a run is held to, for whoever checks them."""
    if settings.max_rejected_rows is None:
        return _percent(settings)
    return f"{_percent(settings)}, {_rows(settings)}"


def _percent(settings: ImportSettings) -> str:
    return f"max_rejected_percent ({settings.max_rejected_percent:g} %)"


def _rows(settings: ImportSettings) -> str:
    return f"max_rejected_rows ({settings.max_rejected_rows:,})"
