"""Activity streams: one for each type, all fed from the files of one export stream."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Raw
from msgspec.structs import astuple
from singer_sdk.mapper import RemoveRecordTransform, StreamMap
from typing_extensions import override

from marketo_bulk import ConfigurationError
from marketo_bulk.activities.activity_types import DELETE_LEAD
from marketo_bulk.reader.columns import kind_of
from marketo_bulk.reader.json_cells import decode_object
from tap_marketo_bulk.output.chunks import SHARED_CHUNKS, joined
from tap_marketo_bulk.output.record_loop import RecordLine, keeps_records
from tap_marketo_bulk.output.spool import Sharing
from tap_marketo_bulk.output.whole_stream import FULL_TABLE, WholeStream
from tap_marketo_bulk.output.writer import ENCODER, LineWriter
from tap_marketo_bulk.streams.activities import COLUMNS, Activities
from tap_marketo_bulk.streams.activity_choice import SETTING, chosen_types, wishes_met
from tap_marketo_bulk.streams.activity_columns import (
    OTHERS,
    TypedAttributes,
    column_names,
    schema_of,
    stream_names,
)
from tap_marketo_bulk.streams.activity_rows import TypedRows
from tap_marketo_bulk.streams.export_stream import MONEY, ExportStream
from tap_marketo_bulk.streams.fields import property_of
from tap_marketo_bulk.streams.stream_rules import INCREMENTAL, StreamRules
from tap_marketo_bulk.sync.asked import Asked, shown_names
from tap_marketo_bulk.sync.run import download_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from marketo_bulk import ActivityType
    from tap_marketo_bulk.output.extract import Extract
    from tap_marketo_bulk.streams.instance import Instance
    from tap_marketo_bulk.sync.tally import RunTally
    from tap_marketo_bulk.tap import TapMarketoBulk  # noqa: TID251  # for its type alone

logger = logging.getLogger(__name__)

PREFIX = "activity_"
ATTRIBUTES, TYPE_ID = "attributes", "activityTypeId"
BASE = tuple(field for field in COLUMNS if field.name != ATTRIBUTES)
RULES = StreamRules(
    key=("marketoGUID",),
    methods=(INCREMENTAL, FULL_TABLE),
    replication_key=Activities.names.bookmark,
    automatic={
        "marketoGUID": {"type": ["string"]},
        "activityDate": {"type": ["string", "null"], "format": "date-time"},
    },
)


class ActivityTypeStream(WholeStream):
    """The activities of one type. Its records are written by `ActivitiesPerType`."""

    selected_by_default = False
    primary_keys = RULES.key
    replication_key = RULES.replication_key

    def __init__(self, tap: TapMarketoBulk, activity_type: ActivityType, name: str) -> None:
        self.activity_type = activity_type
        self.columns = column_names(activity_type.attributes, {field.name for field in BASE})
        properties = {field.name: property_of(field) for field in BASE}
        properties["marketoGUID"] = {"type": ["string"]}
        for attribute in activity_type.attributes:
            properties[self.columns[attribute.name]] = schema_of(attribute)
        properties[OTHERS] = {"type": ["object", "null"]}
        schema = {"type": "object", "properties": properties, "required": ["marketoGUID"]}
        super().__init__(tap, schema=schema, name=name)

    def wanted(self) -> frozenset[str]:
        """Return the selected properties."""
        return frozenset(n for n in self.schema["properties"] if self.mask["properties", n])

    @override
    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        yield from ()


class TypeMap(StreamMap):
    """Makes a record of one type of a record of `activities`, and maps it as its stream says."""

    def __init__(
        self, stream: ActivityTypeStream, inner: StreamMap, *, nulls_misfits: bool
    ) -> None:
        super().__init__(
            inner.stream_alias, inner.raw_schema, inner.transformed_key_properties, None
        )
        self.transformed_schema = inner.transformed_schema
        self.type_id = stream.activity_type.type_id
        self._inner = inner
        self.money = frozenset(
            stream.columns[each.name]
            for each in stream.activity_type.attributes
            if each.data_type.lower() == MONEY
        )
        wanted = stream.wanted()
        self._base = [field.name for field in BASE if field.name in wanted]
        self.attributes = TypedAttributes(
            stream.name,
            stream.columns,
            {each.name: kind_of(each.data_type) for each in stream.activity_type.attributes},
            wanted,
            nulls_misfits,
        )
        self._keeps_records = keeps_records(inner)
        self._rows: dict[tuple[str, ...], TypedRows] = {}

    def records(self, columns: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
        """Yield what becomes of rows of this type, by column, as objects that encode to it."""
        objects = columns.get(ATTRIBUTES) or [None] * len(columns[TYPE_ID])
        if self._keeps_records:
            # A column that Marketo refuses is not there.
            base = tuple(name for name in self._base if name in columns)
            if base not in self._rows:
                self._rows[base] = TypedRows(self.attributes, base)
            yield from self._rows[base].records([columns[name] for name in base], objects)
            return
        columns = {**columns, ATTRIBUTES: [*map(decode_object, objects)]}
        for values in zip(*columns.values(), strict=True):
            mapped = self.transform(dict(zip(columns, values, strict=True)))
            if mapped is not None:
                yield mapped

    @override
    def transform(self, record: dict[str, Any]) -> dict[str, Any] | None:
        if record[TYPE_ID] != self.type_id:
            return None
        typed = {name: record[name] for name in self._base if name in record}
        return self._inner.transform(typed | self.attributes.of(record.get(ATTRIBUTES)))

    @override
    def get_filter_result(self, record: dict[str, Any]) -> bool:
        return bool(record[TYPE_ID] == self.type_id)


class SomeActivities(Activities):
    """Activities of the types whose streams are selected."""

    is_selected = True
    type_ids: frozenset[int] = frozenset()

    @cached_property
    @override
    def types(self) -> tuple[ActivityType, ...]:
        """Return the wanted types."""
        return tuple(t for t in self.instance.activity_types if t.type_id in self.type_ids)

    @override
    def check_archive(self) -> None:
        """Return: rows of other types go to no stream."""


class ActivitiesPerType(ExportStream):
    """One export of activities whose rows go to the streams of their types, read once."""

    def __init__(self, tap: TapMarketoBulk, followers: Sequence[ActivityTypeStream]) -> None:
        description = SomeActivities(tap.instance)
        description.type_ids = frozenset(each.activity_type.type_id for each in followers)
        super().__init__(tap, description)
        self._followers = followers
        methods = {each.replication_method for each in followers}
        if len(methods) > 1:
            raise ConfigurationError(
                "activity_streams: per_type reads one file for all types, so their streams need "
                "one replication-method: set it to the same for all that are selected"
            )
        if methods == {FULL_TABLE}:
            self.forced_replication_method = FULL_TABLE

    @cached_property
    def _type_maps(self) -> list[TypeMap]:
        nulls = self._marketo_tap.settings.on_bad_value == "null"
        return [
            TypeMap(stream, inner, nulls_misfits=nulls)
            for stream in self._followers
            for inner in stream.stream_maps
            if not isinstance(inner, RemoveRecordTransform)
        ]

    @property
    @override
    def stream_maps(self) -> list[StreamMap]:
        return [*self._type_maps]

    @override
    def _chunks(self, extract: Extract) -> Iterator[Sequence[Any]]:
        return joined(extract.chunks(), SHARED_CHUNKS)

    @override
    def _write_rows(self, rows: Sequence[Any]) -> None:
        writer = self._tap.message_writer
        assert isinstance(writer, LineWriter)  # noqa: S101  # `writes_lines` has seen to it
        self.state_manager.is_flushed = False
        now = Raw(ENCODER.encode(datetime.now(timezone.utc)))
        version = UNSET if self._stream_version is None else self._stream_version
        for each, records in self._split(rows):
            lines = map(
                RecordLine, repeat(each.stream_alias), records, repeat(version), repeat(now)
            )
            writer.write_lines(ENCODER.encode_lines([*lines]))

    @override
    def made_columns(self) -> Sequence[str]:
        return [f"{each.name}.{name}" for each in self._followers for name in sorted(each.wanted())]

    @property
    @override
    def _sharing(self) -> Sharing:
        return Sharing(self._split, download_directory(self._marketo_tap.settings))

    def _split(self, rows: Sequence[Any]) -> Iterator[tuple[StreamMap, Iterator[Any]]]:
        by_type = _columns_by_type(rows)
        for each in self._type_maps:
            if each.type_id in by_type:
                yield each, each.records(by_type[each.type_id])

    @override
    def report(self, tally: RunTally, calls: int) -> None:
        super().report(tally, calls)
        for each in self._type_maps:
            for name, count in each.attributes.misfits.items():
                self.logger.warning(
                    "%s: %d values of %s do not fit its type, null instead",
                    each.stream_alias,
                    count,
                    name,
                )
            each.attributes.misfits.clear()


def _columns_by_type(rows: Sequence[Any]) -> dict[int, dict[str, Sequence[Any]]]:
    """Return the rows of each type, by column."""
    names = rows[0].__struct_encode_fields__
    of_type: dict[int, list[tuple[Any, ...]]] = {}
    place = names.index(TYPE_ID)
    for row in map(astuple, rows):
        of_type.setdefault(row[place], []).append(row)
    return {
        type_id: dict(zip(names, zip(*values, strict=True), strict=True))
        for type_id, values in of_type.items()
    }


def type_streams(tap: TapMarketoBulk, instance: Instance) -> list[ActivityTypeStream]:
    """Return a stream for each type that `activity_types` lets through; by default for all."""
    wanted = tap.settings.activity_types
    exported = [each.type_id for each in instance.activity_types if each.type_id != DELETE_LEAD]
    if instance.archived_types is not None and wanted:
        # An archive has the types that its runs asked for, and perhaps not all that are listed.
        wanted = wishes_met(instance.archived_types, wanted)
        if not wanted:
            return []
    types = chosen_types(instance.activity_types, wanted or exported)
    names = stream_names(t for t in instance.activity_types if t.type_id != DELETE_LEAD)
    return [ActivityTypeStream(tap, each, names[each.type_id]) for each in types]


def gathered(tap: TapMarketoBulk, streams: Mapping[str, Any]) -> dict[str, Any]:
    """Return the streams of a sync, in which one export takes the place of all types."""
    followers = [s for s in streams.values() if isinstance(s, ActivityTypeStream)]
    selected = [each for each in followers if each.selected]
    if followers:
        _warn_of_types_left_out(tap, followers, selected)
    kept = {n: s for n, s in streams.items() if not isinstance(s, ActivityTypeStream)}
    if not selected:
        return kept
    leader = ActivitiesPerType(tap, selected)
    return {leader.name: leader, **kept}


def _warn_of_types_left_out(
    tap: TapMarketoBulk,
    followers: Sequence[ActivityTypeStream],
    selected: Sequence[ActivityTypeStream],
) -> None:
    """Log which types the last run has read and this one does not.

    A type that is renamed has another stream, which a selection by name does not know.
    """
    before = Asked.from_state(tap.state, Activities.names.stream)
    terms = () if before is None else before.filters
    read = {f"{SETTING}={each.activity_type.type_id}" for each in selected}
    names = {f"{SETTING}={each.activity_type.type_id}": each.name for each in followers}
    told = [
        f"{term.rpartition('=')[2]} ({f'stream {names[term]}' if term in names else 'no stream'})"
        for term in terms
        if term not in read
    ]
    if told:
        logger.warning(
            "Activities of these types came with the last run, and do not with this one: %s. "
            "Marketo may have renamed them: if they are wanted, select their streams.",
            shown_names(told),
        )
