"""Extract: the rows of one file, in each form that an output may want."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import override

from tap_marketo_bulk.output.chunks import in_chunks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

CHUNK_RECORDS = 500


class ArrowRows(NamedTuple):
    """Record batches and their schema, both Arrow's."""

    schema: Any
    batches: Iterator[Any]


class Extract(abc.ABC):
    """The rows of one file, and what to do when all of them have been written."""

    @abc.abstractmethod
    def chunks(self) -> Iterator[Sequence[Any]]:
        """Return the rows, a few hundred at a time, as objects that encode to a record."""

    @abc.abstractmethod
    def records(self) -> Iterator[dict[str, Any]]:
        """Return the same rows as dictionaries."""

    @abc.abstractmethod
    def written(self) -> None:
        """Take note that every row has been written."""

    @property
    @abc.abstractmethod
    def title(self) -> Sequence[str]:
        """Return what tells this extract from others, the same whenever it is read again."""

    @abc.abstractmethod
    def arrow_rows(self) -> ArrowRows | None:
        """Return the same rows as columns; None if there is no file."""


class RecordsExtract(Extract):
    """Records that come from no file; of an iterator they can be read once."""

    def __init__(self, records: Iterable[dict[str, Any]], title: Sequence[str]) -> None:
        self._records = records
        self._title = title

    @override
    def chunks(self) -> Iterator[Sequence[Any]]:
        return in_chunks(iter(self._records), CHUNK_RECORDS)

    @override
    def records(self) -> Iterator[dict[str, Any]]:
        return iter(self._records)

    @override
    def written(self) -> None:
        """There is no bookmark to move."""

    @property
    @override
    def title(self) -> Sequence[str]:
        return self._title

    @override
    def arrow_rows(self) -> ArrowRows | None:
        return None
