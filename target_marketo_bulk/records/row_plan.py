"""Row plans: how the records of one stream that have the same properties become rows."""

from __future__ import annotations

from itertools import compress
from operator import getitem, itemgetter
from typing import TYPE_CHECKING, Any

from target_marketo_bulk.records.cell_text import UnsendableValueError, converter_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_marketo_bulk.records.layout import Layout

    Action = Callable[[Any], object]

_NONE = type(None)

NO_LOOKUP_VALUE = "no value for the lookup field"
EMAIL_NOT_ASCII = "an e-mail address with characters other than ASCII, which Marketo does not take"


class UndecidedError(Exception):
    """A value whose validity its type does not decide."""


class Column:
    """What happens to the values of one property; shared by all plans that have it."""

    def __init__(
        self,
        name: str,
        schema: Mapping[str, Any],
        *,
        null_cell: str = "",
        is_lookup: bool = False,
        is_email: bool = False,
        data_type: str = "",
    ) -> None:
        self.name = name
        self.schema = schema
        self.null_cell = null_cell
        self.is_lookup = is_lookup
        self.is_email = is_email
        self.data_type = data_type
        self.loose = _Actions(self)
        self._checked: tuple[TypeTest | None, _Actions] | None = None

    def checked(self, test: TypeTest | None) -> _Actions:
        """Return what happens to values that this test has to accept."""
        if self._checked is None or self._checked[0] is not test:
            self._checked = test, _Actions(self, test)
        return self._checked[1]

    def action_for(self, value_type: type) -> Action | None:
        """Return what makes a cell of a value of this type; None if it can be written as it is."""
        if self.is_lookup and value_type is _NONE:
            return _refuse_null
        if self.is_email and value_type is str:
            return _ascii_only
        try:
            return converter_for(
                value_type, self.schema, null_cell=self.null_cell, data_type=self.data_type
            )
        except UnsendableValueError as error:
            return _refusal(str(error))


class RowPlan:
    """The way from a record to the cells of its row, in the order of the file's columns.

    The order of the record's properties does not matter.
    """

    __slots__ = ("_checked", "_indexes", "_loose", "_names", "_pick", "layout")

    def __init__(
        self,
        layout: Layout,
        columns: Sequence[Column],
        *,
        tests: Mapping[str, TypeTest] | None = None,
    ) -> None:
        self.layout = layout
        self._names = [column.name for column in columns]
        self._indexes = range(len(columns))
        self._loose = [column.loose for column in columns]
        self._checked = (
            None if tests is None else [each.checked(tests.get(each.name)) for each in columns]
        )
        picker = itemgetter(*self._names)
        # For one name `itemgetter` returns the value itself.
        self._pick: Callable[[Mapping[str, Any]], Iterable[Any]] = (
            picker if len(columns) > 1 else lambda record: (picker(record),)
        )

    def cells(self, record: Mapping[str, Any]) -> list[Any]:
        """Return the cells of a record that is known to be valid.

        Raises: UnsendableValueError naming the property.
        """
        return self._convert(record, self._loose)

    def checked_cells(self, record: Mapping[str, Any]) -> list[Any]:
        """Return the cells of a record if its values' types alone show that it is valid.

        Raises: UndecidedError if they do not. UnsendableValueError naming the property.
        """
        if self._checked is None:
            raise UndecidedError
        return self._convert(record, self._checked)

    @property
    def lookup_name(self) -> str:
        """The property that is the lookup value, or the first part of it."""
        return self._names[self.layout.lookup_indexes[0]]

    def columns(
        self, records: Sequence[Mapping[str, Any]], odd: set[int], *, checked: bool
    ) -> list[Sequence[str]]:
        """Return the cells of many records, by column and as text.

        Shape: what `csv.writer` writes of those of `cells`, or of `checked_cells`. Added to `odd`
        are the numbers of the records for which these raise an error; their cells are worth
        nothing.

        Raises: UndecidedError if no record can be decided on.
        """
        tables = self._checked if checked else self._loose
        if tables is None:
            raise UndecidedError
        columns = zip(*map(self._pick, records), strict=True)
        return [table.texts(column, odd) for table, column in zip(tables, columns, strict=True)]

    def _convert(self, record: Mapping[str, Any], tables: list[_Actions]) -> list[Any]:
        values = list(self._pick(record))
        actions = list(map(getitem, tables, map(type, values)))
        index = 0
        try:
            for index in compress(self._indexes, actions):  # the error names it
                values[index] = actions[index](values[index])  # type: ignore[misc]
        except UnsendableValueError as error:
            raise UnsendableValueError(f"{self._names[index]}: {error}") from None
        return values


class TypeTest:
    """The types whose values are all valid for one property, but for a bound on them."""

    __slots__ = ("is_within", "types")

    def __init__(
        self, types: frozenset[type], is_within: Callable[[Any], bool] | None = None
    ) -> None:
        self.types = types
        self.is_within = is_within

    def passes(self, value: object) -> bool:
        """Whether a value is certainly valid."""
        return type(value) in self.types and (self.is_within is None or self.is_within(value))


class _Actions(dict[type, "Action | None"]):
    """What happens to a value of each type in one column; filled as types turn up."""

    __slots__ = ("_column", "_is_checked", "_test")

    def __init__(self, column: Column, *tests: TypeTest | None) -> None:
        super().__init__()
        self._column = column
        self._is_checked = bool(tests)
        self._test = tests[0] if tests else None

    def __missing__(self, value_type: type) -> Action | None:
        action = self._column.action_for(value_type)
        if self._is_checked:
            action = self._checked(value_type, action)
        self[value_type] = action
        return action

    def texts(self, values: Sequence[Any], odd: set[int]) -> Sequence[str]:
        """Return the cells of many records, as the text `csv.writer` makes of them.

        The numbers of those that have none are added to `odd`.
        """
        try:
            return self._texts(values)
        except (UndecidedError, UnsendableValueError):
            return self._texts_but_odd(values, odd)

    def _texts_but_odd(self, values: Sequence[Any], odd: set[int]) -> list[str]:
        actions = {kind: self._text_action(kind) for kind in set(map(type, values))}
        texts = []
        for number, value in enumerate(values):
            action = actions[type(value)]
            try:
                texts.append(value if action is None else action(value))
            except (UndecidedError, UnsendableValueError):
                odd.add(number)
                texts.append("")
        return texts

    def _texts(self, values: Sequence[Any]) -> Sequence[str]:
        kinds = set(map(type, values))
        actions = {kind: self._text_action(kind) for kind in kinds}
        if not any(actions.values()):
            return values
        nothing = actions.get(_NONE)
        if nothing is not None and kinds == {str, _NONE} and actions[str] is None:
            cell = nothing(None)
            return [cell if value is None else value for value in values]
        return [
            value if (action := actions[type(value)]) is None else action(value) for value in values
        ]

    def _text_action(self, value_type: type) -> Callable[[Any], Any] | None:
        """Return what makes text of a value of this type; None for text that stays as it is."""
        action = self[value_type]
        if value_type not in {int, _NONE}:
            return action
        return _text if action is None else lambda value: _text(action(value))

    def _checked(self, value_type: type, action: Action | None) -> Action | None:
        test = self._test
        if test is None or value_type not in test.types:
            return _undecided
        return action if test.is_within is None else _bounded(test.is_within, action)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _bounded(is_within: Callable[[Any], bool], action: Action | None) -> Action:
    def convert(value: object) -> object:
        if not is_within(value):
            raise UndecidedError
        return value if action is None else action(value)

    return convert


def _refusal(reason: str) -> Action:
    def refuse(_: object) -> object:
        raise UnsendableValueError(reason)

    return refuse


def _ascii_only(value: str) -> str:
    if not value.isascii():
        raise UnsendableValueError(EMAIL_NOT_ASCII)
    return value


def _refuse_null(_: object) -> object:
    raise UnsendableValueError(NO_LOOKUP_VALUE)


def _undecided(_: object) -> object:
    raise UndecidedError
