"""Discovery: the streams that Marketo lets this API user see, and why others are left out."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from marketo_bulk import ConfigurationError, MarketoBulkError, RejectedError
from tap_marketo_bulk.streams import ASSETS, custom_objects
from tap_marketo_bulk.streams.activities import Activities
from tap_marketo_bulk.streams.activity_streams import type_streams
from tap_marketo_bulk.streams.export_stream import ExportStream
from tap_marketo_bulk.streams.removed_members import RemovedProgramMembers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk import Stream

    from tap_marketo_bulk.streams.activity_streams import ActivityTypeStream
    from tap_marketo_bulk.streams.description import StreamDescription
    from tap_marketo_bulk.sync.replay import Replay
    from tap_marketo_bulk.tap import TapMarketoBulk  # noqa: TID251  # for its type alone

ACCESS_DENIED = "603"


class NotOfferedError(MarketoBulkError):
    """A stream that the catalog selects, and that the settings or Marketo do not have.

    Remedy: Deselect the stream, or change the setting.
    """

    remedy = "Deselect the stream, or change the setting"


class Discovery:
    """Makes the streams; one whose fields Marketo does not tell costs the others nothing."""

    def __init__(self, tap: TapMarketoBulk) -> None:
        self._tap = tap
        self.left_out: dict[str, MarketoBulkError] = {}
        """The streams that are not there, each with what Marketo said."""
        self._wanted: list[str] = []

    def streams(self) -> list[Stream]:
        """Return the streams there are.

        Raises: MarketoBulkError if Marketo does not tell what there is.
        """
        tap = self._tap
        exports = []
        for each in tap.exports_listed:
            if each is Activities and tap.settings.splits_activities:
                continue
            with self._left_out_if_refused(each.names.stream, is_selected=each.is_selected):
                exports.append(ExportStream(tap, each(tap.instance)))
        untracked = () if tap.settings.tracks_removed_members else (RemovedProgramMembers,)
        found: list[Stream] = [
            *exports,
            *self._activity_streams(),
            *self._custom_objects(),
            *(each(tap) for each in ASSETS if each not in untracked),
        ]
        for name in self._selected_without(found):
            self._wanted.append(name)
            self._leave_out(name, self._why_not_offered(name))
        return found

    def replayed(self, replay: Replay, kept: Iterable[type[StreamDescription]]) -> list[Stream]:
        """Return the streams that an archive has files for.

        Raises: ConfigurationError if it does not tell what the streams of types need.
        """
        tap = self._tap
        found: list[Stream] = []
        for each in kept:
            if each is Activities and tap.settings.splits_activities:
                if not tap.instance.activity_types:
                    raise ConfigurationError(
                        "replay_url: this archive does not tell the types of its activities, which "
                        "an older version wrote. Set activity_streams to one"
                    )
                found += type_streams(tap, tap.instance)
            else:
                found.append(ExportStream(tap, each(tap.instance)))
        found += self._archived_custom_objects(replay)
        absent = self._selected_without(found)
        if absent:
            tap.logger.warning(
                "replay_url: the archive brings no records of the selected streams %s",
                ", ".join(absent),
            )
        return found

    def offered(self) -> list[ExportStream]:
        """Return the streams of all custom objects that can be exported; none if none may be seen.

        Only for a catalog: it takes a call for each of them.
        """
        try:
            names = custom_objects.offered(self._tap.instance)
        except RejectedError as error:
            self._tap.logger.info("The catalog has no custom objects: %s", error)
            return []
        return list(self._described(names))

    def _activity_streams(self) -> list[ActivityTypeStream]:
        tap, found = self._tap, []
        if tap.settings.splits_activities:
            with self._left_out_if_refused(Activities.names.stream, is_selected=False):
                found = type_streams(tap, tap.instance)
        return found

    def _custom_objects(self) -> Iterator[ExportStream]:
        """Yield the streams of the custom objects that a setting or the catalog names."""
        tap = self._tap
        wanted = tap.settings.custom_objects
        if wanted:
            for name in wanted:
                custom_objects.check_name(tap.instance, name)
        elif tap.input_catalog is not None:
            wanted = tuple(
                entry.tap_stream_id.removeprefix(custom_objects.PREFIX)
                for entry in tap.input_catalog.streams
                if entry.tap_stream_id.startswith(custom_objects.PREFIX)
                and entry.metadata.resolve_selection()[()]
            )
        yield from self._described(wanted)

    def _archived_custom_objects(self, replay: Replay) -> Iterator[ExportStream]:
        """Yield the streams of the custom objects in an archive, or those that a setting names.

        Raises: ConfigurationError for one that is selected, and whose key the archive lacks.
        """
        wanted = self._tap.settings.custom_objects
        for each in replay.custom_objects:
            name = custom_objects.api_name(each)
            if wanted and name not in wanted:
                continue
            try:
                described = custom_objects.archived(replay, each)
            except ConfigurationError as error:
                stream = f"{custom_objects.PREFIX}{name}"
                if self._is_selected(stream):
                    raise
                self._leave_out(stream, error)  # the other streams can be read without it
            else:
                yield ExportStream(self._tap, described(self._tap.instance))

    def _described(self, names: Iterable[str]) -> Iterator[ExportStream]:
        for name in names:
            stream = None
            with self._left_out_if_refused(f"{custom_objects.PREFIX}{name}", is_selected=False):
                described = custom_objects.describe(self._tap.instance, name)
                stream = ExportStream(self._tap, described(self._tap.instance))
            if stream is not None:
                yield stream

    def fail_those_wanted(self) -> None:
        """Let the selected streams that are not there count as failed.

        Raises: the error of one, if the run is to end at the first.
        """
        for stream in self._wanted:
            error = self.left_out[stream]
            if not self._tap.failures.take(stream, error):
                raise error

    @contextlib.contextmanager
    def _left_out_if_refused(self, stream: str, *, is_selected: bool) -> Iterator[None]:
        try:
            yield
        except MarketoBulkError as error:
            catalog = self._tap.input_catalog
            # A catalog is made for good; what is not about a permission may be over tomorrow.
            if error.concerns_all or (catalog is None and error.code != ACCESS_DENIED):
                raise
            if catalog is not None:
                is_selected = self._is_selected(stream)
            if is_selected:
                self._wanted.append(stream)
            self._leave_out(stream, error)

    def _selected_without(self, found: Iterable[Stream]) -> list[str]:
        """Return the streams that the given catalog selects, and nobody has spoken of."""
        catalog = self._tap.input_catalog
        told = {*self.left_out, *(stream.name for stream in found)}
        return [
            entry.tap_stream_id
            for entry in (catalog.streams if catalog is not None else ())
            if entry.tap_stream_id not in told and entry.metadata.resolve_selection()[()]
        ]

    def _why_not_offered(self, name: str) -> MarketoBulkError:
        activities = Activities.names.stream
        if name == RemovedProgramMembers.name:
            why = "it needs track_removed_members"
        elif name.startswith(custom_objects.PREFIX):
            why = f"{custom_objects.SETTING} does not list it"
        elif name == activities:
            why = "activity_streams is per_type"
        elif not self._tap.settings.splits_activities:
            why = "it needs activity_streams: per_type"
        elif activities in self.left_out:
            return self.left_out[activities]  # Marketo does not tell the types
        else:
            why = "there is no such type of activities, or activity_types does not list it"
        return NotOfferedError(why)

    def _is_selected(self, stream: str) -> bool:
        """Return whether the given catalog selects a stream."""
        catalog = self._tap.input_catalog
        entry = None if catalog is None else catalog.get_stream(stream)
        return entry is not None and entry.metadata.resolve_selection()[()]

    def _leave_out(self, stream: str, error: MarketoBulkError) -> None:
        self.left_out[stream] = error
        self._tap.logger.warning("The catalog has no stream %s: %s", stream, error)
