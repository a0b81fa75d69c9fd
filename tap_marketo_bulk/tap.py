"""Tap: settings, discovery, and what a run shares between its streams."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._catalog import get_selected_schema
from singer_sdk.plugin_base import PluginBase
from singer_sdk.singerlib import Catalog, CatalogEntry
from typing_extensions import override

from marketo_bulk import REAL_TIME, ConfigurationError, MarketoBulk, MarketoBulkError
from marketo_bulk.errors import one_line
from singer_marketo.json_files import read_object
from singer_marketo.names import unmatched_maps, unmatched_removals
from singer_marketo.outcome import current
from singer_marketo.plugin import MarketoPlugin
from singer_marketo.settings import connection_from, instance_of, missing_settings, plugin_schema
from singer_marketo.stdout import write_text
from singer_marketo.stream_maps import guard
from tap_marketo_bulk.archive.archive import Archive
from tap_marketo_bulk.output.stream_failures import StreamFailures
from tap_marketo_bulk.output.writer import LineWriter
from tap_marketo_bulk.refused_settings import refused_settings
from tap_marketo_bulk.settings import TAP_SETTINGS, TapSettings
from tap_marketo_bulk.streams import ASSETS, EXPORTS, activity_streams
from tap_marketo_bulk.streams.activity_streams import gathered
from tap_marketo_bulk.streams.custom_objects import PREFIX, catalog_rules, is_stream_name
from tap_marketo_bulk.streams.discovery import Discovery
from tap_marketo_bulk.streams.export_stream import ExportStream
from tap_marketo_bulk.streams.exports import Exports
from tap_marketo_bulk.streams.given_catalog import checked_catalog, names_in
from tap_marketo_bulk.streams.instance import Instance
from tap_marketo_bulk.streams.instance_memory import InstanceMemory
from tap_marketo_bulk.streams.stream_rules import rules_of
from tap_marketo_bulk.sync.asked import ASKED
from tap_marketo_bulk.sync.day_share import DayShare
from tap_marketo_bulk.sync.given_state import check_state
from tap_marketo_bulk.sync.journal_of_pipeline import journal_faults, journal_folder, journal_of
from tap_marketo_bulk.sync.replay import Replay
from tap_marketo_bulk.sync.replay import faults as replay_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    from marketo_bulk.http.budget import Budget
    from singer_marketo.state_folder import Folder
    from tap_marketo_bulk.sync.job_journal import JobJournal

TERMINATION_PATIENCE_SECONDS = 4.0
"""How long a signal waits for a write to a full pipe before the process leaves without STATE."""

LAST_WORDS_SECONDS = 1.0
"""What is left for the rest after jobs had to be cancelled first."""


def _setup_fault(error: Exception) -> str:
    """Return what keeps the SDK from setting up stream maps and flattening."""
    if "Duplicate column name" in str(error):
        return f"flattening: {error}. Set another flattening_max_key_length or _separator."
    return f"stream_maps cannot be followed: {one_line(str(error) or type(error).__name__)}"


def _schema_to_map(name: str, entry: CatalogEntry) -> dict[str, Any]:
    """Return the schema a stream is mapped from; one that is not selected keeps all properties."""
    schema, mask = entry.schema.to_dict(), entry.metadata.resolve_selection()
    return get_selected_schema(name, schema, mask) if mask[()] else schema


class TapMarketoBulk(MarketoPlugin, Tap):
    """Singer tap for what Marketo's bulk extract API exports."""

    name = "tap-marketo-bulk"
    package_name = "tap-target-marketo-bulk"
    message_writer_class = LineWriter
    exports_listed = EXPORTS
    """The streams of bulk export; a newcomer is one word more in their list."""
    # Discovery asks Marketo, so `--discover` needs settings that are right.
    dynamic_catalog = True
    config_jsonschema = plugin_schema(th.PropertiesList(*TAP_SETTINGS).to_dict()["properties"])

    def __init__(
        self,
        *,
        catalog: object = None,
        **options: Any,  # noqa: ANN401  # the SDK's
    ) -> None:
        if isinstance(catalog, Catalog):
            catalog = catalog.to_dict()
        elif isinstance(catalog, str | PurePath):
            catalog = read_object(str(catalog), "catalog")
        rules = {each.names.stream: rules_of(each) for each in self.exports_listed}
        rules |= {each.name: each.rules for each in ASSETS}
        per_type = set(names_in(catalog, activity_streams.PREFIX)) - rules.keys()
        rules |= dict.fromkeys(per_type, activity_streams.RULES)
        custom = filter(is_stream_name, names_in(catalog, PREFIX))
        rules |= {name: catalog_rules() for name in custom}
        checked = None if catalog is None else checked_catalog(catalog, rules)
        super().__init__(catalog=checked, **options)

    # What the streams share -------------------------------------------------------------

    clock = REAL_TIME
    """How the exports know the time; a simulation puts its own here."""

    job_journal: JobJournal | None = None
    """Where jobs are noted outside STATE; only where the tap runs as a command."""

    _is_told_to_stop = False

    before_exit: Callable[[], None] | None = None
    """What a process that is about to be ended still does, in a few seconds; set by a stream."""

    @cached_property
    def settings(self) -> TapSettings:
        """Return the tap's own settings."""
        return TapSettings.from_config(self.config)

    @cached_property
    def client(self) -> MarketoBulk:
        """Return the one client of this process."""
        return MarketoBulk.connect(connection_from(self.config), clock=self.clock)

    @cached_property
    def _calls_budget(self) -> Budget | None:
        amount = self.settings.daily_calls_budget
        return None if amount is None else self.client.limit_calls("daily_calls_budget", amount)

    def limit_calls(self) -> Budget | None:
        """Return the limit of calls, which is kept to from now on; None if none is set."""
        return self._calls_budget

    @cached_property
    def archive(self) -> Archive | None:
        """Return where export files are kept; None if nowhere."""
        url = self.config.get("archive_url")
        return Archive("archive_url", url) if url else None

    @cached_property
    def replay(self) -> Replay | None:
        """Return what is read in place of Marketo; None if nothing is."""
        url = self.config.get("replay_url")
        return Replay(Archive("replay_url", url)) if url else None

    @property
    def instance_name(self) -> str:
        """Return the name of the Marketo instance: its Munchkin ID, or its host."""
        return instance_of(self.config)

    @cached_property
    def instance(self) -> Instance:
        """Return what is known of the Marketo instance."""
        return Instance(
            lambda: self.client,
            self.settings,
            lambda: self.clock,
            self._instance_memory(),
            None if self.replay is None else self.replay.activity_types,
        )

    def _instance_memory(self) -> InstanceMemory | None:
        """Return what the instance has said to earlier runs, where runs are to be that frequent."""
        is_kept = current() is not None or self.config.get("job_journal")
        if not (is_kept and self.settings.reads_changed_only) or self.replay is not None:
            return None
        folder = journal_folder(self.name, self.config)
        if folder is None:
            return None
        connection = connection_from(self.config)
        return InstanceMemory(folder, (connection.base_url, connection.client_id))

    @cached_property
    def failures(self) -> StreamFailures:
        """Return what streams have failed with."""
        return StreamFailures(stops_at_first=self.settings.stops_at_first_failure)

    @cached_property
    def discovery(self) -> Discovery:
        """Return the streams that can be made."""
        return Discovery(self)

    @cached_property
    def exports(self) -> Exports:
        """Return what the streams of bulk export share."""
        return Exports(self)

    @override
    def discover_streams(self) -> list[Stream]:
        if self.replay is not None:
            kept = self.replay.streams(self.exports_listed)
            return self.discovery.replayed(self.replay, kept)
        if current() is not None:
            # What a run asks for its streams are calls, too. A catalog alone or a test is no run.
            self.limit_calls()
        return self.discovery.streams()

    @property
    @override
    def catalog_dict(self) -> dict[str, Any]:
        if self.input_catalog is None and self.replay is None and not self.settings.custom_objects:
            for stream in self.discovery.offered():
                self.streams.setdefault(stream.name, stream)
        return super().catalog_dict

    # Final for want of a reason to override it; the SDK has no other place around all streams.
    @override  # type: ignore[misc]
    def sync_all(self) -> None:
        with (
            self._as_command(),
            self.failures.told(),
            self._within_day_share(),
            self.exports.whole_sync(),
        ):
            self.discovery.fail_those_wanted()
            streams = gathered(self, self.streams)
            # A row written after its deletion would stay for good. Of these streams one has jobs
            # of its own, too, and the queue has one scheduler at a time.
            in_order = sorted(streams.items(), key=lambda item: item[1].tells_of_gone)
            self._streams = dict(in_order)
            super().sync_all()

    @contextlib.contextmanager
    def _within_day_share(self) -> Iterator[None]:
        """Keep to the budgets of the day, if any is set, and say in the end what was used."""
        if self.replay is not None:
            yield
            return
        objects = [
            stream.description.object
            for stream in self.streams.values()
            if isinstance(stream, ExportStream)
        ]
        share = DayShare(self.client, self.settings, objects, self.limit_calls)
        self.exports.bytes_budget = share.bytes
        try:
            yield
        finally:
            if line := share.line():
                self.logger.info("%s", line)

    @contextlib.contextmanager
    def _as_command(self) -> Iterator[None]:
        """Hold the journal of the pipeline, and say that a run is under way."""
        outcome = current()
        if outcome is None:
            yield
            return
        with contextlib.ExitStack() as held:
            try:
                self.job_journal = held.enter_context(journal_of(self.name, self.config))
            except ConfigurationError:
                outcome.place(None)  # it lies where the journal was to lie
                raise
            outcome.begin()
            yield
        self.job_journal = None

    @override  # type: ignore[misc]  # final, as `sync_all` is
    def run_connection_test(self) -> bool:
        # The SDK would select every stream, one too whose settings are not there.
        self._streams = gathered(self, self.streams)
        selected = [stream for stream in self.streams.values() if stream.selected]
        with self.failures.told():
            self.discovery.fail_those_wanted()
            return self.run_sync_dry_run(1, selected)

    @override
    def run_discovery(self) -> str:
        self.instance.memory = None  # who asks for a catalog wants that of now
        catalog = self.catalog_json_text
        write_text(f"{catalog}\n")
        return catalog

    def _check_stream_maps(self) -> None:
        """Return if every stream map is for a stream.

        Raises: ConfigurationError naming those that are not: what they mask would go out as it is.
        """
        maps = self.config.get("stream_maps")
        known = {*self.mapper.stream_maps, *self.streams, *self.discovery.left_out}
        unmatched = unmatched_maps(maps, known)
        if unmatched:
            raise ConfigurationError("; ".join(unmatched))
        for name, stream in self.streams.items():
            for sentence in unmatched_removals(maps, name, stream.schema["properties"]):
                self.logger.warning("%s", sentence)

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        check_state(state)
        super().load_state(state)
        # What the last run asked for, which the SDK leaves out.
        if ASKED in state:
            kept = cast("dict[str, Any]", self.state)
            kept[ASKED] = state[ASKED]
            # Left out by the SDK where it is empty, and then the next run would refuse the state.
            kept.setdefault("bookmarks", {})

    @classmethod
    @override
    def faults_of_config(cls, config: Mapping[str, Any]) -> list[str]:
        faults = [*refused_settings(config), *journal_faults(cls.name, config)]
        if config.get("replay_url"):
            return faults + replay_faults(config)
        return faults + missing_settings(config)

    @classmethod
    @override
    def state_folder(cls, config: Mapping[str, Any]) -> Folder | None:
        return journal_folder(cls.name, config)

    @override
    def setup_mapper(self) -> None:
        # The SDK looks for an operator in `stream_maps`, null included.
        self._config = {n: v for n, v in self._config.items() if n != "stream_maps" or v}
        self._refuse_to_flatten_without_type(self.catalog)
        try:
            # The tap's own one takes the properties of a stream that is not selected away, and
            # then finds no key in what is left of it: no map of such a stream could stand there.
            PluginBase.setup_mapper(self)
            for entry in self.catalog.streams:
                name = entry.stream or entry.tap_stream_id
                schema = _schema_to_map(name, entry)
                self.mapper.register_raw_stream_schema(name, schema, entry.key_properties)
        except (MarketoBulkError, ConfigValidationError):
            raise
        except Exception as error:
            raise ConfigurationError(_setup_fault(error)) from error
        self._check_stream_maps()
        for maps in self.mapper.stream_maps.values():
            guard(maps)

    def _refuse_to_flatten_without_type(self, catalog: Catalog) -> None:
        """Refuse what the SDK's flattening would leave out of SCHEMA."""
        if not self.config.get("flattening_enabled"):
            return
        for entry in catalog.streams:
            mask = entry.metadata.resolve_selection()
            for name, schema in (entry.schema.properties or {}).items():
                if mask.get((), True) and mask["properties", name] and schema.type is None:
                    raise ConfigurationError(
                        f"catalog, stream {entry.tap_stream_id}, property {name}: its schema needs "
                        "a `type` where flattening_enabled is set"
                    )

    # Signals ----------------------------------------------------------------------------

    def uninterrupted(self) -> contextlib.AbstractContextManager[None]:
        """Let a signal wait until STATE is whole."""
        writer = self.message_writer
        if isinstance(writer, LineWriter):
            return writer.uninterrupted()
        return contextlib.nullcontext()

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Leave with 128 + signal, once the line under way is complete.

        The stream that is interrupted writes STATE on the way out. A second signal changes nothing:
        a terminal tells every process, and then Meltano tells its plugins once more.
        """
        if self._is_told_to_stop:
            return
        self._is_told_to_stop = True
        exit_code = 128 + signum
        timer = threading.Timer(TERMINATION_PATIENCE_SECONDS, self._exit_at_last, (exit_code,))
        timer.daemon = True
        timer.start()
        # Raised where the signal came in the middle of writing another line to a stuck log.
        with contextlib.suppress(RuntimeError):
            self.logger.info("Told to stop by signal %d", signum)
        writer = self.message_writer
        if not (isinstance(writer, LineWriter) and writer.defer(lambda: sys.exit(exit_code))):
            sys.exit(exit_code)

    def _exit_at_last(self, exit_code: int) -> None:
        """Leave although the main thread cannot, but leave no jobs behind."""
        outcome = current()
        try:
            if self.before_exit is not None:
                self.before_exit()
                # The main thread may have waited for the same, and has STATE to write.
                time.sleep(LAST_WORDS_SECONDS)
        finally:
            with contextlib.suppress(Exception):
                if outcome is not None:
                    outcome.end(exit_code)
            os._exit(exit_code)
