"""Export stream: the class that all streams of bulk export share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from marketo_bulk import ConfigurationError
from marketo_bulk.reader.columns import Kind
from tap_marketo_bulk.archive.manifest import Manifest
from tap_marketo_bulk.output.record_loop import BulkStream
from tap_marketo_bulk.output.value_checks import ValueChecks
from tap_marketo_bulk.streams.fields import column_of
from tap_marketo_bulk.streams.property_schema import PropertySchema
from tap_marketo_bulk.streams.stream_rules import INCREMENTAL
from tap_marketo_bulk.sync.asked import Asked, shown_names
from tap_marketo_bulk.sync.backfill import taken_back
from tap_marketo_bulk.sync.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from marketo_bulk import Column, FinishedExport
    from tap_marketo_bulk.output.extract import Extract
    from tap_marketo_bulk.streams.description import StreamDescription
    from tap_marketo_bulk.sync.plan import Unit
    from tap_marketo_bulk.sync.tally import RunTally
    from tap_marketo_bulk.tap import TapMarketoBulk  # noqa: TID251  # for its type alone

MONEY = "currency"
"""Marketo's type of amounts of money: in a Parquet file they are decimals."""


class ExportStream(BulkStream):
    """A stream of bulk export, as its description says."""

    def __init__(self, tap: TapMarketoBulk, description: StreamDescription) -> None:
        self.selected_by_default = description.is_selected
        # An archive tells the fields of its files; Marketo is not asked.
        self._fields = (
            description.fields()
            if tap.replay is None
            else description.archived_fields(tap.replay.columns(description.object))
        )
        self.optional_fields = frozenset(self._fields.optional)
        super().__init__(tap, schema=self._fields.schema(), name=description.names.stream)
        self.description = description
        self.primary_keys = tuple(description.keys)
        self.replication_key = description.names.bookmark
        self._marketo_tap = tap
        self._asked: Asked | None = None

    @property
    def is_incremental(self) -> bool:
        """Whether a run goes on from the bookmarks of the one before."""
        return self.replication_method == INCREMENTAL

    @property
    def is_limited(self) -> bool:
        """Whether only a few records are wanted."""
        return self.ABORT_AT_RECORD_COUNT is not None

    @property
    def money(self) -> frozenset[str]:
        """Return the fields that hold amounts of money."""
        return frozenset(f.name for f in self._fields.described if f.data_type.lower() == MONEY)

    @property
    @override
    def is_versioned(self) -> bool:
        # An archive does not tell what is gone.
        return super().is_versioned and self._marketo_tap.replay is None

    @override
    def extracts(self) -> Iterator[Extract]:
        tap = self._marketo_tap
        if tap.replay is not None:
            self.description.check_archive()
            yield from tap.replay.extracts(self.selection(), self.description.names, tap.settings)
            return
        for extract in tap.exports.extracts(self):
            self._archive(extract.finished)
            yield extract

    def _archive(self, finished: FinishedExport[Unit]) -> None:
        """Keep a file before its records go out: nothing is in the table that is not there."""
        tap = self._marketo_tap
        if tap.archive is None or finished.file is None:
            return
        described = {field.name: field for field in self._fields.described}
        brought = dict.fromkeys((*finished.request.fields, *self.description.object.comes_anyway))
        manifest = Manifest.of(
            finished,
            finished.file,
            instance=tap.instance_name,
            columns=[described[name] for name in brought if name in described],
            created_at=finished.job.created_at or tap.client.server_now(),
            keep_from=finished.work.keep_from,
            activity_types=self.description.activity_types,
            key=self.description.keys,
        )
        tap.archive.keep(finished.file, manifest)

    @override
    def leave(self, error: BaseException) -> None:
        if self.failures.spare_others(error):
            self._marketo_tap.exports.give_up(self)
        else:
            self._marketo_tap.exports.leave()

    def put_state(self, state: Mapping[str, Any]) -> None:
        """Take over the state of the stream, to be written."""
        current = self.stream_state
        current.clear()
        current.update(state)
        self.state_manager.is_flushed = False

    def write_state(self) -> None:
        """Write a STATE message, if there is anything new in it."""
        self._write_state_message()

    def report(self, tally: RunTally, calls: int) -> None:
        """Log what a run of the stream has done."""
        self.logger.info("%s", tally.line(calls))
        for point in tally.points(calls, self.name):
            self._log_metric(point)

    def compare_with_last_run(self, selection: Selection) -> None:
        """Say what this run asks for that the bookmarks are not about."""
        settings = self._marketo_tap.settings
        terms = self.description.filters(settings).terms
        columns = self.made_columns()
        asked = Asked.of(selection.fields(), terms, settings.start_date, columns)
        before = Asked.from_state(self.tap_state, self.name)
        if before is not None:
            asked = asked.after(before)
            if "replication_key_value" in self.stream_state:
                asked = self._with_history(asked, before)
        # With the next STATE, also where there is nothing to do: it has been said.
        self._put_asked(asked)

    def made_columns(self) -> Sequence[str] | None:
        """Return the selected columns that are no fields of an export; None if there are none."""
        made = self._fields.made
        return [name for name in made if self.mask["properties", name]] if made else None

    def _with_history(self, asked: Asked, before: Asked) -> Asked:
        """Take the bookmarks back if new fields are to get their history; else say what lacks."""
        settings, names = self._marketo_tap.settings, self.description.names
        new = asked.new_fields(before)
        if not new or not settings.backfill_new_fields or self.is_limited:
            asked.warn_of_more_than(before, names)
            return asked
        state = taken_back(self.stream_state, self.description, settings.start_date)
        if state is None:
            raise ConfigurationError(
                f"stream {self.name}: the fields {shown_names(new)} are new, and "
                "backfill_new_fields needs start_date to know from where on to read them. Set "
                "start_date, or backfill_new_fields to false"
            )
        self.logger.info(
            "These fields are new: %s. All %s are read once more, so that these fields have them",
            shown_names(new),
            names.records,
        )
        # Before what is asked for is noted: no STATE may tell of the one without the other.
        self.put_state(state)
        return asked.with_backfill(goes_on=True)

    def _put_asked(self, asked: Asked) -> None:
        self._asked = asked
        asked.put_into(cast("dict[str, Any]", self.tap_state), self.name)

    @property
    def is_backfilled(self) -> bool:
        """Whether the history of new fields is being read, by this run or one before."""
        return self._asked is not None and bool(self._asked.backfill)

    def has_been_read(self) -> None:
        """Take note, in STATE, that the history of new fields is complete."""
        if self._asked is not None and self._asked.backfill and not self.is_limited:
            self._put_asked(self._asked.with_backfill(goes_on=False))
            self.state_manager.is_flushed = False

    def selection(self) -> Selection:
        """Return what to bring, and what the catalog's schema asks of the values.

        Raises: ConfigurationError if the catalog asks for what cannot be.
        """
        schema = self.effective_schema
        columns = self._columns(schema)
        allowed = {c.name: PropertySchema.of(schema["properties"][c.name]) for c in columns}
        lacking = sorted(set(schema.get("required", ())) - allowed.keys())
        lacking = [name for name in lacking if self.mask["properties", name]]
        if lacking:
            raise ConfigurationError(
                f"catalog, stream {self.name}: its schema requires {', '.join(lacking)}, which "
                "this Marketo instance does not list. Remove it from `required`."
            )
        return Selection(
            self.description.object,
            frozenset(self.description.keys),
            self.description.names.bookmark,
            columns,
            incremental=self.is_incremental,
            limited=self.is_limited,
            never_null=frozenset(name for name, rule in allowed.items() if not rule.is_nullable),
            never_absent=frozenset(schema.get("required", ())),
            checks=ValueChecks(
                {n: schema["properties"][n] for n, rule in allowed.items() if not rule.is_plain},
                self._marketo_tap.settings.on_bad_value,
            ),
        )

    def _columns(self, schema: Mapping[str, Any]) -> tuple[Column, ...]:
        """Return the columns of the record: the selected properties the catalog still has.

        A field that discovery finds but the given catalog does not know has no place in SCHEMA.
        """
        headers, kinds = self._fields.headers(), self._fields.kinds()
        names, known = self.description.names, schema["properties"]
        gone = sorted(set(known) - set(self.schema["properties"]))
        if gone:
            self.logger.warning(
                "The catalog has fields this Marketo instance does not list; records come without: "
                "%s",
                ", ".join(gone),
            )
        wanted = [n for n in self.schema["properties"] if n in known and self.mask["properties", n]]
        usual = (f.name for f in self._fields.described if f.name not in self._fields.optional)
        left_out = [name for name in usual if name not in wanted]
        if left_out:
            self.logger.info(
                "%s fields not selected: %s", names.record.capitalize(), ", ".join(left_out)
            )
        if self._marketo_tap.replay is None:
            self.description.advise(wanted)
        columns = (
            column_of(
                name,
                known[name],
                headers[name],
                kinds[name],
                is_bookmark=name == names.bookmark,
            )
            for name in wanted
        )
        return tuple(self._completed(column) for column in columns)

    def _completed(self, column: Column) -> Column:
        """Return a column with what its schema does not tell."""
        if column.name in self._fields.made:
            made = self._fields.made[column.name]
            return replace(column, of=made.of, words=made.words())
        if column.name in self.money and column.kind is Kind.NUMBER:
            return replace(column, is_money=True)
        return column
