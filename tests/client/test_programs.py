"""Pages of programs: every one is found, however Marketo cuts the pages."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketo_bulk import DecodeError
from marketo_bulk.http.protocol import Envelope, Request
from marketo_bulk.limits import PAGES_MAX, PROGRAM_PAGE_MAX
from marketo_bulk.metadata.programs import BEGINNING, iter_assets, iter_pages

# None add up to the overlap after a full page: a page that ends there is the end.
lengths = st.lists(st.sampled_from((1, 2, 11, 21, 149, 199, 200)), max_size=6)


@given(st.integers(0, 450), lengths)
def test_short_pages_do_not_end_the_list(programs: int, cut_to: list[int]) -> None:
    """Pages may be cut short wherever and however often.

    But for one that ends exactly where the full page before it did, as if the list ended there.
    """
    shorter = iter(cut_to)

    def fetch(request: Request) -> Envelope:
        offset = int(dict(request.query)["offset"])
        page = range(offset, programs)[: next(shorter, PROGRAM_PAGE_MAX)]
        return Envelope("list programs", result=tuple({"id": i} for i in page))

    assert [found["id"] for found in iter_assets(iter_pages(fetch))] == list(range(programs))


@given(st.integers(1, 450), st.integers(0, 10**6))
def test_programs_missing_from_single_pages_cost_none_of_the_others(
    programs: int, seed: int
) -> None:
    """A page that lacks what the API user cannot see is short, and no end."""
    dice = Random(seed)
    hidden = set(dice.sample(range(programs), dice.randrange(programs)))
    # Of 200 in a row some can be seen; where none can be, the list ends there for anybody.
    hidden -= set(range(0, programs, 100))

    def fetch(request: Request) -> Envelope:
        offset = int(dict(request.query)["offset"])
        page = range(offset, min(programs, offset + PROGRAM_PAGE_MAX))
        return Envelope("list programs", result=tuple({"id": i} for i in page if i not in hidden))

    seen = {found["id"] for found in iter_assets(iter_pages(fetch))}
    assert set(range(programs)) - hidden == seen


@given(st.integers(0, 450), lengths, st.lists(st.integers(1, 3), max_size=8))
def test_a_list_that_is_gone_on_with_is_the_same_list(
    programs: int, cut_to: list[int], at_a_time: list[int]
) -> None:
    """A few pages, and later a few more from where these ended: as many calls, and each once."""
    calls = 0
    shorter = iter(cut_to)

    def fetch(request: Request) -> Envelope:
        nonlocal calls, shorter
        calls += 1
        offset = int(dict(request.query)["offset"])
        page = range(offset, programs)[: next(shorter, PROGRAM_PAGE_MAX)]
        return Envelope("list programs", result=tuple({"id": i} for i in page))

    at_once = len(list(iter_pages(fetch)))
    calls, shorter = 0, iter(cut_to)
    place = BEGINNING
    seen: list[int] = []
    for number in (*at_a_time, PAGES_MAX):
        for page in islice(iter_pages(fetch, place=place, seen=seen), number):
            seen += [int(str(program["id"])) for program in page.new]
            following = page.following
        if following is None:
            break
        place = following
    assert seen == list(range(programs))
    assert calls == at_once


def pages_of(*ids: object) -> list[dict[str, object]]:
    """Return the programs of a list with these ids, as the answer has them."""

    def fetch(request: Request) -> Envelope:
        offset = int(dict(request.query)["offset"])
        return Envelope("list programs", result=tuple({"id": i} for i in ids[offset:]))

    return list(iter_assets(iter_pages(fetch)))


@pytest.mark.parametrize("said", ["1001", 1001.0, 1001], ids=repr)
def test_an_id_that_can_mean_one_thing_only_is_taken(said: object) -> None:
    """As text, or with a fraction of zeros; the same program is not there twice."""
    found = pages_of(7, said, 1001)
    assert [(type(program["id"]), program["id"]) for program in found] == [(int, 7), (int, 1001)]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (1001.5, "1001.5"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (-1, "-1"),
        (10**18, "1e+18"),
        pytest.param(10**5000, "many digits", id="5001 digits"),
        ("", "other text"),
        (" 1001", "other text"),
        ("01001", "other text"),
        ("jane.doe@example.com", "other text"),
        ("9" * 5_000, "other text"),
        ([1001], "a list"),
        ({"id": 1}, "an object"),
    ],
)
def test_an_id_that_is_none_says_which_program_and_what_came(said: object, shown: str) -> None:
    """One line, without words that are not ours."""
    with pytest.raises(DecodeError, match=r"program 2 of 3 .*a whole number") as caught:
        pages_of(7, said, 1001)
    assert shown in str(caught.value)
    assert "jane" not in str(caught.value)
