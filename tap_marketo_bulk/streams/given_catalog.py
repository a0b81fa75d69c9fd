"""Given catalog: a catalog from outside, checked before the SDK believes it.

The SDK takes what it does not understand for something else: an unknown replication method is
incremental, a stream of another name is not selected, text in place of `false` selects.
"""

from __future__ import annotations

import copy
import json
import logging
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import MetadataMapping
from singer_sdk.singerlib.schema import resolve_schema_references

from marketo_bulk import ConfigurationError
from tap_marketo_bulk.streams.property_schema import check_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_marketo_bulk.streams.stream_rules import StreamRules

logger = logging.getLogger(__name__)

INCLUSIONS = ("available", "automatic", "unsupported")
ROOT_KEYWORDS_REFUSED = frozenset(
    {"anyOf", "allOf", "oneOf", "not", "if", "enum", "const", "patternProperties"}
    | {"propertyNames", "minProperties", "maxProperties", "dependentRequired", "dependentSchemas"}
)
ADVICE = "Make a new catalog with --discover."

Entry = dict[str, Any]


def checked_catalog(catalog: object, rules: Mapping[str, StreamRules]) -> dict[str, Any]:
    """Return a catalog in which each stream says what the SDK goes by, and nothing else.

    Shape: `rules` are those of each stream there is. Keys, replication method and replication key
        stand in the entry itself; properties no record is without are there and cannot be
        deselected; references are resolved.
    Raises: ConfigurationError that names stream and property of what cannot be followed.
    """
    entries = catalog.get("streams") if isinstance(catalog, dict) else None
    if not isinstance(entries, list) or not entries:
        raise ConfigurationError(
            'the catalog must be an object with a list of streams, {"streams": [...]}. ' + ADVICE
        )
    checked = [_checked_entry(entry, number, rules) for number, entry in enumerate(entries, 1)]
    names = [entry["tap_stream_id"] for entry in checked]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"the catalog lists the stream {name!r} twice: remove one")
    return {**catalog, "streams": checked}  # type: ignore[dict-item]  # a dict, as seen above


def names_in(catalog: object, prefix: str) -> list[str]:
    """Return the names of the streams in a catalog, checked or not, that begin with a prefix."""
    entries = catalog.get("streams") if isinstance(catalog, dict) else None
    ids = (
        entry.get("tap_stream_id")
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    )
    return [name for name in ids if isinstance(name, str) and name.startswith(prefix)]


def _checked_entry(given: object, number: int, all_rules: Mapping[str, StreamRules]) -> Entry:
    name = given.get("tap_stream_id") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(name, str) or not name:
        raise ConfigurationError(f"the catalog's stream {number} has no tap_stream_id. {ADVICE}")
    entry = copy.deepcopy(given)
    place = f"catalog, stream {name}"
    _check_metadata(entry, place)
    if all(item["breadcrumb"] for item in entry["metadata"]):
        # The SDK's default for a stream of which nothing is said.
        entry["metadata"] += [{"breadcrumb": [], "metadata": {"selected": True}}]
    metadata = MetadataMapping.from_iterable(entry["metadata"])
    if not metadata.resolve_selection().get((), True):
        # Nothing of it is used, so nothing need be right but its form.
        schema = entry.get("schema")
        return {**entry, "stream": name, "schema": schema if _is_schema(schema) else {}}
    if name not in all_rules:
        raise ConfigurationError(
            f"{place}: the tap has no such stream; it has {', '.join(all_rules)}. "
            "Deselect it, or correct its tap_stream_id."
        )
    if entry.get("stream") not in (None, name):
        raise ConfigurationError(
            f"{place}: `stream` is {entry['stream']!r}, and must be {name!r}. "
            "Rename a stream with `__alias__` in stream_maps."
        )
    entry["stream"] = name
    rules = all_rules[name]
    root = _root_of(entry)
    _settle_replication(entry, root, rules, place)
    _check_schema(entry, rules, place)
    _add_automatic(entry, rules, place)
    _settle_key(entry, root, rules, place)
    return entry


def _root_of(entry: Entry) -> Mapping[str, Any]:
    """Return what the metadata says of the stream itself."""
    found: list[dict[str, Any]] = [m["metadata"] for m in entry["metadata"] if not m["breadcrumb"]]
    return found[-1] if found else {}


def _is_schema(schema: object) -> bool:
    if not isinstance(schema, dict):
        return False
    properties = schema.get("properties", {})
    return isinstance(properties, dict) and all(map(_is_schema, properties.values()))


def _check_metadata(entry: Entry, place: str) -> None:
    entry.setdefault("metadata", [])
    if not isinstance(entry["metadata"], list):
        # Taken for an empty one, null would select every field without a word.
        raise ConfigurationError(
            f"{place}: `metadata` must be a list. Leave it out to select all properties, "
            "or make a new catalog with --discover."
        )
    for number, item in enumerate(entry["metadata"], 1):
        crumbs = item.get("breadcrumb") if isinstance(item, dict) else None
        values = item.get("metadata") if isinstance(item, dict) else None
        if (
            not isinstance(crumbs, list)
            or not all(isinstance(crumb, str) for crumb in crumbs)
            or not isinstance(values, dict)
        ):
            raise ConfigurationError(
                f"{place}: metadata {number} must have a `breadcrumb`, a list of texts, and "
                "`metadata`, an object"
            )
        of = f"{place}, metadata of {'.'.join(crumbs[1::2]) or 'the stream'}"
        for word in ("selected", "selected-by-default"):
            if not isinstance(values.get(word), bool | None):
                raise ConfigurationError(
                    f"{of}: `{word}` is {values[word]!r}, and must be true or false"
                )
        if values.get("inclusion") not in (None, *INCLUSIONS):
            raise ConfigurationError(
                f"{of}: `inclusion` is {values['inclusion']!r}, and must be one of "
                f"{', '.join(INCLUSIONS)}"
            )


def _settle_replication(
    entry: Entry, root: Mapping[str, Any], rules: StreamRules, place: str
) -> None:
    """Have the entry name the method and the key: the SDK looks at part of the places only."""
    default = rules.methods[0]
    said = (
        root.get("replication-method"),
        root.get("forced-replication-method"),
        entry.get("replication_method"),
    )
    methods = [method for method in said if method not in (None, "")]
    for method in methods:
        if method not in rules.methods:
            raise ConfigurationError(
                f"{place}: replication-method {method!r} is not possible. "
                f"Set it to {' or '.join(rules.methods)}."
            )
    # Discovery writes the usual method, so another one is what somebody has chosen.
    entry["replication_method"] = next((m for m in methods if m != default), default)
    for key in (root.get("replication-key"), entry.get("replication_key")):
        if key not in (None, "", rules.replication_key):
            possible = (
                f"Set it to {rules.replication_key}" if rules.replication_key else "Remove it"
            )
            raise ConfigurationError(
                f"{place}: replication-key {key!r} is not possible. {possible}."
            )
    entry["replication_key"] = rules.replication_key


def _check_schema(entry: Entry, rules: StreamRules, place: str) -> None:
    schema = entry.get("schema")
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        raise ConfigurationError(f"{place}: `schema` must be an object with `properties`. {ADVICE}")
    types = schema.get("type", "object")
    if types != "object" and not (isinstance(types, list) and "object" in types):
        raise ConfigurationError(f"{place}: the schema's `type` must be object, as records are")
    refused = sorted(ROOT_KEYWORDS_REFUSED & schema.keys())
    if refused:
        raise ConfigurationError(
            f"{place}: the schema's {', '.join(refused)} cannot be followed: move what it says to "
            "the properties"
        )
    required = schema.get("required", [])
    if not isinstance(required, list):
        raise ConfigurationError(f"{place}: the schema's `required` must be a list of names")
    known = {*schema["properties"], *rules.automatic}
    absent = [name for name in required if not isinstance(name, str) or name not in known]
    if absent:
        raise ConfigurationError(
            f"{place}: the schema's `required` names {absent[0]!r}, which its properties lack: "
            "add the property, or take its name out"
        )
    entry["schema"] = _without_references(schema, place)


def _without_references(schema: dict[str, Any], place: str) -> dict[str, Any]:
    """Return the same with `$ref` written out: the SDK drops the definitions it may lead to."""
    for name, property_schema in schema["properties"].items():
        check_schema(property_schema, f"{place}, property {name}")
    if '"$ref"' not in json.dumps(schema, default=str):
        return schema
    try:
        resolved = resolve_schema_references(schema)
    except Exception as error:  # whatever keeps the SDK from following it
        raise ConfigurationError(
            f"{place}: a `$ref` in the schema cannot be followed: write out what it stands for"
        ) from error
    for name, property_schema in resolved["properties"].items():
        check_schema(property_schema, f"{place}, property {name}")
    return resolved


def _add_automatic(entry: Entry, rules: StreamRules, place: str) -> None:
    """Put back what every record has, and what it takes to know what is new."""
    properties = entry["schema"]["properties"]
    missing = [name for name in rules.automatic if name not in properties]
    if missing:
        logger.warning("%s: %s added, which no record is without", place, ", ".join(missing))
    for name, schema in rules.automatic.items():
        properties.setdefault(name, copy.deepcopy(dict(schema)))
        crumbs = ["properties", name]
        entry["metadata"] = [
            *(item for item in entry["metadata"] if item["breadcrumb"] != crumbs),
            {"breadcrumb": crumbs, "metadata": {"inclusion": "automatic"}},
        ]


def _settle_key(entry: Entry, root: Mapping[str, Any], rules: StreamRules, place: str) -> None:
    said = (entry.get("key_properties"), root.get("table-key-properties"), rules.key)
    key = next(names for names in said if names is not None)
    mask = MetadataMapping.from_iterable(entry["metadata"]).resolve_selection()
    known = {name for name in entry["schema"]["properties"] if mask["properties", name]}
    if not isinstance(key, list | tuple) or not known.issuperset(map(str, key)):
        raise ConfigurationError(
            f"{place}: key_properties {key!r} must be a list of selected properties, such as "
            f"{[*rules.key]}"
        )
    entry["key_properties"] = list(key)
