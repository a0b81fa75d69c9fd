"""Replay: the files of an archive in place of Marketo's, as extracts."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from marketo_bulk import (
    ConfigurationError,
    ExportJob,
    ExportRequest,
    ExportStatus,
    FinishedExport,
    RowReader,
    parse_timestamp,
)
from marketo_bulk.exports.objects import custom_object_of
from tap_marketo_bulk.settings import FILTER_SETTINGS
from tap_marketo_bulk.sync.extract import ExportExtract
from tap_marketo_bulk.sync.plan import Unit
from tap_marketo_bulk.sync.replay_range import ReplayRange
from tap_marketo_bulk.sync.run import download_directory
from tap_marketo_bulk.sync.spec import ExportSpec
from tap_marketo_bulk.sync.windows import Window, format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from marketo_bulk import ActivityType, ExportFile, ExportObject, FieldDescription
    from marketo_bulk.reader.columns import Column
    from marketo_bulk.reader.text_decoder import Counts
    from tap_marketo_bulk.archive.archive import Archive
    from tap_marketo_bulk.archive.manifest import Manifest
    from tap_marketo_bulk.settings import TapSettings
    from tap_marketo_bulk.sync.names import StreamNames
    from tap_marketo_bulk.sync.selection import Selection

logger = logging.getLogger(__name__)

DescriptionT = TypeVar("DescriptionT", bound=ExportSpec)

END = "replay_end_date"


def faults(config: Mapping[str, Any]) -> list[str]:
    """Return, as sentences, which settings a replay cannot follow."""
    found = [
        f"{name} cannot be followed where replay_url is set: an archive holds what its runs asked "
        "for. Remove it, or filter by stream_maps"
        for name in FILTER_SETTINGS
        if config.get(name) not in (None, [])
    ]
    if config.get("archive_url"):
        found.append("archive_url and replay_url exclude each other: remove one of them")
    return found


class Replay:
    """One run over the files of an archive; no call is made."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._manifests = archive.manifests()
        if not self._manifests:
            raise ConfigurationError(
                "replay_url holds no export file. Name the location that archive_url was set to"
            )

    def streams(self, listed: Iterable[type[DescriptionT]]) -> list[type[DescriptionT]]:
        """Return the streams whose object has a file."""
        kept = {manifest.object_path for manifest in self._manifests}
        return [each for each in listed if each.object.path in kept]

    @property
    def custom_objects(self) -> list[ExportObject]:
        """Return the custom objects that have a file, in the order of their names."""
        paths = sorted({manifest.object_path for manifest in self._manifests})
        return [found for path in paths if (found := custom_object_of(path)) is not None]

    def key(self, export_object: ExportObject) -> tuple[str, ...]:
        """Return the key properties of an object, as the last file that tells them has them.

        Shape: empty where none tells, as an older version wrote all.
        """
        told = [manifest.key for manifest in self._of(export_object) if manifest.key]
        return told[-1] if told else ()

    def columns(self, export_object: ExportObject) -> list[FieldDescription]:
        """Return the fields that any file of an object has, as the last describes each."""
        found = {c.name: c for manifest in self._of(export_object) for c in manifest.columns}
        return [*found.values()]

    @property
    def activity_types(self) -> list[ActivityType]:
        """Return the types of activities that any file has, as the last describes each."""
        found = {each.type_id: each for m in self._manifests for each in m.activity_types}
        return sorted(found.values(), key=lambda each: each.type_id)

    def extracts(
        self, selection: Selection, names: StreamNames, settings: TapSettings
    ) -> Iterator[ExportExtract]:
        """Yield the files of a stream, the newest row of a key last.

        Raises: StorageError, or ConfigurationError for a file that is not the archived one.
        """
        manifests = self._of(selection.object)
        logger.info("%d files to be read from the archive", len(manifests))
        for number, manifest in enumerate(manifests):
            if _range(settings).leaves_out(_changes(manifest, names.news_by)):
                continue
            file = self._archive.fetch(manifest, download_directory(settings))
            try:
                yield self._extract(manifest, file, selection, settings, Unit(names, number, ()))
            finally:
                file.close()

    def written(self, finished: FinishedExport[Unit], counts: Counts) -> None:
        """Do nothing: there is no bookmark to move."""

    def meanwhile(self) -> None:
        """Do nothing: there is no STATE."""

    def unreadable(self, finished: FinishedExport[Unit]) -> None:
        """Do nothing: the archive stays as it is."""

    def _of(self, export_object: ExportObject) -> list[Manifest]:
        return [each for each in self._manifests if each.object_path == export_object.path]

    def _extract(
        self,
        manifest: Manifest,
        file: ExportFile,
        selection: Selection,
        settings: TapSettings,
        work: Unit,
    ) -> ExportExtract:
        bounds = _range(settings).within(_changes(manifest, work.names.news_by))
        bounds = bounds.from_on(manifest.keep_from)
        work = replace(
            work,
            scope=tuple(manifest.scope.get(work.names.scopes_key, ())),
            window=_window(manifest),
            keep_from=bounds.start,
        )
        reader = RowReader(
            _as_labelled(selection.columns_of(manifest.fields), manifest),
            on_bad_value=settings.on_bad_value,
            source=f"archived export {manifest.export_id}",
            keep_from=_bound(selection, bounds.start),
            keep_before=_bound(selection, bounds.end),
            required=selection.never_null.union(selection.keys),
        )
        job = ExportJob(
            manifest.export_id,
            ExportStatus.COMPLETED,
            number_of_records=manifest.rows,
            file_checksum=manifest.sha256,
        )
        # What tells the batch files of one replay from those of another.
        of_replay = {
            "archived": manifest.export_id,
            "fields": selection.fields(),
            "before": None if bounds.end is None else format_timestamp(bounds.end),
        }
        asked = ExportRequest(selection.object, manifest.fields, of_replay)
        finished = FinishedExport(work, asked, job, file)
        return ExportExtract(self, finished, reader, selection.checks)


def _as_labelled(columns: Iterable[Column], manifest: Manifest) -> list[Column]:
    """Return columns with the labels that a header had then; later files may have others."""
    then = {each.name: each.display_name for each in manifest.columns}
    return [
        replace(column, labels=(then[column.name], *column.labels))
        if column.name in then
        else column
        for column in columns
    ]


def _range(settings: TapSettings) -> ReplayRange:
    """Return what the settings let through.

    Raises: ConfigurationError if that is nothing.
    """
    start, end = settings.start_date, settings.replay_end_date
    if start is not None and end is not None and end <= start:
        raise ConfigurationError(f"{END} {format_timestamp(end)} is not after start_date")
    return ReplayRange(start, end)


def _bound(selection: Selection, moment: datetime | None) -> tuple[str, str] | None:
    return None if moment is None else (selection.bookmark, format_timestamp(moment))


def _changes(manifest: Manifest, news_by: str) -> Window | None:
    """Return the window of a file of changes; None for any other file."""
    window = manifest.window
    return None if window is None or window["filter"] != news_by else _window(manifest)


def _window(manifest: Manifest) -> Window | None:
    if manifest.window is None:
        return None
    return Window(
        parse_timestamp(manifest.window["startAt"]), parse_timestamp(manifest.window["endAt"])
    )
