"""Target: Singer messages in, STATE out."""

from __future__ import annotations

import os
import sys
from copy import deepcopy
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar

import click
from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError, RecordsWithoutSchemaException
from singer_sdk.helpers._flattening import flatten_key
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.plugin_base import _ConfigInput
from typing_extensions import override

from marketo_bulk.client import MarketoBulk
from marketo_bulk.errors import AbandonedError
from singer_marketo.environment import settings_of_environment
from singer_marketo.locations import own_path
from singer_marketo.names import unmatched_maps, unmatched_removals
from singer_marketo.outcome import current
from singer_marketo.plugin import MarketoPlugin
from singer_marketo.settings import (
    connection_from,
    has_credentials,
)
from singer_marketo.settings import (
    missing_settings as missing_connection_settings,
)
from singer_marketo.stdout import write_text
from singer_marketo.stream_maps import guard
from target_marketo_bulk.check import check
from target_marketo_bulk.load import Load
from target_marketo_bulk.records.batch_files import batch_records, remove_file, shown_files
from target_marketo_bulk.records.flattening import columns_of_objects, flattenable
from target_marketo_bulk.records.line_reader import LineReader
from target_marketo_bulk.records.message_faults import record_of, require, stream_of
from target_marketo_bulk.records.schema_message import (
    check_key_properties,
    unflattened,
    usable_schema,
)
from target_marketo_bulk.sdk_settings import SDK_SETTINGS, refused_settings, settings_of
from target_marketo_bulk.settings import (
    DEFAULT_REJECTS_PATH,
    SCHEMA,
    ImportSettings,
    missing_settings,
    unusable_folders,
)
from target_marketo_bulk.sinks import ImportSink

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

    from singer_marketo.plugin import MarketoCommand

TEST_HELP = "Check credentials, permissions, list and partition; send nothing."


class TargetMarketoBulk(MarketoPlugin, Target):
    """Loads records into Marketo through its bulk import API and accounts for every row."""

    name = "target-marketo-bulk"
    package_name = "tap-target-marketo-bulk"
    # A copy, because the SDK adds its own settings to whatever it is given.
    config_jsonschema: ClassVar[dict[str, Any]] = deepcopy(SCHEMA)
    default_sink_class = ImportSink
    line_reader_class: ClassVar[type[LineReader]] = LineReader

    is_check = False
    """Whether it only looks if an import could be made."""

    _signal: int | None = None

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # the SDK's own options
        self._reads_environment = bool(options.get("parse_env_config"))
        super().__init__(**options)
        self._plain_sinks: dict[object, ImportSink] = {}
        self._schemas: dict[str, dict[str, Any]] = {}
        self._is_version_warned = False
        self._batch_files: list[str] = []
        self.message_reader = self.line_reader_class(
            begin=self._begin,
            tick=self._tick,
            abandon=self._abandon,
            take_records=self._take_records,
        )

    @cached_property
    def load(self) -> Load:
        """The run; made when the first line is about to be read."""
        config = self.config
        return Load(
            ImportSettings.parse(config),
            connection_from(config) if has_credentials(config) else None,
            emit_state=_write_line,
            check_signals=self._leave_if_told,
        )

    @classmethod
    @override
    def get_singer_command(cls) -> MarketoCommand:
        command = super().get_singer_command()
        command.params.append(click.Option(["--test"], is_flag=True, help=TEST_HELP))
        return command

    @classmethod
    @override
    def invoke(cls, *, test: bool = False, **options: Any) -> None:  # the SDK's own options
        if not test or options.get("about"):
            super().invoke(**options)
            return
        given = options.get("config") or _ConfigInput()
        target = cls(config=given.config, validate_config=True, parse_env_config=given.parse_env)
        missing = missing_connection_settings(target.config)
        if missing:
            raise ConfigValidationError("The settings are wrong", errors=missing)
        with MarketoBulk.connect(connection_from(target.config)) as client:
            target.is_check = True
            check(ImportSettings.parse(target.config), client.without_quota_wait())

    @classmethod
    @override
    def state_folder(cls, config: Mapping[str, Any]) -> Path:
        return own_path(config.get("rejects_path") or DEFAULT_REJECTS_PATH)

    @override
    def process_endofpipe(self) -> None:
        self._warn_of_stream_maps()
        try:
            self.load.finish()
        except BaseException:
            self._abandon()
            raise
        if self.config.get("clean_up_batch_files") and not self.config.get("dry_run_path"):
            for path in dict.fromkeys(self._batch_files):
                remove_file(path)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        super().append_builtin_config(config_jsonschema)
        for name in SDK_SETTINGS:
            config_jsonschema["properties"].pop(name, None)

    @classmethod
    @override
    def faults_of_config(cls, config: Mapping[str, Any]) -> list[str]:
        return [*unusable_folders(config), *missing_settings(config)]

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        told: dict[str, object] = {}
        if self._reads_environment:
            told = settings_of(settings_of_environment(SDK_SETTINGS, self._env_var_prefix))
        refused = refused_settings({**self._config, **told})
        # What is refused, or harmless, needs no warning that it is unknown.
        self._config = {n: v for n, v in self._config.items() if n not in SDK_SETTINGS}
        errors = super()._validate_config(raise_errors=raise_errors and not refused) + refused
        if errors and raise_errors:
            raise ConfigValidationError(
                "The settings are wrong", errors=errors, schema=self.config_jsonschema
            )
        return errors

    @override
    def _assert_line_requires(self, message_dict: dict[str, Any], requires: set[str]) -> None:
        # The SDK's message shows the whole line, which may hold personal data.
        require(message_dict, requires)

    def _warn_of_stream_maps(self) -> None:
        """Say which stream maps were for nothing: which streams there are is known at the end."""
        streams = self.mapper.stream_maps
        if streams:
            for sentence in unmatched_maps(self.config.get("stream_maps"), streams):
                self.logger.warning("%s", sentence)

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self._check_schema(message_dict)
        self.load.intake.held.release()
        self._register(message_dict)
        for maps in self.mapper.stream_maps.values():
            guard(maps)
        for sink in self._sinks_active.values():
            if isinstance(sink, ImportSink):
                sink.check_columns()
        # What is left of an earlier schema is in the spool; its sink holds nothing.
        self._sinks_to_clear.clear()
        self._plain_sinks = dict(self._find_plain_sinks())

    def _register(self, message: dict[str, Any]) -> None:
        """Have the SDK take over a schema.

        Raises: InvalidInputLine if two of its properties become one column when flattened.
        """
        options = self.mapper.flattening_options
        if not options.enabled or options.max_level < 1:
            super()._process_schema_message(message)
            return
        flat = flattenable(message["schema"], options.max_level)
        try:
            super()._process_schema_message({**message, "schema": flat})
        except ValueError as error:
            raise unflattened(message["stream"], error) from None

        def key_of(name: str, parents: Sequence[str]) -> str:
            return flatten_key(
                name, [*parents], options.separator, max_key_length=options.max_key_length
            )

        columns = columns_of_objects(flat, key_of)
        for each in self.mapper.stream_maps[message["stream"]]:
            sink = self._sinks_active.get(each.stream_alias)
            if isinstance(sink, ImportSink):
                sink.take_nulls_apart(columns)

    def _check_schema(self, message: dict[str, Any]) -> None:
        self._assert_line_requires(message, requires={"stream", "schema"})
        stream = stream_of(message)
        if stream not in self._schemas or self._schemas[stream] != message["schema"]:
            message["schema"] = usable_schema(
                stream, message["schema"], validates=self.config.get("validate_records", True)
            )
            self._schemas[stream] = message["schema"]
            for sentence in unmatched_removals(
                self.config.get("stream_maps"), stream, message["schema"]["properties"]
            ):
                self.logger.warning("%s", sentence)
        check_key_properties(stream, message.get("key_properties"))

    def _find_plain_sinks(self) -> Iterator[tuple[str, ImportSink]]:
        """Yield the streams whose records need nothing of the SDK's loop, with their sinks."""
        for name, maps in self.mapper.stream_maps.items():
            is_plain = len(maps) == 1 and type(maps[0]) is SameRecordTransform
            if is_plain and not maps[0].flattening_enabled:
                sink = self._sinks_active.get(maps[0].stream_alias)
                if isinstance(sink, ImportSink):
                    yield name, sink

    def _take_records(self, messages: list[dict[str, Any]]) -> None:
        for stream, group in groupby(messages, key=_stream_of):
            sink = self._plain_sinks.get(stream)
            if sink is not None:
                sink.take(message["record"] for message in group)
                continue
            self.load.intake.held.release()
            for message in group:
                self._process_record_message(message)

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        stream = stream_of(message_dict)
        if not self.load.intake.ignores(stream, record_of(message_dict)):
            super()._process_record_message(message_dict)

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"stream", "encoding", "manifest"})
        stream = stream_of(message_dict)
        if stream not in self.mapper.stream_maps:
            raise RecordsWithoutSchemaException(
                f"a BATCH message of the stream {stream!r} comes before its SCHEMA: its files "
                f"{shown_files(message_dict)} are not read. Correct the tap that wrote it"
            )
        for records in batch_records(message_dict, self.message_reader.deserialize_json):
            # As if each had come in a RECORD: maps, flattening, checks and rejects are the same.
            self._take_records([{"stream": stream, "record": record} for record in records])
            self._tick()
        self._batch_files += message_dict["manifest"]

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"value"})
        self.load.hold(message_dict["value"])

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        if not self._is_version_warned:
            self.logger.warning(
                "ACTIVATE_VERSION is left out: bulk import cannot delete %s (said once)",
                self.load.intake.plural(str(message_dict.get("stream"))),
            )
            self._is_version_warned = True

    @override
    def _handle_max_record_age(self) -> None:
        # The spool knows how old its files are.
        return

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        if self._signal is not None:
            # Told twice: nothing more is finished, and nothing more is claimed.
            os._exit(128 + signum)
        self._signal = signum
        if self.is_check:
            # Nothing is in hand that would have to be finished.
            raise SystemExit(128 + signum)
        if "load" in self.__dict__:
            self.load.call_patience.begin()
            self.load.pipe.wake()

    def _leave_if_told(self) -> None:
        if self._signal is not None:
            self.logger.warning(
                "told to stop by signal %d: finishing what is in hand", self._signal
            )
            raise SystemExit(128 + self._signal)

    def _begin(self) -> int:
        if (outcome := current()) is not None:
            outcome.begin()
        return self.load.pipe.descriptor

    def _tick(self) -> None:
        self.load.tick()

    def _abandon(self) -> None:
        if "load" in self.__dict__:
            self.load.abandon()
        if self._signal is not None and isinstance(sys.exc_info()[1], AbandonedError):
            # It was this thread that was told to stop in the middle of a call.
            raise SystemExit(128 + self._signal)


def _stream_of(message: dict[str, Any]) -> str | None:
    """Return the stream of a record; None for a message that lacks the one or the other."""
    stream = message.get("stream")
    is_whole = isinstance(stream, str) and isinstance(message.get("record"), dict)
    return stream if is_whole else None


def _write_line(line: str) -> None:
    write_text(f"{line}\n")
