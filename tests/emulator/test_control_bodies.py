"""Bodies of control calls: JSON whatever it is called, and nothing but what is expected."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator.api.body import Shape
from marketo_emulator.api.control import ACTIONS

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from marketo_emulator.api.actions import Action
    from tests.emulator.harness import Marketo

PYTHON_WORDS = re.compile(
    r"argument|NoneType|'str'|'int'|\bobject is\b|Traceback|\(\)|supported between|__|<class"
)
WRONG_VALUES: tuple[Any, ...] = (None, True, "text", -1, 1.5, [], {}, [1], 10**300, "")


def call(marketo: Marketo, action: Action, body: object, content_type: str = "") -> TestResponse:
    """Send a body to an action, whose path leads to something that is there or not."""
    path = re.sub(r"<int:program_id>", "1003", action.path)
    path = re.sub(r"<[\w:]+>", "1", path)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return marketo.wire.open(
        f"/_emulator{path}",
        method=action.method,
        data=content,
        content_type=content_type or "application/json",
    )


def name_of(action: Action) -> str:
    """Return how a test of this action is called."""
    return f"{action.method} {action.path}"


every_action = pytest.mark.parametrize("action", ACTIONS, ids=name_of)


@pytest.mark.fault(
    "T9.2",
    "a control call has JSON under another content type, or a body that means nothing to it",
    "the body counts as JSON; a wrong one gets 400, what was wrong and what is expected",
)
@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense", " "],
)
def test_body_counts_whatever_its_content_type(marketo: Marketo, content_type: str) -> None:
    """As `curl -d` sends it, without a header."""
    action = next(action for action in ACTIONS if action.path == "/clock/advance")
    reply = call(marketo, action, {"seconds": 60}, content_type)
    assert reply.get_json()["now"] == "2026-06-15T18:01:00+00:00"


@every_action
def test_what_is_no_json_is_refused(marketo: Marketo, action: Action) -> None:
    """By every call, with what it expects."""
    before = summary(marketo)
    bodies = (b"{", b"seconds=60", b"\xff\xfe", b"NaN", b'{"a": Infinity}', b"[" * 100_000)
    for body in bodies:
        reply = call(marketo, action, body)
        assert reply.status_code == 400
        assert "the body is no JSON" in reply.get_json()["error"]
        assert str(action.shape) in reply.get_json()["error"]
    assert summary(marketo) == before


@every_action
def test_what_is_no_object_is_refused(marketo: Marketo, action: Action) -> None:
    """By every call."""
    before = summary(marketo)
    for body in (1, "text", None, True, [1], ["a"]):
        reply = call(marketo, action, body)
        assert reply.status_code == 400
        assert f"expects {action.shape}" in reply.get_json()["error"]
    assert summary(marketo) == before


@every_action
def test_unknown_keys_are_refused(marketo: Marketo, action: Action) -> None:
    """By every call, also by those that take no body; field values may have any name."""
    reply = call(marketo, action, {"colour": 1})
    error = reply.get_json()["error"]
    assert reply.status_code in {400, 404}
    assert not PYTHON_WORDS.search(error)
    if action.shape.rest is None:
        assert reply.status_code == 400
        assert "colour" in error or "missing" in error
        assert f"expects {action.shape}" in error


@pytest.mark.fault(
    "T9.3",
    "`clock/advance`, or another control call, gets a value it cannot use",
    "the answer names the key, the value and what it must be, in no words of Python",
)
@every_action
def test_values_of_another_kind_are_refused(marketo: Marketo, action: Action) -> None:
    """Every key of every call, with every kind of value that it does not take."""
    required = {
        name: "x"
        for name, parameter in action.shape.parameters.items()
        if parameter.required and parameter.kind.fits("x")
    }
    for key, parameter in action.shape.parameters.items():
        for value in WRONG_VALUES:
            if parameter.kind.fits(value):
                continue
            reply = call(marketo, action, {**required, key: value})
            error = reply.get_json()["error"]
            assert reply.status_code == 400
            assert not PYTHON_WORDS.search(error)
            assert f'"{key}" is ' in error or "is missing" in error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, '"seconds" is missing'),
        ({"seconds": "60"}, '"seconds" is "60", not number from 0 to 3162240000'),
        ({"seconds": -1}, '"seconds" is -1, not number'),
        ({"seconds": None}, '"seconds" is null, not number'),
        ({"seconds": [60]}, '"seconds" is a list, not number'),
        ({"seconds": True}, '"seconds" is true, not number'),
        ({"second": 60}, '"seconds" is missing'),
        ({"seconds": 60, "minutes": 1}, 'there is no "minutes"'),
    ],
)
def test_clock_says_what_it_expects(marketo: Marketo, body: object, error: str) -> None:
    """In words of JSON, and the clock stays where it was."""
    action = next(action for action in ACTIONS if action.path == "/clock/advance")
    text = call(marketo, action, body).get_json()["error"]
    assert text.startswith(error)
    assert 'POST /_emulator/clock/advance expects a JSON object {"seconds": number' in text
    assert summary(marketo)["now"] == "2026-06-15T18:00:00+00:00"


def test_clock_has_an_end(marketo: Marketo) -> None:
    """However often a century is skipped."""
    action = next(action for action in ACTIONS if action.path == "/clock/advance")
    replies = [call(marketo, action, {"seconds": 3_162_240_000}) for _ in range(80)]
    assert replies[-1].status_code == 400
    assert replies[-1].get_json()["error"] == "a clock cannot go past 9000"


def test_shape_reads_like_a_body() -> None:
    """Optional keys have a question mark."""
    assert str(Shape()) == "no body"
    faults = next(action for action in ACTIONS if action.list_key)
    assert str(faults.shape).endswith("or a list of them")
    others = next(action for action in ACTIONS if action.path == "/others")
    assert '"queued_exports"?: integer from 0' in str(others.shape)


def summary(marketo: Marketo) -> dict[str, object]:
    """Return the counts of everything."""
    return dict(marketo.wire.get("/_emulator").get_json())
