"""Chains: the order of rows that may be the same object, where one file cannot keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_marketo_bulk.files.open_file import OpenFile
    from target_marketo_bulk.records.lookup_keys import Key

    Rounds = dict[str, dict[str, int]]

CHAIN_LINK_BYTES = 400
"""Memory one row of a chain takes."""


class Chains:
    """For each lookup value with several rows, the rows in the order of their records.

    They are in files of different columns, or have another spelling of the value. Each of them
    replaced the one before it of the same file and spelling, so a chain is never longer than there
    are of these, however many records there were.
    """

    def __init__(self) -> None:
        self._chains: dict[str, dict[tuple[int, str], OpenFile]] = {}

    def add(self, key: Key, file: OpenFile, former: OpenFile) -> None:
        """Note that a row comes after that of `former`, the newest of its lookup value so far."""
        folded = key.folded
        chain = self._chains.get(folded)
        if chain is None:
            spelling = former.spelling_of(folded)
            chain = self._chains[folded] = {(former.unit, spelling or key.text): former}
            _link(former, folded)
        if chain.pop((file.unit, key.text), None) is None:
            _link(file, folded)
        chain[file.unit, key.text] = file

    def closure(self, file: OpenFile) -> list[OpenFile]:
        """Return the file and those with rows that must be sent before one of its; in order."""
        found = {file.unit: file}
        waiting = [file]
        while waiting:
            for earlier in self._earlier(waiting.pop()):
                if earlier.unit not in found:
                    found[earlier.unit] = earlier
                    waiting.append(earlier)
        return [found[unit] for unit in sorted(found)]

    def rounds(self, files: Sequence[OpenFile]) -> dict[int, Rounds]:
        """Return the rows that cannot be sent in the first round, by file, value and spelling.

        In a round the files are sent in the order given, each at most once.
        """
        ranks = {file.unit: rank for rank, file in enumerate(files)}
        rounds: dict[int, Rounds] = {file.unit: {} for file in files}
        for folded in {folded for file in files for folded in file.chained}:
            number, last = 0, -1
            for unit, text in self._chains[folded]:
                rank = ranks.get(unit)
                if rank is None:
                    continue
                number += rank <= last
                last = rank
                if number:
                    rounds[unit].setdefault(folded, {})[text] = number
        return rounds

    def forget(self, files: Sequence[OpenFile]) -> None:
        """Drop the rows of files that were sent."""
        units = {file.unit for file in files}
        for folded in {folded for file in files for folded in file.chained}:
            chain = self._chains[folded]
            left = {link: file for link, file in chain.items() if link[0] not in units}
            if len(left) > 1:
                self._chains[folded] = left
                continue
            del self._chains[folded]
            for file in left.values():
                file.chained.discard(folded)

    def clear(self) -> None:
        """Drop all."""
        self._chains.clear()

    def _earlier(self, file: OpenFile) -> Iterator[OpenFile]:
        for folded in file.chained:
            links = list(self._chains[folded].values())
            last = max(place for place, each in enumerate(links) if each is file)
            yield from links[:last]


def _link(file: OpenFile, folded: str) -> None:
    file.chained.add(folded)
    file.index_bytes += CHAIN_LINK_BYTES
