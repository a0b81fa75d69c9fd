from __future__ import annotations

import inspect
import re

import pytest

from marketo_bulk import errors
from marketo_bulk.errors import (
    Answer,
    ConfigurationError,
    DecodeError,
    JobFailedError,
    MarketoBulkError,
    MarketoFault,
    RejectedError,
    ServiceUnavailableError,
)


def classes() -> list[type[MarketoBulkError]]:
    """Return all error classes."""
    return [
        member
        for _name, member in inspect.getmembers(errors, inspect.isclass)
        if issubclass(member, MarketoBulkError)
    ]


def test_tree_in_the_docstring_is_the_tree() -> None:
    """Every class is drawn below its base class, and nothing else is drawn."""
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        names = re.findall(r"\b[A-Z]\w+Error\b", line)
        if not names:
            continue
        depth = (len(line) - len(line.lstrip("│├└─ "))) // 4
        path = [*path[:depth], names[0]]
        for name in names:
            drawn[name] = path[depth - 1] if depth else "Exception"
    actual = {member.__name__: member.__bases__[0].__name__ for member in classes()}
    assert actual == drawn


def test_error_says_what_on_what_which_request_and_what_to_do() -> None:
    """One line holds all a person needs to act."""
    error = RejectedError(
        "Access denied",
        answer=Answer(
            "describe leads", (MarketoFault("603", "Access denied"),), "e42b#14272d07d78"
        ),
        remedy="Give the role the permission",
    )
    expected = (
        "describe leads: Marketo answered 603 Access denied (request e42b#14272d07d78). "
        "Give the role the permission"
    )
    assert expected == str(error)


def test_error_without_an_answer_says_its_message_and_its_class_s_remedy() -> None:
    """Where Marketo said nothing, our own words stand."""
    error = ServiceUnavailableError("no answer (ReadTimeout)", answer=Answer("list programs"))
    error.attempts, error.waited_seconds = 7, 300.4
    expected = (
        "list programs: no answer (ReadTimeout), after 7 attempts in 300 s. "
        "Marketo may be back later: run again"
    )
    assert (expected, None, None, None) == (
        str(error),
        error.code,
        error.request_id,
        error.http_status,
    )


def test_error_stays_on_one_line_of_bounded_length() -> None:
    """A peer's words cannot break a log."""
    text = str(MarketoBulkError("a\nERROR forged\x1b[31m " + "x" * 5000))
    assert text.startswith("a ERROR forged [31m x")
    assert (len(text), text.isprintable()) == (1001, True)


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("1003", "Invalid fields [site, billingStreet]", ("site", "billingStreet")),
        ("1003", "Invalid field [site,]", ("site",)),
        ("1003", "Empty file", ()),
        ("1006", "Invalid fields [site]", ()),
    ],
)
def test_invalid_fields_are_named(code: str, message: str, expected: tuple[str, ...]) -> None:
    """J16: the fields an export refuses can be read off the error."""
    error = RejectedError(message, answer=Answer("op", (MarketoFault(code, message),)))
    assert expected == error.invalid_fields


def test_configuration_error_is_a_value_error() -> None:
    """Whoever checks settings may catch what they already know."""
    assert issubclass(ConfigurationError, ValueError)


def test_job_error_carries_the_job() -> None:
    """The id and the status can be read without taking the message apart."""
    error = JobFailedError("export ce45 failed", job_id="ce45", status="Failed")
    assert (error.job_id, error.status, str(error)) == ("ce45", "Failed", "export ce45 failed")


def test_decode_error_keeps_the_value_out_of_the_message() -> None:
    """A record's value is for the code that asks, not for a log."""
    error = DecodeError("line 3, column age: not an integer", line=3, column="age", value="secret")
    assert (error.line, error.column, error.value) == (3, "age", "secret")
    assert "secret" not in str(error)
