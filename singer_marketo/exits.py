"""Exits: how a command ends when something has gone wrong, one line and an exit code."""

from __future__ import annotations

import contextlib
import signal
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click
from singer_sdk.exceptions import ConfigValidationError, MappingError, SingerSDKError
from singer_sdk.singerlib.exceptions import SingerError

from marketo_bulk.errors import DailyQuotaExceededError, MarketoBulkError, one_line
from singer_marketo.exit_codes import EXIT_FAILED, EXIT_TRY_LATER
from singer_marketo.outcome import Ended
from singer_marketo.several import SeveralError
from singer_marketo.stdout import silence_stdout

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

EVALUATOR = "simpleeval.py"
"""Where the expressions of stream maps are computed, and raise whatever Python does."""

CLICKS_OWN = (click.ClickException, click.Abort, click.exceptions.Exit)
"""How click ends a command: with the usage, or because all is done."""


def exit_code_of(error: Exception) -> int:
    """Return what a command ends with that an error has stopped."""
    return EXIT_TRY_LATER if isinstance(error, DailyQuotaExceededError) else EXIT_FAILED


def lines_of(error: Exception, plugin: str) -> list[str]:
    """Return what the user is told of an error: one line, or one for each wrong setting.

    Shape: never empty; of an error nobody has foreseen the words are left out, because they may
        hold personal data.
    """
    if isinstance(error, ConfigValidationError):
        return [one_line(fault) for fault in error.errors] or [one_line(str(error))]
    if isinstance(error, MappingError):
        return [one_line(f"stream_maps: {error}")]
    if isinstance(error, SeveralError):
        return [line for each in error.errors for line in lines_of(each, plugin)]
    if isinstance(error, MarketoBulkError | SingerSDKError | SingerError):
        return [one_line(str(error)) or type(error).__name__]
    if isinstance(error, OSError):
        return [one_line(_of_system(error))]
    return [one_line(_unforeseen(error, plugin))]


@contextlib.contextmanager
def errors_on_one_line(logger: logging.Logger) -> Iterator[None]:
    """Log an error without a traceback and end the process.

    The traceback of an error that nobody has foreseen is logged at level DEBUG.

    Raises: SystemExit with 75 when a daily quota stopped the run, 130 after Ctrl+C, 1 for anything
        else.
    """
    try:
        yield
    except CLICKS_OWN:
        raise
    except KeyboardInterrupt:
        # Before the plugin hears signals itself: click would say "Aborted!", and end with 1.
        raise SystemExit(128 + signal.SIGINT) from None
    except Exception as error:  # this is where every error ends
        lines = lines_of(error, logger.name)
        for line in lines:
            logger.error("%s", line)  # noqa: TRY400  # the user needs the sentence, not our stack
        logger.debug("Where the error came from", exc_info=True)
        # Python would flush stdout once more on the way out, and fail again.
        if isinstance(error, OSError):
            silence_stdout()
        raise Ended(exit_code_of(error), lines) from None


def _of_system(error: OSError) -> str:
    if isinstance(error, BrokenPipeError):
        return "the reader of stdout has gone; the run ends here"
    reason = error.strerror or str(error) or type(error).__name__
    return reason if error.filename is None else f"{error.filename}: {reason}"


def _unforeseen(error: Exception, plugin: str) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if any(Path(frame.filename).name == EVALUATOR for frame in frames):
        return (
            f"stream_maps: an expression ended with {type(error).__name__} on a record, whose "
            f"values are not shown; mend the expression, or let it bear such values"
        )
    place = Path(frames[-1].filename) if frames else Path()
    line = frames[-1].lineno if frames else 0
    return (
        f"unexpected {type(error).__name__} at {place.parent.name}/{place.name}:{line}: this is a "
        f"fault of {plugin}. Run again with LOGLEVEL=DEBUG for its traceback, and report it"
    )
