"""Sinks: the records of one stream, made into rows."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import InvalidRecord, MissingKeyPropertiesError
from singer_sdk.sinks import Sink
from typing_extensions import override

from target_marketo_bulk.files.spool import OversizedRowError
from target_marketo_bulk.records.cell_text import UnsendableValueError
from target_marketo_bulk.records.column_catalog import DELETED_AT, is_column
from target_marketo_bulk.records.lookup_keys import Key, Keys, fold
from target_marketo_bulk.records.plan_book import PlanBook
from target_marketo_bulk.records.property_types import inlined
from target_marketo_bulk.records.reasons import Reason, misfit, own
from target_marketo_bulk.records.row_plan import NO_LOOKUP_VALUE, Column, RowPlan, UndecidedError
from target_marketo_bulk.records.rows import Rows
from target_marketo_bulk.records.sdk_metadata import without_sdk_metadata
from target_marketo_bulk.records.validator import PlainFirstValidator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_marketo_bulk.intake import Intake
    from target_marketo_bulk.records.destination import Destination
    from target_marketo_bulk.records.layout import Layout
    from target_marketo_bulk.records.row_plan import TypeTest
    from target_marketo_bulk.target import TargetMarketoBulk

TOGETHER_MIN = 4
"""Fewer records than this are not worth being turned into columns."""

TOGETHER_MAX = 500
"""More are not turned into columns at once; a BATCH file may have any number."""

TOO_LARGE = "the row is too large for a file"
NOT_UNICODE = "text with half a surrogate pair, which is not Unicode"


class ImportSink(Sink):
    """Takes any stream: every property that is not metadata is a column of an import."""

    def __init__(
        self,
        target: TargetMarketoBulk,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        self._intake: Intake = target.load.intake
        self._plain_validator: PlainFirstValidator | None = None
        super().__init__(target, stream_name, schema, key_properties)
        self._plans = PlanBook(self._plan)
        self._columns: dict[tuple[str, str], Column] = {}
        self._refused: dict[str, Any] | None = None
        self._columns_of_null: dict[str, list[str]] = {}

    @cached_property
    def _destination(self) -> Destination:
        return self._intake.destination(self.stream_name)

    def check_columns(self) -> None:
        """Return if every property of the schema can be imported.

        Raises: ConfigurationError naming those that cannot.
        """
        names = [name for name in self.schema["properties"] if is_column(name)]
        self._resolve(names)

    def take_nulls_apart(self, columns_of_objects: Mapping[str, Sequence[str]]) -> None:
        """Have an object that is null become a null in each of its columns."""
        known = self.schema["properties"]
        self._columns_of_null = {
            name: [column for column in columns if column in known]
            for name, columns in columns_of_objects.items()
            if name not in known
        }

    @property
    @override
    def is_full(self) -> bool:
        # The spool closes its files by their size and age; rows are not collected here.
        return False

    @override
    def get_validator(self) -> PlainFirstValidator | None:
        if self.validate_schema:
            self._plain_validator = PlainFirstValidator(self.schema, stream=self.stream_name)
        return self._plain_validator

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        self.take(context.get("records", ()))

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        if record is not self._refused:
            self._write(record, needs_validation=False)

    def take(self, records: Iterable[dict[str, Any]]) -> None:
        """Check and spool records as the SDK's own loop would, at a fraction of its price.

        Those that have the same properties become rows together, column by column, but for those
        about which there is anything that asks for a look by itself. Where sets of properties take
        turns, records are held back until there are enough of one set.
        """
        alike = list(records)
        names = list(map(tuple, alike))
        if not names:
            return
        if names.count(names[0]) < len(names):
            self._intake.held.hold(self._planned(names, alike), self._take_alike)
            return
        self._intake.held.release()
        plan = self._plans.known(names[0])
        if plan is None:
            # The first of them is to make one, or to end the run, by itself.
            self._take_singly(alike[:1])
            plan = self._plans.known(names[0])
            del alike[:1]
        for start in range(0, len(alike), TOGETHER_MAX):
            self._take_alike(plan, alike[start : start + TOGETHER_MAX])

    def _planned(
        self, names: Sequence[tuple[str, ...]], records: Sequence[dict[str, Any]]
    ) -> Iterator[tuple[RowPlan, str, dict[str, Any]]]:
        """Yield records with their plans and lookup values; take those that can have no plan."""
        known, find = self._plans.known, self._plans.find
        for order, record in zip(names, records, strict=True):
            plan = known(order) or find(record)
            if plan is None:
                self._take_singly([record])
            else:
                yield plan, fold(str(record[plan.lookup_name])), record

    def _take_alike(self, plan: RowPlan | None, records: Sequence[dict[str, Any]]) -> None:
        if plan is None or len(records) < TOGETHER_MIN:
            self._take_singly(records)
            return
        odd = _deleted(records)
        try:
            rows = Rows.of(plan, records, odd, checked=self._plain_validator is not None)
        except (UndecidedError, ValueError):  # no value of a cell, or no Unicode
            self._take_singly(records)
            return
        start = 0
        for end in [*sorted(odd), len(records)]:
            self._add_together(plan.layout, rows.part(start, end), records[start:end])
            self._take_singly(records[end : end + 1])
            start = end + 1

    def _add_together(self, layout: Layout, rows: Rows, records: Sequence[dict[str, Any]]) -> None:
        if self._add_new(layout, rows):
            return
        # The first may only have had to open a file.
        self._add_one_by_one(layout, rows.part(0, 1), records[:1])
        rest = rows.part(1, len(records))
        if not self._add_new(layout, rest):
            self._add_one_by_one(layout, rest, records[1:])

    def _add_new(self, layout: Layout, rows: Rows) -> bool:
        added = not rows.lines or self._intake.add_new(layout, Keys(rows.lookup_values), rows.lines)
        self._intake.tally.records += len(rows.lines) * added
        return added

    def _add_one_by_one(
        self, layout: Layout, rows: Rows, records: Sequence[dict[str, Any]]
    ) -> None:
        keys = Keys(rows.lookup_values)
        for record, key, line in zip(records, keys, rows.lines, strict=True):
            # A signal may end the run at any of them.
            self._intake.tally.records += 1
            self._add(record, layout, key, line)

    def _take_singly(self, records: Sequence[dict[str, Any]]) -> None:
        needs_validation = self._plain_validator is not None
        for record in records:
            if not self._intake.ignores(self.stream_name, record):
                self._write(record, needs_validation=needs_validation)

    @override
    def _parse_timestamps_in_record(self, *args: object, **kwargs: object) -> None:
        # A cell is text, so a date-time stays the text it came as.
        return

    @override
    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        for name in self._columns_of_null.keys() & record.keys():
            if record[name] is None:
                del record[name]
                for column in self._columns_of_null[name]:
                    record.setdefault(column, None)
        if self._plain_validator is not None:
            try:
                self._plain_validator.validate(record)
            except InvalidRecord as error:
                self._refuse(record, error)
        return record

    @override
    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        if record is not self._refused:
            self._check_keys(record)

    def _check_keys(self, record: Mapping[str, Any]) -> None:
        """Return if the record has its key; a lookup value alone may be missing: that is a reject.

        Raises: MissingKeyPropertiesError naming the stream, and none of the record's own words.
        """
        lookups = {name.casefold() for name in self._destination.lookup_fields}
        missing = [name for name in self._key_properties if name not in record]
        if any(name.casefold() not in lookups for name in missing):
            raise MissingKeyPropertiesError(
                f"stream {self.stream_name!r}: a record lacks {', '.join(missing)}, which are "
                "key_properties of its SCHEMA. Have the tap send them, or leave them out of the key"
            )

    def _refuse(self, record: dict[str, Any], error: InvalidRecord) -> None:
        self._refused = record
        self._intake.reject(record, misfit(error, self.schema["properties"]))

    def _write(self, record: dict[str, Any], *, needs_validation: bool) -> None:
        plan = self._plans.find(record)
        if plan is None:
            self._intake.reject(record, own(NO_LOOKUP_VALUE))
            return
        layout = plan.layout
        try:
            cells = self._checked_cells(plan, record) if needs_validation else plan.cells(record)
            key = _key_of(layout, cells)
            self._add(record, layout, key, layout.row_format.encode(cells))
        except InvalidRecord as error:
            self._intake.reject(record, misfit(error, self.schema["properties"]))
        except UnicodeEncodeError:
            self._intake.reject(record, own(NOT_UNICODE))
        except UnsendableValueError as error:
            self._intake.reject(record, own(str(error)))

    def _add(self, record: dict[str, Any], layout: Layout, key: Key, line: bytes) -> None:
        try:
            self._intake.add(layout, key, line)
        except OversizedRowError as error:
            self._intake.reject(record, Reason(str(error), TOO_LARGE))

    def _checked_cells(self, plan: RowPlan, record: dict[str, Any]) -> list[Any]:
        try:
            return plan.checked_cells(record)
        except UndecidedError:
            if self._plain_validator is not None:
                self._plain_validator.judge(without_sdk_metadata(record))
            return plan.cells(record)

    def _plan(self, record: Mapping[str, Any]) -> RowPlan | None:
        """Work out how records with these properties become rows."""
        self._check_keys(record)
        sent = [name for name in record if is_column(name)]
        columns = self._resolve(sent)
        if not {*columns.values()}.issuperset(self._destination.lookup_fields):
            return None
        layout = self._intake.layout(self._destination, columns.values())
        names_by_column = {column: name for name, column in columns.items()}
        return RowPlan(
            layout,
            [self._column(column, names_by_column[column]) for column in layout.columns],
            tests=self._tests(record),
        )

    def _resolve(self, names: Iterable[str]) -> Mapping[str, str]:
        return self._destination.catalog.resolve(
            names, stream=self.stream_name, keys=self.key_properties or ()
        )

    def _column(self, column: str, name: str) -> Column:
        known = self._columns.get((column, name))
        if known is None:
            known = self._columns[column, name] = Column(
                name,
                inlined(self.schema["properties"].get(name), self.schema),
                null_cell=self._intake.null_cell,
                is_lookup=column in self._destination.lookup_fields,
                is_email=self._destination.catalog.is_ascii_only(column),
                data_type=self._destination.catalog.data_type(column),
            )
        return known

    def _tests(self, record: Mapping[str, Any]) -> dict[str, TypeTest] | None:
        """Return the tests that decide on records with these properties; None if they cannot."""
        if self._plain_validator is None:
            return None
        checked = without_sdk_metadata(record)
        # Metadata the SDK does not know is validated, but is no column.
        decides = all(map(is_column, checked)) and self._plain_validator.has_required(checked)
        return self._plain_validator.tests if decides else None


def _deleted(records: Sequence[dict[str, Any]]) -> set[int]:
    """Return the numbers of records that announce a deletion; all have the same properties."""
    if DELETED_AT not in records[0]:
        return set()
    return {number for number, record in enumerate(records) if record[DELETED_AT] is not None}


def _key_of(layout: Layout, cells: Sequence[object]) -> Key:
    texts = [str(cells[index]) for index in layout.lookup_indexes]
    if not all(map(str.strip, texts)):
        raise UnsendableValueError(NO_LOOKUP_VALUE)
    return Key(layout.joined(texts))
