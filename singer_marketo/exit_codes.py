"""Exit codes: what a command ends with, and what whoever started it does then."""

from __future__ import annotations

from dataclasses import dataclass

EXIT_FAILED = 1
EXIT_TRY_LATER = 75
"""The daily quota is used up: what sysexits.h calls a temporary failure."""

SIGNALLED = 128


@dataclass(frozen=True, slots=True)
class ExitCode:
    """An exit code, or a range of them, for docs/errors.md."""

    shown: str
    outcome: str
    cause: str
    remedy: str


EXIT_CODES = (
    ExitCode("0", "succeeded", "all is done", "Nothing needs to be done"),
    ExitCode(
        str(EXIT_FAILED),
        "failed",
        "an error has ended the run; one line says which",
        "Do what the line says",
    ),
    ExitCode(
        str(EXIT_TRY_LATER),
        "try_later",
        "a daily quota of Marketo's is used up",
        "Run again after the reset, which the line names",
    ),
    ExitCode(
        f"{SIGNALLED} + n",
        "stopped",
        "signal n has stopped the run (130: SIGINT, 143: SIGTERM)",
        "Run again: the next run goes on where this one stopped",
    ),
)


def outcome_of(exit_code: int) -> str:
    """Return the word of the outcome file for an exit code."""
    if exit_code == EXIT_TRY_LATER:
        return "try_later"
    if exit_code > SIGNALLED:
        return "stopped"
    return "failed" if exit_code else "succeeded"
