"""Manifest: what an archive says of one of its files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketo_bulk import (
    ActivityAttribute,
    ActivityType,
    ConfigurationError,
    DecodeError,
    FieldDescription,
    format_timestamp,
    parse_timestamp,
)
from marketo_bulk.exports.objects import custom_object_of
from marketo_bulk.jobs import checked_job_id
from marketo_bulk.timestamps import floor_second

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from marketo_bulk import ExportFile, FinishedExport

SUFFIX = ".json"
CONTENT_SUFFIX = ".csv.gz"
CHECKSUM = "sha256:"
IDS = "Ids"
"""How Marketo names the filters that hold several ids."""
NO_MANIFEST = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
    OverflowError,
    DecodeError,
)
"""What comes of reading something else as one."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One file: what was asked for, of whom, and what came.

    Units: `size_bytes` as Marketo sent the file, `compressed_bytes` as it lies in the archive; both
        count bytes. `rows` is what Marketo announced, None if nothing.
    """

    object_path: str
    export_id: str
    instance: str
    scope: Mapping[str, Any]
    window: Mapping[str, str] | None
    fields: tuple[str, ...]
    columns: tuple[FieldDescription, ...]
    created_at: datetime
    sha256: str
    rows: int | None
    size_bytes: int
    compressed_bytes: int = 0
    keep_from: datetime | None = None
    """The run left rows out that were changed before it, because Marketo could not."""
    activity_types: tuple[ActivityType, ...] = ()
    """The types of the activities that were asked for, as Marketo listed them then."""
    key: tuple[str, ...] = ()
    """The key properties of its records; empty where an older version wrote it."""

    @classmethod
    def of(
        cls,
        finished: FinishedExport[Any],
        file: ExportFile,
        *,
        instance: str,
        columns: Iterable[FieldDescription],
        created_at: datetime,
        keep_from: datetime | None = None,
        activity_types: Iterable[ActivityType] = (),
        key: Iterable[str] = (),
    ) -> Manifest:
        """Return the manifest of the file of a job, which is about to be archived."""
        request, job = finished.request, finished.job
        window = None
        scope = dict(request.export_filter)
        for name, value in request.export_filter.items():
            if isinstance(value, dict) and {"startAt", "endAt"} <= value.keys():
                window = {**scope.pop(name), "filter": name}  # type: ignore[dict-item]  # is it
        return cls(
            request.object.path,
            job.export_id,
            instance,
            scope,
            window,
            request.fields,
            tuple(columns),
            created_at,
            file.sha256,
            job.number_of_records,
            file.size_bytes,
            keep_from=keep_from,
            activity_types=tuple(activity_types),
            key=tuple(key),
        )

    @property
    def content_name(self) -> str:
        """Where its file lies in the archive."""
        return f"{self._stem}{CONTENT_SUFFIX}"

    @property
    def name(self) -> str:
        """Where it lies itself."""
        return f"{self._stem}{SUFFIX}"

    @property
    def _stem(self) -> str:
        return f"{self.object_path}/{self.created_at:%Y/%m}/{self.export_id}"

    @property
    def follows(self) -> tuple[datetime, datetime]:
        """Return what orders files so that the newest row of a key comes last.

        A row was last changed inside the window of its file, if that is one of changes. A file of
        everything, or of what was created when, shows how things were when its job was made.
        """
        if self.window is None or self.window["filter"] == "createdAt":
            return self.created_at, self.created_at
        return parse_timestamp(self.window["endAt"]), self.created_at

    def to_json(self) -> bytes:
        """Return it as one line."""
        content = {
            "object": self.object_path,
            "exportId": self.export_id,
            "instance": self.instance,
            "scope": self.scope,
            "window": self.window,
            "fields": self.fields,
            "key": self.key,
            "columns": [
                {"name": c.name, "dataType": c.data_type, "label": c.display_name}
                for c in self.columns
            ],
            "createdAt": _moment(self.created_at),
            "keepFrom": None if self.keep_from is None else _moment(self.keep_from),
            "checksum": f"{CHECKSUM}{self.sha256}",
            "rows": self.rows,
            "bytes": self.size_bytes,
            "compressedBytes": self.compressed_bytes,
        }
        if self.activity_types:
            content["activityTypes"] = [_told(each) for each in self.activity_types]
        return json.dumps(content, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def parse(cls, text: bytes, name: str) -> Manifest:
        """Return the manifest that lies in an archive as `name`.

        Raises: ConfigurationError naming it if it is none.
        """
        try:
            return cls._of_json(json.loads(text))
        except NO_MANIFEST as error:
            raise ConfigurationError(
                f"replay_url: {name} is not the manifest of an archived file. Restore it, or take "
                "it and its file away"
            ) from error

    @classmethod
    def _of_json(cls, content: Mapping[str, Any]) -> Manifest:
        window = content["window"]
        if window is not None:
            window = {key: str(window[key]) for key in ("startAt", "endAt", "filter")}
            parse_timestamp(window["startAt"])  # raises if it is none, as the next one does
            parse_timestamp(window["endAt"])
        columns, since = content["columns"], content.get("keepFrom")
        path = str(content["object"])
        custom_object_of(path)  # raises if the name of a custom object is none
        return cls(
            path,
            checked_job_id(content["exportId"]),
            str(content["instance"]),
            _scope(content["scope"]),
            window,
            _names(content["fields"]),
            tuple(map(_column, columns)),
            parse_timestamp(content["createdAt"]),
            str(content["checksum"]).removeprefix(CHECKSUM),
            content["rows"],
            int(content["bytes"]),
            int(content["compressedBytes"]),
            None if since is None else parse_timestamp(since),
            tuple(map(_activity_type, content.get("activityTypes", ()))),
            tuple(map(str, content.get("key", ()))),
        )


def _moment(moment: datetime) -> str:
    return format_timestamp(floor_second(moment))


def _scope(content: Mapping[str, Any]) -> dict[str, Any]:
    scope = dict(content)
    if any(name.endswith(IDS) and not isinstance(scope[name], list) for name in scope):
        raise TypeError("no list of ids")
    return scope


def _names(content: object) -> tuple[str, ...]:
    if not isinstance(content, list) or not content:
        raise TypeError("no list of names")
    return tuple(map(str, content))


def _column(content: Mapping[str, Any]) -> FieldDescription:
    name, label, data_type = (str(content[part]) for part in ("name", "label", "dataType"))
    return FieldDescription(name, label, data_type)


def _told(activity_type: ActivityType) -> dict[str, Any]:
    attributes = [{"name": a.name, "dataType": a.data_type} for a in activity_type.attributes]
    return {"id": activity_type.type_id, "name": activity_type.name, "attributes": attributes}


def _activity_type(content: Mapping[str, Any]) -> ActivityType:
    attributes = (
        ActivityAttribute(str(each["name"]), str(each["dataType"]))
        for each in content["attributes"]
    )
    return ActivityType(int(content["id"]), str(content["name"]), attributes=tuple(attributes))
