"""Lookup keys: which rows may be the same object."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

INDEX_ENTRY_BYTES = 130
"""Memory one indexed row takes besides its key's characters: string, integer and table slot."""

_HASH_MASK = (1 << 64) - 1
SLICE_KEYS = 16_384
"""Keys compared at once."""


class Key:
    """A lookup value: its text, and the folded form under which two values may be one object.

    Marketo compares e-mail addresses without regard to case, and may drop outer blanks.
    Values that fold alike are never in flight together, whatever Marketo makes of them.
    """

    __slots__ = ("folded", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = fold(text)


class Keys:
    """The lookup values of many rows, in their order."""

    __slots__ = ("_texts", "folded", "index_bytes", "respelled")

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self.folded = list(map(fold, texts))
        self.respelled = {
            folded: text for folded, text in zip(self.folded, texts, strict=True) if folded != text
        }
        """Those whose text is not the folded one."""
        self.index_bytes = index_bytes(self.folded) + index_bytes(self.respelled.values())
        """Memory an index of them takes, if no two are the same."""

    def __iter__(self) -> Iterator[Key]:
        return map(Key, self._texts)


def index_bytes(texts: Collection[str]) -> int:
    """Return the memory an index of these texts takes."""
    return sum(map(len, texts)) + len(texts) * INDEX_ENTRY_BYTES


def fold(text: str) -> str:
    """Return the form under which two lookup values may be one object."""
    return text.strip().casefold()


class KeySet:
    """The lookup keys of one file, 8 bytes each.

    Equal keys hash alike, so sets that share a key are always seen to; two different keys that
    hash alike only make one file wait for another.
    """

    __slots__ = ("_hashes",)

    def __init__(self, folded_keys: Iterable[str]) -> None:
        self._hashes = array("Q", sorted(hash(key) & _HASH_MASK for key in folded_keys))

    def __len__(self) -> int:
        return len(self._hashes)

    def isdisjoint(self, other: KeySet) -> bool:
        """Whether no key is in both."""
        small, large = sorted((self, other), key=len)
        return all(hashes.isdisjoint(large.between(low, high)) for low, high, hashes in small)

    def between(self, low: int, high: int) -> array[int]:
        """Return the hashes from low to high, both included."""
        start = bisect_left(self._hashes, low)
        return self._hashes[start : bisect_left(self._hashes, high + 1, start)]

    def __iter__(self) -> Iterator[tuple[int, int, frozenset[int]]]:
        # Slices, because a set of half a million integers takes more memory than the files do.
        for start in range(0, len(self._hashes), SLICE_KEYS):
            part = self._hashes[start : start + SLICE_KEYS]
            yield part[0], part[-1], frozenset(part)
