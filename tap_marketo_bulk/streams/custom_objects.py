"""Custom objects: a stream for each that can be exported, its fields as describe has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from marketo_bulk import ConfigurationError, FieldDescription, RejectedError, custom_object
from marketo_bulk.exports.objects import CUSTOM_OBJECTS
from marketo_bulk.metadata.custom_objects import CustomObject
from marketo_bulk.reader.columns import Kind, kind_of
from tap_marketo_bulk.streams.description import StreamDescription
from tap_marketo_bulk.streams.fields import Fields
from tap_marketo_bulk.streams.stream_rules import StreamRules
from tap_marketo_bulk.sync.names import EVERYTHING, StreamNames
from tap_marketo_bulk.sync.plan import CREATION_MARGIN, Scope
from tap_marketo_bulk.sync.spec import Scopes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from marketo_bulk import ExportObject, MarketoBulk
    from tap_marketo_bulk.streams.instance import Instance
    from tap_marketo_bulk.sync.plan import Unit
    from tap_marketo_bulk.sync.replay import Replay
    from tap_marketo_bulk.sync.spec import Repair

PREFIX = "custom_object_"
SETTING = "custom_objects"
UPDATED_AT = "updatedAt"
FILTER_UNSUPPORTED = "1035"

KEY_TYPES: Mapping[Kind, str] = {
    Kind.INTEGER: "integer",
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "boolean",
}


class CustomObjectRecords(StreamDescription):
    """The records of one custom object, incremental by `updatedAt`; a subclass for each."""

    described: ClassVar[CustomObject]

    @override
    def fields(self) -> Fields:
        listed = {field.name for field in self.described.fields}
        lacking = (
            FieldDescription(self.described.id_field, "Marketo GUID", "string"),
            FieldDescription(UPDATED_AT, "Updated At", "datetime"),
        )
        always = (field for field in lacking if field.name not in listed)
        return Fields((*always, *self.described.fields), self.keys)

    @override
    def scopes(self) -> Scopes:
        return Scopes((Scope(EVERYTHING, self.described.created_at),))

    @override
    def earliest(self, client: MarketoBulk, now: datetime) -> datetime | None:
        """Return when the object was made: none of its records is older."""
        made = self.described.created_at
        return None if made is None else min(made, now) - CREATION_MARGIN

    @override
    def repair(
        self, client: MarketoBulk, work: Unit, error: RejectedError, filters: Mapping[str, Any]
    ) -> Repair | None:
        if error.code == FILTER_UNSUPPORTED:
            raise RejectedError(
                f"this Marketo subscription cannot filter {self.described.name} by updatedAt, and "
                "there is no other way to export all of it",
                answer=error.answer,
                remedy="Deselect the stream",
            ) from error
        return None


def stream_of(described: CustomObject) -> type[CustomObjectRecords]:
    """Return the description of the stream of one custom object."""
    kinds = {field.name: kind_of(field.data_type) for field in described.fields}
    key = dict.fromkeys((*described.dedupe_fields, described.id_field))
    return type(
        f"CustomObject_{described.name}",
        (CustomObjectRecords,),
        {
            "described": described,
            "names": StreamNames(
                stream=f"{PREFIX}{described.name}", bookmark=UPDATED_AT, record="record"
            ),
            "object": custom_object(described.name),
            "keys": {name: KEY_TYPES.get(kinds.get(name, Kind.STRING), "string") for name in key},
        },
    )


def is_stream_name(name: str) -> bool:
    """Return whether a stream of this name may be one of a custom object."""
    try:
        custom_object(name.removeprefix(PREFIX))
    except ValueError:
        return False
    return True


def offered(instance: Instance) -> list[str]:
    """Return the API names of all custom objects that can be exported."""
    return [each.name for each in instance.custom_objects if each.is_linked_to_leads]


def describe(instance: Instance, name: str) -> type[CustomObjectRecords]:
    """Return the stream of the custom object of an API name.

    Raises: RejectedError if there is none, or it may not be read.
    """
    return stream_of(instance.client.describe_custom_object(name))


def archived(replay: Replay, export_object: ExportObject) -> type[CustomObjectRecords]:
    """Return the stream of a custom object that an archive has files of.

    Raises: ConfigurationError if it does not tell the key.
    """
    name, key = api_name(export_object), replay.key(export_object)
    if not key:
        raise ConfigurationError(
            f"replay_url: this archive does not tell the key of the custom object {name}, as an "
            "older version wrote it. Run with archive_url once more until a file of it is added, "
            "or deselect its stream"
        )
    # The GUID is the last of the key, or one of the others.
    *dedupe, id_field = key
    fields = tuple(replay.columns(export_object))
    return stream_of(
        CustomObject(name, id_field=id_field, dedupe_fields=tuple(dedupe), fields=fields)
    )


def api_name(export_object: ExportObject) -> str:
    """Return the API name of a custom object."""
    return export_object.path.removeprefix(CUSTOM_OBJECTS)


def check_name(instance: Instance, name: str) -> None:
    """Return if a custom object of this API name is listed, or Marketo does not list any.

    Raises: ConfigurationError that names those there are.
    """
    try:
        listed = [each.name for each in instance.custom_objects]
    except RejectedError:
        # What is refused is said of the stream itself.
        return
    if name not in listed:
        known = ", ".join(offered(instance)) or "none that can be exported"
        raise ConfigurationError(
            f"{SETTING}: this Marketo instance has no custom object {name!r}. It has {known}"
        )


def catalog_rules() -> StreamRules:
    """Return the rules of a stream of a custom object, of which only a catalog is known yet."""
    key = "marketoGUID"
    return StreamRules(
        key=(key,),
        methods=("INCREMENTAL", "FULL_TABLE"),
        replication_key=UPDATED_AT,
        automatic={
            key: {"type": ["string"]},
            UPDATED_AT: {"type": ["string", "null"], "format": "date-time"},
        },
    )
