from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from target_marketo_bulk.records.lookup_keys import SLICE_KEYS, Key, KeySet


def test_key_folds_case_and_blanks() -> None:
    """Two spellings that may be one lead fold alike."""
    assert Key(" Ann@Example.com ").folded == Key("ann@example.COM").folded


@given(st.sets(st.text(max_size=3)), st.sets(st.text(max_size=3)))
def test_key_sets_share_a_key_when_their_texts_do(left: set[str], right: set[str]) -> None:
    """Compact sets are disjoint exactly when the sets of texts are."""
    assert left.isdisjoint(right) == KeySet(left).isdisjoint(KeySet(right))


def test_key_sets_are_compared_beyond_one_slice() -> None:
    """A key shared far into two large sets is found."""
    count = 2 * SLICE_KEYS
    left = KeySet(f"left {number}" for number in range(count))
    right = [f"right {number}" for number in range(count)]
    assert left.isdisjoint(KeySet(right))
    assert not left.isdisjoint(KeySet([*right, f"left {count - 1}"]))
