"""Spool: the open import files, one for each set of columns."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_marketo_bulk.import_file import ImportFile, Layout, OpenFile

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_marketo_bulk.keys import Key, Keys

OPEN_FILES_MAX = 400
"""Sets of columns collected at once; a further one sends off the file unused for longest."""

SPOOL_MAX_BYTES = 1_000_000_000
"""Disk space for all open files; beyond it the largest is sent off."""

INDEX_MAX_BYTES = 40_000_000
"""Memory for the lookup values of all open files: 250 000 of 30 characters."""


class OversizedRowError(ValueError):
    """A row that no file can hold."""


class Spool:
    """Rows on their way into files.

    Files are numbered in the order they were opened. A file with a row that is older than a row of
    the same lookup value in another file is always handed over first, so whoever sends
    the files in that order, and waits where two share a lookup value, never puts an older value
    upon a newer one.
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
        self._open: dict[Layout, OpenFile] = {}
        self._newest: OpenFile | None = None
        # Which file has the newest row of a lookup value; kept only while several are open.
        self._newest_units: dict[str, int] = {}
        self._index_bytes = 0
        self._spooled_bytes = 0
        self.last_unit = 0
        self._uses = 0
        self._is_thrashing = False
        self.replaced_rows = 0

    def add(self, layout: Layout, key: Key, line: bytes) -> None:
        """Put a row into the file of its columns.

        Raises: OversizedRowError when the row alone would reach the limit.
        """
        file = self._open.get(layout)
        if file is None or not self._takes(file, key, line):
            file = self._reopen(layout, len(line))
        before = file.index_bytes, file.spooled_bytes
        self.replaced_rows += file.put(key, line)
        if len(self._open) > 1:
            self._newest_units[key.folded] = file.unit
            self._uses += 1
            file.used_at = self._uses
        self._index_bytes += file.index_bytes - before[0]
        self._spooled_bytes += file.spooled_bytes - before[1]
        if self._index_bytes > self._index_limit_bytes():
            self._close(max(self._open.values(), key=lambda each: each.index_bytes))
        elif self._spooled_bytes > SPOOL_MAX_BYTES:
            self._close(max(self._open.values(), key=lambda each: each.spooled_bytes))

    def add_new(self, layout: Layout, keys: Keys, lines: Sequence[bytes]) -> bool:
        """Put rows into the file of their columns, all at once.

        Return False, and put none, if one of them asks for more than being appended to the only
        open file, or would be the last one in it: each is to be added by itself then.
        """
        file = self._open.get(layout)
        if file is None or len(self._open) > 1:
            return False
        size_bytes = sum(map(len, lines))
        if (
            file.size_bytes + size_bytes >= self.limit_bytes
            or self._spooled_bytes + size_bytes > SPOOL_MAX_BYTES
            or self._index_bytes + keys.index_bytes > self._index_limit_bytes()
            or not file.put_new(keys, lines)
        ):
            return False
        self._index_bytes += keys.index_bytes
        self._spooled_bytes += size_bytes
        return True

    def close_expired(self) -> None:
        """Hand over every file that has been open for the longest time allowed."""
        latest = self._clock() - self._max_age_seconds
        for file in [each for each in self._open.values() if each.opened_at <= latest]:
            self._close(file)

    def close_all(self) -> None:
        """Hand over every file, in the order they were opened."""
        for file in list(self._open.values()):
            self._close(file)

    def discard(self) -> None:
        """Throw every open file away."""
        for file in self._open.values():
            file.close()
        self._open.clear()
        self._newest_units.clear()
        self._newest = None

    def _takes(self, file: OpenFile, key: Key, line: bytes) -> bool:
        line_bytes = len(line)
        # The plain sum first: it is right for every row that replaces none.
        if (
            file.size_bytes + line_bytes >= self.limit_bytes
            and file.size_with(key, line_bytes) >= self.limit_bytes
        ):
            return False
        if file.has_other_spelling(key):
            return False
        return file is self._newest or self._newest_units.get(key.folded, 0) <= file.unit

    def _reopen(self, layout: Layout, line_bytes: int) -> OpenFile:
        if len(layout.header) + line_bytes >= self.limit_bytes:
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
            self._newest_units = dict.fromkeys(only.folded_keys, only.unit)
        self.last_unit += 1
        self._newest = OpenFile(
            self.last_unit, layout, opened_at=self._clock(), slack_bytes=self.limit_bytes
        )
        self._open[layout] = self._newest
        self._spooled_bytes += self._newest.spooled_bytes
        return self._newest

    def _index_limit_bytes(self) -> int:
        # Many small tables, and the one over all of them, take twice what one large table does.
        return self._index_max_bytes if len(self._open) == 1 else self._index_max_bytes // 2

    def _make_room(self) -> None:
        if not self._is_thrashing:
            self._is_thrashing = True
            logger.warning(
                "many_property_sets open=%d: records with ever different sets of properties make "
                "many small imports (said once)",
                len(self._open),
            )
        self._close(min(self._open.values(), key=lambda each: each.used_at))

    def _close(self, file: OpenFile) -> None:
        if self._open.get(file.layout) is not file:
            return
        for older in list(self._open.values()):
            if older is file:
                break
            if not older.folded_keys.isdisjoint(file.folded_keys):
                self._close(older)
        del self._open[file.layout]
        self._index_bytes -= file.index_bytes
        self._spooled_bytes -= file.spooled_bytes
        self._forget(file)
        if file is self._newest:
            self._newest = next(reversed(self._open.values()), None)
        self._hand_over(file.finish())

    def _forget(self, file: OpenFile) -> None:
        """Drop a closed file's lookup values: no older open file has one of them."""
        if len(self._open) < 2:  # noqa: PLR2004  # with one file there is no order to keep
            self._newest_units.clear()
            return
        for key in file.folded_keys:
            if self._newest_units.get(key) == file.unit:
                del self._newest_units[key]
