"""Root: what all errors of this package are, and what of an answer they show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from marketo_bulk.errors.answers import Answer, one_line
from marketo_bulk.errors.disclosure import shown_code, shown_words

if TYPE_CHECKING:
    from collections.abc import Hashable

    from marketo_bulk.errors.answers import MarketoFault


class MarketoBulkError(Exception):
    """The root of all errors of this package.

    `message` holds Marketo's own words where there are any, and is not for logs; `str(error)` is
    one line that says what happened, on what, under which request id, and what to do. Of
    Marketo's words it holds only those that cannot be a person's data. `concerns_all` says whether
    whatever else is asked for would meet the same; `subject` is what the call was for, if the
    caller has said so, and `owner` whose work it was, where there is work of several.
    """

    remedy: ClassVar[str] = ""
    concerns_all: ClassVar[bool] = False

    def __init__(self, message: str, *, answer: Answer | None = None, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.answer = answer or Answer()
        self.advice = remedy or self.remedy
        self.subject = ""
        self.owner: Hashable = None
        self.attempts = 1
        self.waited_seconds = 0.0

    @property
    def faults(self) -> tuple[MarketoFault, ...]:
        """All entries of the answer's `errors` list, in its order."""
        return self.answer.faults

    @property
    def code(self) -> str | None:
        """The first fault's code, or None when the answer was not an envelope."""
        return self.answer.faults[0].code if self.answer.faults else None

    @property
    def request_id(self) -> str | None:
        """Marketo's id of the call: the one its support asks for."""
        return self.answer.request_id

    @property
    def http_status(self) -> int | None:
        """The answer's HTTP status, or None when there was no answer."""
        return self.answer.http_status

    @property
    def said(self) -> str:
        """What Marketo answered, or what we say in its place; fit for a log."""
        if not self.faults:
            return self.message
        return "; ".join(
            f"{shown_code(fault.code)} {shown_words(fault.message, self.answer.names)}".strip()
            for fault in self.faults
        )

    def name(self, names: tuple[str, ...]) -> None:
        """Take note of names the request held, which Marketo's words may be about."""
        self.answer = replace(self.answer, names=names)

    @override
    def __str__(self) -> str:
        subject = f"{self.subject}: " if self.subject else ""
        operation = f"{self.answer.operation}: " if self.answer.operation else ""
        request = f" (request {self.request_id})" if self.request_id else ""
        tried = (
            f", after {self.attempts} attempts in {self.waited_seconds:.0f} s"
            if self.attempts > 1
            else ""
        )
        advice = f". {self.advice}" if self.advice else ""
        return one_line(f"{subject}{operation}{self._what()}{request}{tried}{advice}")

    def _what(self) -> str:
        if not self.faults:
            return self.message
        ours = "" if self.message == self.faults[0].message else f"{self.message}: "
        return f"{ours}Marketo answered {self.said}"


class ConfigurationError(MarketoBulkError, ValueError):
    """The settings cannot work.

    Remedy: Correct the setting, the catalog or the state as the line says.
    """

    concerns_all = True
