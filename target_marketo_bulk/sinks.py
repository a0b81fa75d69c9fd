"""Sinks: the records of one stream, made into rows."""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import InvalidRecord
from singer_sdk.sinks import Sink
from typing_extensions import override

from target_marketo_bulk.cells import UnsendableValueError
from target_marketo_bulk.keys import Key, Keys
from target_marketo_bulk.preflight import DELETED_AT, EMAIL_FIELD, is_column
from target_marketo_bulk.row_plan import NO_LOOKUP_VALUE, Column, RowPlan, UndecidedError
from target_marketo_bulk.spool import OversizedRowError
from target_marketo_bulk.validator import PlainFirstValidator

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_marketo_bulk.import_file import Layout
    from target_marketo_bulk.load import Load
    from target_marketo_bulk.row_plan import TypeTest
    from target_marketo_bulk.target import TargetMarketoBulk

SDK_METADATA = frozenset(
    {
        "_sdc_extracted_at",
        "_sdc_received_at",
        "_sdc_batched_at",
        "_sdc_deleted_at",
        "_sdc_sequence",
        "_sdc_table_version",
        "_sdc_sync_started_at",
    }
)
"""Properties the SDK takes out of a record before it is validated."""

PLANS_MAX = 10_000
"""Orders of properties remembered for one stream."""

TOGETHER_MIN = 4
"""Fewer records than this are not worth being turned into columns."""

TOGETHER_MAX = 500
"""More are not turned into columns at once; a BATCH file may have any number."""

NOT_UNICODE = "text with half a surrogate pair, which is not Unicode"


class LeadSink(Sink):
    """Takes any stream as leads: every property that is not metadata is a column."""

    def __init__(
        self,
        target: TargetMarketoBulk,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        self._load: Load = target.load
        self._plain_validator: PlainFirstValidator | None = None
        super().__init__(target, stream_name, schema, key_properties)
        self._plans: dict[tuple[str, ...], RowPlan] = {}
        self._refused: dict[str, Any] | None = None

    def check_columns(self) -> None:
        """Return if every property of the schema can be imported.

        Raises: ConfigurationError naming those that cannot.
        """
        names = [name for name in self.schema["properties"] if is_column(name)]
        self._load.catalog.resolve(names, stream=self.stream_name)

    @property
    @override
    def is_full(self) -> bool:
        # The spool closes its files by their size and age; rows are not collected here.
        return False

    @override
    def get_validator(self) -> PlainFirstValidator | None:
        if self.validate_schema:
            self._plain_validator = PlainFirstValidator(self.schema)
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

        Those that have the same properties and follow each other become rows together, column by
        column, unless there is anything about one of them that asks for a look by itself.
        """
        for names, group in groupby(records, key=tuple):
            while alike := list(islice(group, TOGETHER_MAX)):
                if not self._take_together(names, alike):
                    self._take_singly(alike)

    def _take_together(self, names: tuple[str, ...], records: Sequence[dict[str, Any]]) -> bool:
        """Spool plain records; return False, and spool none, if one of them is not plain."""
        plan = self._plans.get(names)
        # Without a plan the first of them is to make one, or to end the run, by itself.
        if plan is None or len(records) < TOGETHER_MIN:
            return False
        if DELETED_AT in names and any(record[DELETED_AT] is not None for record in records):
            return False
        layout = plan.layout
        try:
            columns = plan.columns(records, checked=self._plain_validator is not None)
            lines = layout.row_format.encode_columns(columns)
        except (UndecidedError, ValueError):  # no value of a cell, or no Unicode
            return False
        keys = Keys(columns[layout.lookup_index])
        if not all(keys.folded):
            return False
        if self._load.add_new(layout, keys, lines):
            self._load.tally.records += len(records)
            return True
        for record, key, line in zip(records, keys, lines, strict=True):
            # A signal may end the run at any of them.
            self._load.tally.records += 1
            self._add(record, layout, key, line)
        return True

    def _take_singly(self, records: Sequence[dict[str, Any]]) -> None:
        needs_validation = self._plain_validator is not None
        for record in records:
            if not self._load.ignores(record):
                self._write(record, needs_validation=needs_validation)

    @override
    def _parse_timestamps_in_record(self, *args: object, **kwargs: object) -> None:
        # A cell is text, so a date-time stays the text it came as.
        return

    @override
    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
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

    def _check_keys(self, record: dict[str, Any]) -> None:
        """Raise as the SDK does, unless only the lookup value is missing: that is a reject."""
        lookup = self._load.settings.lookup_field.casefold()
        if any(key not in record and key.casefold() != lookup for key in self._key_properties):
            super()._singer_validate_message(record)

    def _refuse(self, record: dict[str, Any], error: InvalidRecord) -> None:
        self._refused = record
        self._load.reject(record, _misfit(error))

    def _write(self, record: dict[str, Any], *, needs_validation: bool) -> None:
        plan = self._plans.get(tuple(record)) or self._plan(record)
        if plan is None:
            self._load.reject(record, NO_LOOKUP_VALUE)
            return
        layout = plan.layout
        try:
            cells = self._checked_cells(plan, record) if needs_validation else plan.cells(record)
            key = _key_of(cells[layout.lookup_index])
            self._add(record, layout, key, layout.row_format.encode(cells))
        except InvalidRecord as error:
            self._load.reject(record, _misfit(error))
        except UnicodeEncodeError:
            self._load.reject(record, NOT_UNICODE)
        except UnsendableValueError as error:
            self._load.reject(record, str(error))

    def _add(self, record: dict[str, Any], layout: Layout, key: Key, line: bytes) -> None:
        try:
            self._load.add(layout, key, line)
        except OversizedRowError as error:
            self._load.reject(record, str(error))

    def _checked_cells(self, plan: RowPlan, record: dict[str, Any]) -> list[Any]:
        try:
            return plan.checked_cells(record)
        except UndecidedError:
            if self._plain_validator is not None:
                self._plain_validator.judge(_without_sdk_metadata(record))
            return plan.cells(record)

    def _plan(self, record: dict[str, Any]) -> RowPlan | None:
        """Work out, and remember, how records with these properties become rows."""
        self._check_keys(record)
        sent = [name for name in record if is_column(name)]
        columns = self._load.catalog.resolve(sent, stream=self.stream_name)
        if self._load.settings.lookup_field not in columns.values():
            return None
        layout = self._load.layout(columns.values())
        names_by_column = {column: name for name, column in columns.items()}
        plan = RowPlan(
            layout,
            [self._column(column, names_by_column[column]) for column in layout.columns],
            tests=self._tests(record),
        )
        if len(self._plans) >= PLANS_MAX:
            self._plans.clear()
        self._plans[tuple(record)] = plan
        return plan

    def _column(self, column: str, name: str) -> Column:
        return Column(
            name,
            self.schema["properties"].get(name, {}),
            null_cell=self._load.settings.null_cell,
            is_lookup=column == self._load.settings.lookup_field,
            is_email=column.casefold() == EMAIL_FIELD,
        )

    def _tests(self, record: dict[str, Any]) -> dict[str, TypeTest] | None:
        """Return the tests that decide on records with these properties; None if they cannot."""
        if self._plain_validator is None:
            return None
        checked = _without_sdk_metadata(record)
        # Metadata the SDK does not know is validated, but is no column.
        decides = all(map(is_column, checked)) and self._plain_validator.has_required(checked)
        return self._plain_validator.tests if decides else None


def _without_sdk_metadata(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in SDK_METADATA}


def _key_of(cell: object) -> Key:
    key = Key(str(cell))
    if not key.folded:
        raise UnsendableValueError(NO_LOOKUP_VALUE)
    return key


def _misfit(error: InvalidRecord) -> str:
    return f"the record does not fit its schema: {error.error_message}"
