"""docs/errors.md says of each error why it comes and what to do, as the code does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from marketo_bulk.errors import Answer, MarketoBulkError, MarketoFault
from marketo_bulk.http.error_codes import error_for_answer, rule_for_http_status
from marketo_bulk.http.error_codes.answers import MEANINGS_OF_1029
from marketo_bulk.http.error_codes.table import RULES_BY_CODE
from scripts.error_texts import cause_of, error_texts, remedy_of
from scripts.errors_page import PAGE, STATUSES, page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketo_bulk.http.error_codes.code_rule import CodeRule

RULES = [
    *RULES_BY_CODE.items(),
    *((f"1029 {rule.error.__name__}", rule) for _, rule in MEANINGS_OF_1029),
    *((f"HTTP {shown}", rule_for_http_status(status)) for shown, status in STATUSES.items()),
]


def kinds(kind: type[MarketoBulkError]) -> Iterator[type[MarketoBulkError]]:
    """Return a class of errors and all below it."""
    yield kind
    for lower in kind.__subclasses__():
        yield from kinds(lower)


@pytest.mark.slow  # it reads every module there is
def test_the_page_is_up_to_date() -> None:
    """`nox -s docs`, or `python scripts/errors_page.py`, makes it anew."""
    assert PAGE.read_text("utf-8") == page(), "run python scripts/errors_page.py"


@pytest.mark.parametrize(("code", "rule"), RULES, ids=[code for code, _ in RULES])
def test_each_code_has_text_cause_and_remedy(code: str, rule: CodeRule) -> None:
    """A status has no text of Marketo's; all else is told, in a sentence without its full stop."""
    assert rule.says or code.startswith("HTTP")
    assert rule.cause
    assert rule.remedy or remedy_of(rule.error)
    assert not {text[-1:] for text in (rule.cause, rule.remedy)} & set(".;,")


@pytest.mark.parametrize("code", sorted(RULES_BY_CODE))
def test_a_line_ends_with_the_remedy_of_the_page(code: str) -> None:
    """What the page says of a code is what a run says."""
    error = error_for_answer("", Answer("op", (MarketoFault(code, "why"),), "id#1", 200))
    (row,) = re.findall(rf"^\| {code} \|.*", PAGE.read_text("utf-8"), re.MULTILINE)
    assert error.advice
    assert str(error).endswith(f". {error.advice}")
    assert f" | {error.advice} | " in row


def test_each_kind_of_error_says_what_to_do() -> None:
    """By its remedy, or in its docstring; one that others are made of leaves it to them."""
    assert error_texts()  # reads every module, so that every kind is there
    silent = [
        kind
        for kind in kinds(MarketoBulkError)
        if not cause_of(kind) or not (remedy_of(kind) or kind.__subclasses__())
    ]
    assert silent == []


def test_texts_are_read_with_what_differs_left_out() -> None:
    """Words of constants and variables are part of a text, values of a run are gaps."""
    texts = {error.text for error in error_texts()}
    assert "the name … cannot be resolved (…)" in texts
    assert "the pages did not end after 10000" in texts
    assert len(texts) > 120
