"""Exits: how a command ends when something has gone wrong, one line and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from marketo_bulk.errors import DailyQuotaExceededError, MarketoBulkError

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

EXIT_FAILED = 1
EXIT_TRY_LATER = 75
"""The daily quota is used up: what sysexits.h calls a temporary failure."""


def exit_code_of(error: Exception) -> int:
    """Return what a command ends with that an error has stopped."""
    return EXIT_TRY_LATER if isinstance(error, DailyQuotaExceededError) else EXIT_FAILED


@contextlib.contextmanager
def errors_on_one_line(logger: logging.Logger) -> Iterator[None]:
    """Log an error of ours without a traceback and end the process.

    Raises: SystemExit with 75 when a daily quota stopped the run, 1 for anything else of ours.
    """
    try:
        yield
    except MarketoBulkError as error:
        logger.error("%s", error)  # noqa: TRY400  # the user needs the sentence, not our stack
        sys.exit(exit_code_of(error))
    except BrokenPipeError:
        logger.error("the reader of stdout has gone; the run ends here")  # noqa: TRY400
        # Python would flush stdout once more on the way out, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
