from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketo_bulk import Clock, MarketoBulkError
from marketo_bulk.errors.disclosure import (
    HIDDEN,
    OTHER_REASON,
    reason_class,
    shown_id,
    shown_words,
)
from marketo_bulk.http.protocol import Reply, Request, decode
from marketo_bulk.http.retries import Retries
from marketo_bulk.jobs import ExportJob, ImportJob, checked_job_id
from marketo_emulator.wire.errors import ALREADY_QUEUED, IMPORTS_FULL, QUEUE_FULL, TEXTS

# None of these is in a phrase below.
TELLING = "zxjZXJ0123456789@éß"
VALUES = st.text(f"{TELLING}'\"\\\n\t ,;:[]()", min_size=1, max_size=40)
PHRASES = st.sampled_from(
    [
        "{}",
        "{!r} is too long",
        "Invalid value '{}'. Required of type 'Integer'",
        "Invalid data in field City: {}",
        "Invalid data type in field {}",
        "Field '{}' not found",
        "missing.dedupe.fields {}",
        "{}: Value for lookup field 'email' not found",
    ]
)
CHANGES = st.sampled_from([str, str.lower, str.upper, str.strip, str.title, repr])


@given(VALUES, PHRASES, CHANGES, st.integers(1, 40), st.sampled_from(["", "city", "email"]))
def test_no_piece_of_a_value_is_shown(
    value: str, phrase: str, change: type[str], cut: int, column: str
) -> None:
    """Whatever the case, the cut and the quotes: of a value nothing comes through."""
    text = phrase.format(change(value)[:cut])
    for shown in (shown_words(text, [column]), reason_class(text, [column])):
        assert not set(shown) & set(TELLING)


@pytest.mark.parametrize(
    "text",
    [
        *TEXTS.values(),
        ALREADY_QUEUED,
        QUEUE_FULL,
        IMPORTS_FULL.format(10),
        "Unsupported filter type",
    ],
)
def test_words_of_marketos_own_errors_are_shown(text: str) -> None:
    """Nothing but numbers is missing from what Marketo is known to say."""
    hidden = [word for word in shown_words(text).split() if HIDDEN in word]
    assert all(word.strip(f"'{HIDDEN}") == "" for word in hidden)
    assert len(hidden) == sum(any(map(str.isdigit, word)) for word in text.split())


@pytest.mark.parametrize(
    ("text", "names", "shown"),
    [
        ("Invalid fields [fooBar, email]", ("fooBar",), "Invalid fields [fooBar, email]"),
        ("Invalid fields [fooBar]", (), "Invalid fields […]"),
        ("Access denied to partition 'North 7'", ("North 7",), None),
        ("Access denied to partition 'North 7'", (), "Access denied to partition '…'"),
        ("Batch '3401' not found", ("3401",), None),
        ("", (), ""),
        ("jane.doe@example.com, +1 555 0100", (), "…"),
    ],
)
def test_names_of_the_request_are_shown(
    text: str, names: tuple[str, ...], shown: str | None
) -> None:
    """What the request itself named may be repeated; anything else is one mark."""
    assert (text if shown is None else shown) == shown_words(text, names)


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("Invalid data type in field Lead Score", "invalid data type (leadScore)"),
        ("Invalid data type in field Jane", "invalid data type"),
        ("Invalid email address", "invalid e-mail address"),
        ("missing.dedupe.fields", "no value for the lookup field"),
        ("Value for lookup field 'email' not found", "no lead with the value of the lookup field"),
        (" value TOO LONG in field leadScore", "value too long (leadScore)"),
        ("Jane is not welcome", OTHER_REASON),
        ("", OTHER_REASON),
    ],
)
def test_reason_of_marketo_is_one_of_a_few(reason: str, shown: str) -> None:
    """A class, and the column if it is one that was sent."""
    assert shown == reason_class(reason, ["email", "leadScore"])


SAID = ("jane.doe@example.com", "+1 555 0100", "Jane Doe", "12 Elm\nStreet")


@pytest.mark.parametrize("said", SAID)
def test_a_code_status_or_id_that_is_none_is_not_shown(
    said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A gateway may put anything in their place."""
    caplog.set_level("DEBUG")
    body = {"success": False, "requestId": said, "errors": [{"code": said, "message": said}]}
    with pytest.raises(MarketoBulkError) as caught:
        decode("op", Reply(200, {}, json.dumps(body).encode()))
    retries = Retries(300, Clock(sleep=lambda _: None))
    with contextlib.suppress(MarketoBulkError):
        retries.wait_or_raise(caught.value, Request("GET", "/x", "op"))
    assert "op: " in caplog.text
    with pytest.raises(MarketoBulkError) as odd_id:
        checked_job_id(said)
    job = ExportJob.parse({"exportId": "e1", "status": said, "fileChecksum": said})
    imported = ImportJob.parse({"batchId": 1, "status": said})
    shown = [str(caught.value), str(odd_id.value), job.shown_status, imported.shown_status]
    text = " ".join([*shown, caplog.text])
    assert [word for word in said.split() if len(word) > 2 and word in text] == []


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("e42b#14272d07d78", "e42b#14272d07d78"),
        ("mBuRuhbmTJNbkVyZkR0YiDpb0Yxb0N1q", "mBuRuhbmTJNbkVyZkR0YiDpb0Yxb0N1q"),
        ("6f1c0c54-3b0e-4b7a-9d52-0f2f6a0c3e11", "6f1c0c54-3b0e-4b7a-9d52-0f2f6a0c3e11"),
        ("jane", "…"),
        ("a1@b2", "…"),
        ("1" * 500, "…"),
    ],
)
def test_ids_of_calls_are_shown_if_they_have_the_form_of_one(said: str, shown: str) -> None:
    """Marketo's support asks for them."""
    assert shown_id(said) == shown


@pytest.mark.parametrize("status", ["Queued", "Importing", "Complete", "Canceled", "Paused"])
def test_words_of_a_status_are_shown(status: str) -> None:
    """Also one this version does not know."""
    assert ImportJob.parse({"batchId": 1, "status": status}).shown_status == status
