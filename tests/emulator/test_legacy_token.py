"""The token in query or form, the way that is on its way out."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.harness import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

CREATE = "/bulk/v1/program/members/export/create.json"
IMPORT = "/bulk/v1/leads.json"
REQUEST = {"fields": ["leadId"], "filter": {"programId": 1001}}


def file() -> tuple[BytesIO, str]:
    """Return a file with one lead."""
    return BytesIO(b"email,firstName\nnew@example.com,Ann\n"), "leads.csv"


@pytest.fixture
def open_marketo(make: Callable[..., Marketo]) -> Marketo:
    """Return an emulator that takes the token from anywhere."""
    return make(token_in_query_allowed=True)


@pytest.mark.fault(
    "T9.1",
    "`access_token` comes in the query or the form of an import",
    "the emulator reads the file all the same",
)
@pytest.mark.parametrize("place", ["query", "form", "both", "header"])
@pytest.mark.parametrize("parameters_in", ["query", "form"])
def test_import_takes_the_token_from_anywhere(
    open_marketo: Marketo, place: str, parameters_in: str
) -> None:
    """Wherever the token and the parameters are, the lead arrives."""
    token = {"access_token": open_marketo.token}
    query: dict[str, Any] = token if place in {"query", "both"} else {}
    form: dict[str, Any] = token if place in {"form", "both"} else {}
    (query if parameters_in == "query" else form).update({"format": "csv"})
    headers = {"Authorization": f"Bearer {open_marketo.token}"} if place == "header" else {}
    reply = open_marketo.wire.post(
        IMPORT, query_string=dict(query), data={**form, "file": file()}, headers=headers
    )
    assert reply.get_json()["result"][0]["status"] == "Queued"
    open_marketo.clock.advance(600)
    assert "new@example.com" in {lead["email"] for lead in open_marketo.emulator.store.leads()}


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("POST", CREATE, {"json": REQUEST}),
        ("GET", "/bulk/v1/program/members/export.json", {}),
        ("GET", "/rest/asset/v1/programs.json", {}),
    ],
)
def test_other_calls_take_the_token_from_the_query(
    open_marketo: Marketo, method: str, path: str, more: dict[str, Any]
) -> None:
    """A body of JSON is still there for the call."""
    query = {"access_token": open_marketo.token}
    reply = open_marketo.wire.open(path, method=method, query_string=query, **more)
    assert reply.get_json()["success"] is True


def test_form_of_a_call_without_body_may_hold_the_token(open_marketo: Marketo) -> None:
    """As curl sends it with -d or with -F."""
    export_id = open_marketo.create(["leadId"], programId=1001)
    path = f"/bulk/v1/program/members/export/{export_id}"
    data = {"access_token": open_marketo.token}
    plain = open_marketo.wire.post(f"{path}/enqueue.json", data=data)
    multipart = open_marketo.wire.post(
        f"{path}/cancel.json", data=data, content_type="multipart/form-data"
    )
    assert plain.get_json()["result"][0]["status"] == "Queued"
    assert multipart.get_json()["result"][0]["status"] == "Cancelled"


def test_tunnelled_call_may_hold_the_token_in_its_form(open_marketo: Marketo) -> None:
    """The form that stands for a long query carries it as well."""
    data = {"_method": "GET", "access_token": open_marketo.token, "maxReturn": "3"}
    reply = open_marketo.wire.post("/rest/asset/v1/programs.json", data=data)
    assert len(reply.get_json()["result"]) == 3


@pytest.mark.parametrize("allowed", [True, False])
def test_import_without_any_token_is_refused(
    make: Callable[..., Marketo], *, allowed: bool
) -> None:
    """And so is one whose parts cannot be told apart, since no token is found in them."""
    marketo = make(token_in_query_allowed=allowed)
    whole = marketo.wire.post(IMPORT, data={"file": file()})
    broken = marketo.wire.post(IMPORT, data=b"x", content_type="multipart/form-data")
    assert [refusal(reply.get_json())[0] for reply in (whole, broken)] == ["601", "601"]


def test_wrong_tokens_are_told_as_ever(open_marketo: Marketo) -> None:
    """Invented is 601, expired 602, in a form too."""
    invented = open_marketo.wire.post(IMPORT, data={"file": file(), "access_token": "x"})
    open_marketo.emulator.expire_tokens()
    token = {"access_token": open_marketo.token}
    expired = open_marketo.wire.post(IMPORT, data={"file": file(), **token})
    assert [refusal(reply.get_json())[0] for reply in (invented, expired)] == ["601", "602"]


def test_broken_multipart_with_the_token_in_the_query_is_613(open_marketo: Marketo) -> None:
    """As with a header."""
    reply = open_marketo.wire.post(
        IMPORT,
        query_string={"access_token": open_marketo.token},
        data=b"nonsense",
        content_type="multipart/form-data",
    )
    assert refusal(reply.get_json())[0] == "613"


def test_token_of_a_form_stays_out_of_the_log(open_marketo: Marketo) -> None:
    """Like that of a header or a query."""
    token = {"access_token": open_marketo.token}
    open_marketo.wire.post(IMPORT, data={"file": file(), **token})
    open_marketo.wire.post(IMPORT, data={"file": file()}, query_string=token)
    assert open_marketo.token not in str([vars_of.to_json() for vars_of in requests(open_marketo)])


def requests(marketo: Marketo) -> list[Any]:
    """Return the log."""
    return list(marketo.emulator.requests)


def test_form_that_is_too_long_is_413(open_marketo: Marketo) -> None:
    """Also one that asks to be taken for a GET."""
    data = {"_method": "GET", "filterValues": "1," * (1 << 20)}
    reply = open_marketo.wire.post("/rest/asset/v1/programs.json", data=data)
    assert reply.status_code == 413
