"""Target: Singer messages in, STATE out."""

from __future__ import annotations

import os
import sys
from copy import deepcopy
from functools import cached_property
from itertools import groupby
from typing import IO, TYPE_CHECKING, Any, ClassVar

from marketo_bulk.connection_settings import (
    connection_from,
    has_credentials,
    with_numbers,
    without_secrets,
)
from marketo_bulk.errors import MarketoBulkError, one_line
from marketo_bulk.exits import exit_code_of
from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError, SingerSDKError
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override

from target_marketo_bulk.load import Load
from target_marketo_bulk.reader import LineReader
from target_marketo_bulk.settings import (
    SCHEMA,
    ImportSettings,
    missing_settings,
)
from target_marketo_bulk.sinks import LeadSink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from singer_sdk.plugin_base import _ConfigInput

UNUSED_SDK_SETTINGS = ("add_record_metadata", "batch_size_rows", "load_method")
"""Metadata is never sent, files are cut by bytes, and bulk import only updates or inserts."""


class TargetMarketoBulk(Target):
    """Loads leads into Marketo through its bulk import API and accounts for every row."""

    name = "target-marketo-bulk"
    package_name = "tap-target-marketo-bulk"
    # A copy, because the SDK adds its own settings to whatever it is given.
    config_jsonschema: ClassVar[dict[str, Any]] = deepcopy(SCHEMA)
    default_sink_class = LeadSink
    line_reader_class: ClassVar[type[LineReader]] = LineReader

    _signal: int | None = None

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # the SDK's own options
        super().__init__(**options)
        self._plain_sinks: dict[object, LeadSink] = {}
        self._is_version_warned = False
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

    @override
    def process_endofpipe(self) -> None:
        try:
            self.load.finish()
        except BaseException:
            self.load.abandon()
            raise

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        super().append_builtin_config(config_jsonschema)
        for name in UNUSED_SDK_SETTINGS:
            config_jsonschema["properties"].pop(name, None)

    @classmethod
    @override
    def invoke(  # type: ignore[override]  # as the SDK narrows it
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
    ) -> None:
        try:
            super().invoke(
                about=about, about_format=about_format, config=config, file_input=file_input
            )
        except ConfigValidationError:
            raise
        except (MarketoBulkError, SingerSDKError, InvalidInputLine, OSError) as error:
            # One line says what is wrong; a traceback would only hide it.
            cls.logger.error("%s", one_line(str(error)))  # noqa: TRY400
            sys.exit(exit_code_of(error))

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        self._config = with_numbers(self._config, SCHEMA)
        faults = without_secrets(super()._validate_config(raise_errors=False))
        faults += missing_settings(self._config)
        if faults and raise_errors:
            raise ConfigValidationError(
                "Config validation failed", errors=faults, schema=self.config_jsonschema
            )
        return faults

    @override
    def _assert_line_requires(self, message_dict: dict[str, Any], requires: set[str]) -> None:
        # The SDK's message shows the whole line, which may hold personal data.
        missing = requires - message_dict.keys()
        if missing:
            raise InvalidInputLine(f"a message of the input lacks {', '.join(sorted(missing))}")

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        super()._process_schema_message(message_dict)
        for sink in self._sinks_active.values():
            if isinstance(sink, LeadSink):
                sink.check_columns()
        # What is left of an earlier schema is in the spool; its sink holds nothing.
        self._sinks_to_clear.clear()
        self._plain_sinks = dict(self._find_plain_sinks())

    def _find_plain_sinks(self) -> Iterator[tuple[str, LeadSink]]:
        """Yield the streams whose records need nothing of the SDK's loop, with their sinks."""
        for name, maps in self.mapper.stream_maps.items():
            is_plain = len(maps) == 1 and type(maps[0]) is SameRecordTransform
            if is_plain and not maps[0].flattening_enabled:
                sink = self._sinks_active.get(maps[0].stream_alias)
                if isinstance(sink, LeadSink):
                    yield name, sink

    def _take_records(self, messages: list[dict[str, Any]]) -> None:
        for stream, group in groupby(messages, key=_stream_of):
            sink = self._plain_sinks.get(stream)
            if sink is not None:
                sink.take(message["record"] for message in group)
                continue
            for message in group:
                self._process_record_message(message)

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        if not self.load.ignores(_record_of(message_dict)):
            super()._process_record_message(message_dict)

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"value"})
        self.load.hold(message_dict["value"])

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        if not self._is_version_warned:
            self.logger.warning(
                "activate_version_ignored: bulk import cannot delete leads (said once)"
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
        if "load" in self.__dict__:
            self.load.pipe.wake()

    def _leave_if_told(self) -> None:
        if self._signal is not None:
            self.logger.warning(
                "signal_received signal=%d: finishing what is in hand", self._signal
            )
            raise SystemExit(128 + self._signal)

    def _begin(self) -> int:
        return self.load.pipe.descriptor

    def _tick(self) -> None:
        self.load.tick()

    def _abandon(self) -> None:
        if "load" in self.__dict__:
            self.load.abandon()


def _stream_of(message: dict[str, Any]) -> str | None:
    """Return the stream of a record; None for a message that lacks the one or the other."""
    stream = message.get("stream")
    is_whole = isinstance(stream, str) and isinstance(message.get("record"), dict)
    return stream if is_whole else None


def _record_of(message: dict[str, Any]) -> dict[str, Any]:
    record = message.get("record")
    if not isinstance(record, dict):
        raise InvalidInputLine("a RECORD message of the input lacks its record")
    return record


def _write_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
