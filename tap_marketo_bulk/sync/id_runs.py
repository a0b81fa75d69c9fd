"""Id runs: ids as ascending ranges, cheap to change and to write."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Run = tuple[int, int]


class IdRuns:
    """A set of ids that keeps ranges as ranges; `str()` is `1001-1010,1044`.

    Shape: runs are inclusive and do not touch. Their texts are kept, so that writing many runs of
        which few have changed costs one join.
    """

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        """Take runs in ascending order that do not overlap; neighbours become one."""
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in runs:
            if self._lasts and self._lasts[-1] == first - 1:
                self._lasts[-1] = last
            else:
                self._firsts.append(first)
                self._lasts.append(last)
        self._texts = list(map(_text, self._firsts, self._lasts))
        self._text: str | None = None

    @classmethod
    def of(cls, ids: Iterable[int]) -> IdRuns:
        """Return the runs of ids in any order."""
        return cls((i, i) for i in sorted(set(ids)))

    def __iter__(self) -> Iterator[Run]:
        return zip(self._firsts, self._lasts, strict=True)

    def __bool__(self) -> bool:
        return bool(self._firsts)

    @override
    def __str__(self) -> str:
        if self._text is None:
            self._text = ",".join(self._texts)
        return self._text

    def add(self, new: int) -> None:
        """Put an id in; one that is there already changes nothing."""
        at = bisect_right(self._firsts, new)
        if at and self._lasts[at - 1] >= new:
            return
        begin, end, first, last = at, at, new, new
        if at and self._lasts[at - 1] == new - 1:
            begin, first = at - 1, self._firsts[at - 1]
        if at < len(self._firsts) and self._firsts[at] == new + 1:
            end, last = at + 1, self._lasts[at]
        self._replace(begin, end, [(first, last)])

    def remove(self, old: int) -> None:
        """Take an id out; one that is not there changes nothing."""
        at = bisect_right(self._firsts, old) - 1
        if at < 0 or self._lasts[at] < old:
            return
        first, last = self._firsts[at], self._lasts[at]
        left = [run for run in ((first, old - 1), (old + 1, last)) if run[0] <= run[1]]
        self._replace(at, at + 1, left)

    def _replace(self, begin: int, end: int, runs: list[Run]) -> None:
        self._firsts[begin:end] = [first for first, _ in runs]
        self._lasts[begin:end] = [last for _, last in runs]
        self._texts[begin:end] = [_text(*run) for run in runs]
        self._text = None


def _text(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
