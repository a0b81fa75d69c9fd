"""Spool: the open import files, one for each set of columns."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from target_marketo_bulk.files.chains import Chains
from target_marketo_bulk.files.open_file import OpenFile
from target_marketo_bulk.files.spill import SpillFile

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_marketo_bulk.files.import_file import ImportFile
    from target_marketo_bulk.records.layout import Layout
    from target_marketo_bulk.records.lookup_keys import Key, Keys

OPEN_FILES_MAX = 3_000
"""Sets of columns collected at once; a further one sends off any of the files."""

SPOOL_MAX_BYTES = 1_000_000_000
"""Disk space for all open files; beyond it the largest is sent off."""

INDEX_MAX_BYTES = 40_000_000
"""Memory for the lookup values of all open files: 250 000 of 30 characters."""


class OversizedRowError(ValueError):
    """A row that no file can hold.

    Remedy: Shorten its values, or raise max_file_size_bytes.
    """


class Spool:
    """Rows on their way into files.

    Of each set of columns one file is open, and in it a lookup value has one row for each spelling,
    the last. Files are handed over in an order that keeps that of the rows of a lookup value: a
    file is preceded by those with older rows of its objects, and becomes several if rows of other
    files belong in between. Whoever sends the files in that order, and waits where two share a
    lookup value, never puts an older value upon a newer one.
    """

    def __init__(
        self,
        hand_over: Callable[[ImportFile], None],
        *,
        limit_bytes: int,
        max_age_seconds: float,
        clock: Callable[[], float],
        open_files_max: int = OPEN_FILES_MAX,
        index_max_bytes: int = INDEX_MAX_BYTES,
    ) -> None:
        self._hand_over = hand_over
        self.limit_bytes = limit_bytes
        self._max_age_seconds = max_age_seconds
        self._clock = clock
        self._open_files_max = open_files_max
        self._index_max_bytes = index_max_bytes
        self._spill = SpillFile()
        self._open: dict[Layout, OpenFile] = {}
        # Which file has the newest row of a lookup value; kept only while several are open.
        self._owners: dict[str, OpenFile] = {}
        self._chains = Chains()
        self._index_bytes = 0
        self._spooled_bytes = 0
        self.last_unit = 0
        # Whichever rule by age or use it were, some order of records would make it send one row
        # at a time.
        self._dice = Random(0)  # noqa: S311  # nothing secret about it
        self._is_thrashing = False
        self._is_splitting = False
        self.replaced_rows = 0

    def add(self, layout: Layout, key: Key, line: bytes) -> None:
        """Put a row into the file of its columns.

        Raises: OversizedRowError when the row alone would reach the limit.
        """
        file = self._open.get(layout)
        if file is None or not self._has_room(file, key, line):
            file = self._reopen(layout, len(line))
        before = file.index_bytes, file.spooled_bytes
        self._link(file, key)
        self.replaced_rows += file.put(key, line)
        self._index_bytes += file.index_bytes - before[0]
        self._spooled_bytes += file.spooled_bytes - before[1]
        if self._index_bytes > self._index_limit_bytes():
            self._close(max(self._open.values(), key=lambda each: each.index_bytes))
        elif self._spooled_bytes > SPOOL_MAX_BYTES:
            self._close(max(self._open.values(), key=lambda each: each.spooled_bytes))

    def add_new(self, layout: Layout, keys: Keys, lines: Sequence[bytes]) -> bool:
        """Put rows into the file of their columns, all at once.

        Return False, and put none, if one of them asks for more than being appended to an
        open file, or would be the last one in it: each is to be added by itself then.
        """
        file = self._open.get(layout)
        if file is None:
            return False
        size_bytes = sum(map(len, lines))
        if (
            file.size_bytes + size_bytes >= self.limit_bytes
            or self._spooled_bytes + size_bytes > SPOOL_MAX_BYTES
            or self._index_bytes + keys.index_bytes > self._index_limit_bytes()
            or not self._owners.keys().isdisjoint(keys.folded)
            or not file.put_new(keys, lines)
        ):
            return False
        if len(self._open) > 1:
            self._owners.update(dict.fromkeys(keys.folded, file))
        self._index_bytes += keys.index_bytes
        self._spooled_bytes += size_bytes
        return True

    def close_expired(self) -> None:
        """Hand over every file that has been open for the longest time allowed."""
        latest = self._clock() - self._max_age_seconds
        for file in [each for each in self._open.values() if each.opened_at <= latest]:
            self._close(file)

    def close_all(self) -> None:
        """Hand over every file."""
        for file in list(self._open.values()):
            self._close(file)

    def discard(self) -> None:
        """Throw every open file away."""
        for file in self._open.values():
            file.close()
        self._open.clear()
        self._owners.clear()
        self._chains.clear()

    def _has_room(self, file: OpenFile, key: Key, line: bytes) -> bool:
        line_bytes = len(line)
        # The plain sum first: it is right for every row that replaces none.
        return (
            file.size_bytes + line_bytes < self.limit_bytes
            or file.size_with(key, line_bytes) < self.limit_bytes
        )

    def _link(self, file: OpenFile, key: Key) -> None:
        """Note which row comes after which, if there is one that may be of the same object."""
        folded = key.folded
        former = file
        if len(self._open) > 1:
            former = self._owners.get(folded, file)
            self._owners[folded] = file
        spelling = former.spelling_of(folded)
        if spelling is None or (former is file and spelling == key.text):
            return
        before = former.index_bytes
        self._chains.add(key, file, former)
        if former is not file:
            self._index_bytes += former.index_bytes - before

    def _reopen(self, layout: Layout, line_bytes: int) -> OpenFile:
        header_bytes = len(layout.header)
        if header_bytes + line_bytes >= self.limit_bytes:
            raise OversizedRowError(
                f"the row has {line_bytes} bytes, and a file of it and its header would reach "
                f"the limit of {self.limit_bytes}"
            )
        file = self._open.get(layout)
        if file is not None:
            self._close(file)
        while len(self._open) >= self._open_files_max:
            self._make_room()
        for only in self._open.values() if len(self._open) == 1 else ():
            self._owners = dict.fromkeys(only.folded_keys, only)
        self.last_unit += 1
        file = self._open[layout] = OpenFile(
            self.last_unit,
            layout,
            opened_at=self._clock(),
            slack_bytes=self.limit_bytes,
            spill=self._spill,
        )
        self._index_bytes += file.index_bytes
        self._spooled_bytes += file.spooled_bytes
        return file

    def _index_limit_bytes(self) -> int:
        # Many small tables, and the one over all of them, take twice what one large table does.
        return self._index_max_bytes if len(self._open) == 1 else self._index_max_bytes // 2

    def _make_room(self) -> None:
        if not self._is_thrashing:
            self._is_thrashing = True
            logger.warning(
                "records come with %d sets of properties so far: each set makes imports of its own "
                "(said once)",
                len(self._open),
            )
        self._close(self._dice.choice(list(self._open.values())))

    def _close(self, file: OpenFile) -> None:
        """Hand a file over, and before it those with older rows of its objects."""
        if self._open.get(file.layout) is not file:
            return
        files = self._chains.closure(file)
        rounds = self._chains.rounds(files)
        self._chains.forget(files)
        for each in files:
            del self._open[each.layout]
            self._index_bytes -= each.index_bytes
            self._spooled_bytes -= each.spooled_bytes
            self._disown(each)
        self._send([each.finish(rounds[each.unit]) for each in files])

    def _send(self, finished: Sequence[dict[int, ImportFile]]) -> None:
        """Hand files over round by round, each time in the order given."""
        if not self._is_splitting and any(len(files) > 1 for files in finished):
            self._is_splitting = True
            first = next(file for files in finished for file in files.values())
            logger.info(
                "rows of one %s, with other properties or another spelling of its "
                "lookup value, go into files that are sent one after the other (said once)",
                first.layout.destination.object.noun,
            )
        queue = [
            replace(file, is_last=number == max(files))
            for number in sorted({number for files in finished for number in files})
            for files in finished
            if (file := files.get(number)) is not None
        ]
        with contextlib.ExitStack() as stack:
            for file in queue:
                stack.callback(file.close)
            for file in queue:
                self._hand_over(file)
            stack.pop_all()

    def _disown(self, file: OpenFile) -> None:
        """Drop a closed file's lookup values: no older open file has one of them."""
        if len(self._open) < 2:  # noqa: PLR2004  # with one file there is no order to keep
            self._owners.clear()
            return
        for key in file.folded_keys:
            if self._owners.get(key) is file:
                del self._owners[key]
