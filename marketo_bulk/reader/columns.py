"""A column: what one Marketo field is called in an export file and which type its cells have."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


class Kind(enum.Enum):
    """The type of a column's values, as far as it changes how a cell is read."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    STRING = "string"
    JSON = "object"


_KINDS: Mapping[str, Kind] = {
    "integer": Kind.INTEGER,
    "score": Kind.INTEGER,
    # Adobe's pages call a percent an integer, but custom percent fields hold decimals.
    "percent": Kind.NUMBER,
    "float": Kind.NUMBER,
    "currency": Kind.NUMBER,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    # Our own word, for columns that hold objects; Marketo has none.
    "json": Kind.JSON,
}


def kind_of(data_type: str) -> Kind:
    """Return how cells of a Marketo `dataType` are read, whatever its case.

    Shape: every type not listed (text, email, reference, formula, ...) is a string.
    """
    return _KINDS.get(data_type.lower(), Kind.STRING)


@dataclass(frozen=True, slots=True)
class Column:
    """A wanted output column: its REST name, how its cells are read, and labels of its header.

    Shape: `is_money` says that a number is an amount, to be kept in decimals where a file can. A
        column that stands in no file has the values of another, `of`, a column of integers, in the
        words for them.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...] = ()
    is_money: bool = False
    of: str = ""
    words: Mapping[object, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the wanted columns stand in a header.

    Shape: `positions` follows the order of the wanted columns, less those in `missing`.
    """

    positions: tuple[int, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]


def place_columns(columns: Sequence[Column], header: Sequence[str]) -> Placement:
    """Return where each of `columns` stands in `header`.

    Shape: the exact name comes first, then a label, then either in any case and spacing. Of equal
    headers the first counts. No header cell serves two columns: a second taker is missing instead,
    because which of the two is meant would be a guess.
    """
    taken: dict[int, Column] = {}
    placed: dict[str, int] = {}
    for spell, fold in _SPELLINGS:
        first = {fold(cell): index for index, cell in reversed(list(enumerate(header)))}
        for column in columns:
            if column.name in placed:
                continue
            for spelling in spell(column):
                index = first.get(fold(spelling))
                if index is not None and index not in taken:
                    taken[index] = column
                    placed[column.name] = index
                    break
    return Placement(
        positions=tuple(placed[column.name] for column in columns if column.name in placed),
        missing=tuple(column.name for column in columns if column.name not in placed),
        extra=tuple(cell for index, cell in enumerate(header) if index not in taken),
    )


def _names(column: Column) -> Iterator[str]:
    yield column.name


def _labels(column: Column) -> Iterator[str]:
    yield from column.labels


def _folded(text: str) -> str:
    # Most labels of the user interface are the name in words: `Lead Id`.
    return text.replace(" ", "").casefold()


# In order of trust: a whole round is over before the next begins, so that no column's label
# takes the cell another column names exactly.
_SPELLINGS: tuple[tuple[Callable[[Column], Iterator[str]], Callable[[str], str]], ...] = (
    (_names, str),
    (_labels, str),
    (_names, _folded),
    (_labels, _folded),
)
