from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketo_bulk.errors import (
    ConcurrencyLimitError,
    DecodeError,
    EmptyAnswerError,
    MarketoBulkError,
    MarketoFault,
    NotFoundError,
    PayloadTooLargeError,
    RejectedError,
    ServiceUnavailableError,
    TokenExpiredError,
)
from marketo_bulk.http.json_body import NESTED_MAX, json_of
from marketo_bulk.http.protocol import Reply, Request, decode, is_file, raise_for_non_file

JSON = {"content-type": "application/json;charset=UTF-8"}
HTML = {"content-type": "text/html"}


def reply(content: object, status: int = 200) -> Reply:
    """Return a JSON answer."""
    return Reply(status, JSON, json.dumps(content).encode())


def test_success_is_an_envelope() -> None:
    """All members of a success are found, and only those sent."""
    envelope = decode(
        "op",
        reply(
            {
                "requestId": "a#1",
                "success": True,
                "result": [{"id": 1}],
                "nextPageToken": "t",
                "moreResult": False,
                "warnings": ["w", {"code": 1, "message": "x"}],
            }
        ),
    )
    expected = ("a#1", ({"id": 1},), "t", False, ("w", "x"))
    assert expected == (
        envelope.request_id,
        envelope.result,
        envelope.next_page_token,
        envelope.more_result,
        envelope.warnings,
    )


def test_success_without_anything_is_an_envelope() -> None:
    """A22: errors, warnings and result are left out when empty."""
    envelope = decode("op", reply({"success": True}))
    assert (
        envelope.request_id,
        envelope.result,
        envelope.next_page_token,
        envelope.more_result,
        envelope.warnings,
    ) == (None, None, None, True, ())


@pytest.mark.parametrize("result", [{}, {"result": []}, {"result": None}])
def test_one_of_nothing_is_a_passing_error(result: dict[str, object]) -> None:
    """A22: where there is always a result, none is a fault of Marketo's."""
    envelope = decode("op", reply({"success": True, "requestId": "a#1"} | result))
    with pytest.raises(EmptyAnswerError) as caught:
        envelope.one()
    assert caught.value.request_id == "a#1"


@pytest.mark.parametrize(
    ("content", "status", "expected", "code"),
    [
        ({"success": False, "errors": [{"code": "601"}]}, 200, TokenExpiredError, "601"),
        ({"success": False, "errors": [{"code": 615}]}, 200, ConcurrencyLimitError, "615"),
        ({"success": False, "errors": [{"code": "610"}]}, 404, NotFoundError, "610"),
        ({"success": True, "errors": [{"code": "610"}]}, 200, NotFoundError, "610"),
        ({"success": False, "errors": []}, 200, RejectedError, None),
        ({"success": False}, 200, RejectedError, None),
        ({"success": False, "errors": "x"}, 200, RejectedError, None),
        ({"success": False, "errors": ["x"]}, 200, RejectedError, ""),
        ({"success": False, "errors": [{}]}, 200, RejectedError, ""),
        ({"success": False, "errors": [{"code": "1"}]}, 413, PayloadTooLargeError, "1"),
        ({"error": "unauthorized"}, 401, TokenExpiredError, None),
        ({}, 503, ServiceUnavailableError, None),
        ({"success": True}, 500, ServiceUnavailableError, None),
        ({}, 200, DecodeError, None),
        ({"success": "true"}, 200, DecodeError, None),
        ({"success": 1}, 200, DecodeError, None),
        ([], 200, DecodeError, None),
        ("success", 200, DecodeError, None),
        ({"success": True, "result": {}}, 200, DecodeError, None),
        ({"success": True, "result": [1]}, 200, DecodeError, None),
    ],
    ids=repr,
)
def test_json_answers(
    content: object, status: int, expected: type[MarketoBulkError], code: str | None
) -> None:
    """A21, A23: each combination of status and envelope is one error."""
    with pytest.raises(MarketoBulkError) as caught:
        decode("op", reply(content, status))
    assert (expected, code, "op") == (
        type(caught.value),
        caught.value.code,
        caught.value.answer.operation,
    )


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (b"<html>Bad Gateway</html>", 200, ServiceUnavailableError),
        (b"<html>Bad Gateway</html>", 502, ServiceUnavailableError),
        (b"<html>Bad Gateway</html>", 404, NotFoundError),
        (b"Not found", 404, NotFoundError),
        (b"", 200, ServiceUnavailableError),
        (b"", 204, ServiceUnavailableError),
        (b"", 413, PayloadTooLargeError),
        (b'{"success": tr', 200, ServiceUnavailableError),
        (b'{"success": true, "result": [{"a": "\xff"}]}', 200, ServiceUnavailableError),
        (b"[" * 100_000, 200, ServiceUnavailableError),
        (b"9" * 5000, 200, (ServiceUnavailableError, DecodeError)),
        (b"Forbidden", 403, RejectedError),
    ],
    ids=[
        "A16",
        "A17",
        "html 404",
        "text 404",
        "empty",
        "204",
        "413",
        "A26",
        "not UTF-8",
        "deep",
        "long number",
        "403",
    ],
)
def test_answers_that_are_no_json(
    body: bytes, status: int, expected: type[MarketoBulkError]
) -> None:
    """What is no JSON is known by its status; with status 200 it passes."""
    with pytest.raises(expected):
        decode("op", Reply(status, HTML, body))


@pytest.mark.parametrize(
    ("body", "is_read"),
    [
        (b"[" * NESTED_MAX + b"]" * NESTED_MAX, True),
        (b"[" * (NESTED_MAX + 1) + b"]" * (NESTED_MAX + 1), False),
        (b'{"a":' * (NESTED_MAX + 1) + b"1" + b"}" * (NESTED_MAX + 1), False),
        (b"[" + b",".join([b"[{}]"] * 1000) + b"]", True),
        (b'["' + b"[{" * 1000 + b'"]', True),
        (b'["\\"' + b"[" * 1000 + b'", "' + b"]" * 1000 + b'"]', True),
        (b'["' + b"[" * 100_000, False),
        (b"[" * 100_000, False),
    ],
)
def test_depth_has_one_limit_under_every_python(body: bytes, is_read: object) -> None:
    """Brackets inside text are none; Python's own reader would recurse as deep as it can."""
    if is_read:
        assert json_of(body) == json.loads(body)
    else:
        with pytest.raises(ValueError, match=r"nested deeper|Unterminated"):
            json_of(body)


def test_body_of_a_page_is_not_repeated() -> None:
    """A proxy's page may repeat the token it was sent; the error must not."""
    with pytest.raises(ServiceUnavailableError) as caught:
        decode("op", Reply(502, HTML, b"<html>Authorization: Bearer abc"))
    assert str(caught.value) == (
        "op: HTTP status 502, text/html, 31 bytes that are no JSON. "
        "Marketo may be back later: run again"
    )


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://user:pass@elsewhere.example/x?token=1", "redirected to elsewhere.example "),
        ("/login", "redirected to another address "),
        ("", "redirected to another address "),
    ],
)
def test_redirect_names_the_host_alone(location: str, shown: str) -> None:
    """A redirect is an error that says where to, but not with which secrets."""
    with pytest.raises(RejectedError) as caught:
        decode("op", Reply(302, {"location": location}, b""))
    assert shown in str(caught.value)
    assert "pass" not in str(caught.value)
    assert "token=1" not in str(caught.value)


def test_all_faults_are_kept() -> None:
    """The first fault gives the class, the others are there to be read."""
    errors = [{"code": "1003", "message": "a"}, {"code": "606", "message": "b"}]
    with pytest.raises(RejectedError) as caught:
        decode("op", reply({"success": False, "errors": errors}))
    assert (MarketoFault("1003", "a"), MarketoFault("606", "b")) == caught.value.faults


@given(st.binary(max_size=200), st.integers(100, 599))
def test_any_bytes_decode_or_raise_ours(body: bytes, status: int) -> None:
    """Garbage in, only our own errors out."""
    with suppress(MarketoBulkError):
        decode("op", Reply(status, {}, body))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["success", "errors", "result", "code", "message", "requestId", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON_VALUES, st.sampled_from([200, 302, 404, 500]))
def test_any_json_decodes_or_raises_ours(content: object, status: int) -> None:
    """Envelopes of any shape give a value or one of our errors, and a printable one."""
    shown = ""
    try:
        decode("op", reply(content, status))
    except MarketoBulkError as error:
        shown = str(error)
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("content_type", "start", "expected"),
    [
        ("text/csv", b"leadId,", True),
        ("text/csv;charset=UTF-8", b"leadId,", True),
        ("application/octet-stream", b"leadId,", True),
        ("", b"leadId,", True),
        ("text/csv", b"", True),
        ("text/csv", b'"{a}"', True),
        ("application/json;charset=UTF-8", b"leadId,", False),
        ("Text/HTML", b"leadId,", False),
        ("application/xml", b"leadId,", False),
        ("text/csv", b'{"success"', False),
        ("text/csv", b" \n{", False),
        ("text/csv", b"<html>", False),
    ],
)
def test_file_is_told_from_an_error(content_type: str, start: bytes, *, expected: bool) -> None:
    """F11, C§14.29: neither the status nor the type nor the first byte alone is proof."""
    assert expected is is_file(content_type, start)


def test_success_in_place_of_a_file_passes() -> None:
    """An envelope without an error is still not the file."""
    with pytest.raises(ServiceUnavailableError, match="instead of the file"):
        raise_for_non_file("op", reply({"success": True, "requestId": "a#1"}))


def test_request_hides_its_body_and_encodes_its_query() -> None:
    """A body may be a secret or personal; a query value may hold anything."""
    request = Request("POST", "/x.json", "op", query=(("a", "1&b=2"), ("c", "é"))).with_json(
        {"secret": "täst"}
    )
    assert request.address == "/x.json?a=1%26b%3D2&c=%C3%A9"
    assert request.body == '{"secret":"täst"}'.encode()
    assert "secret" not in repr(request)
    assert Request("GET", "/x.json", "op").address == "/x.json"
