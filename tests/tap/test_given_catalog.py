"""A catalog from outside is followed, or one line says what in it cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.singerlib import Catalog

from marketo_bulk import ConfigurationError
from tap_marketo_bulk.streams.given_catalog import checked_catalog
from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.streams.programs import Programs
from tap_marketo_bulk.streams.stream_rules import rules_of
from tests.tap_runs import created_jobs, make_tap, members_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun

MEMBERS, PROGRAMS = "program_members", "programs"

RULES = {"program_members": rules_of(ProgramMembers), "programs": Programs.rules}


def entry(name: str = MEMBERS, **other: Any) -> dict[str, Any]:
    """Return an entry as a person would write it, in as few words as possible."""
    properties = {"id": {"type": "integer"}} if name == PROGRAMS else {"program": {}}
    return {"tap_stream_id": name, "schema": {"properties": properties}, **other}


def root(**said: Any) -> list[dict[str, Any]]:
    """Return metadata of the stream itself."""
    return [{"breadcrumb": [], "metadata": {k.replace("_", "-"): v for k, v in said.items()}}]


MALFORMED: dict[str, tuple[object, str]] = {
    "an empty object": ({}, "streams"),
    "a list": ([], "streams"),
    "a number": (5, "streams"),
    "streams null": ({"streams": None}, "streams"),
    "streams an object": ({"streams": {}}, "streams"),
    "no stream": ({"streams": []}, "streams"),
    "a stream null": ({"streams": [None]}, "stream 1"),
    "a stream without a name": ({"streams": [entry(), {"schema": {}}]}, "stream 2"),
    "a name that is no text": ({"streams": [{**entry(), "tap_stream_id": 5}]}, "stream 1"),
    "a stream twice": ({"streams": [entry(), entry()]}, "program_members.* twice"),
    "another stream": ({"streams": [entry("members")]}, "stream members.*program_members"),
    "a renamed stream": ({"streams": [entry(stream="members")]}, "stream.*'members'"),
    "stream no text": ({"streams": [entry(stream=["x"])]}, "stream"),
    "metadata an object": ({"streams": [entry(metadata={})]}, "metadata"),
    "metadata of nothing": ({"streams": [entry(metadata=[{}])]}, "breadcrumb"),
    "metadata null itself": ({"streams": [entry(metadata=None)]}, "`metadata` must be a list"),
    "metadata null": ({"streams": [entry(metadata=[None])]}, "breadcrumb"),
    "breadcrumb a text": (
        {"streams": [entry(metadata=[{"breadcrumb": "x", "metadata": {}}])]},
        "breadcrumb",
    ),
    "breadcrumb of numbers": (
        {"streams": [entry(metadata=[{"breadcrumb": [[1]], "metadata": {}}])]},
        "breadcrumb",
    ),
    "selected a text": ({"streams": [entry(metadata=root(selected="false"))]}, "selected.*'false'"),
    "selected a number": ({"streams": [entry(metadata=root(selected=0))]}, "selected"),
    "inclusion unknown": ({"streams": [entry(metadata=root(inclusion="auto"))]}, "inclusion"),
    "inclusion a list": ({"streams": [entry(metadata=root(inclusion=[]))]}, "inclusion"),
    "no schema": ({"streams": [{"tap_stream_id": MEMBERS}]}, "schema"),
    "schema null": ({"streams": [entry(schema=None)]}, "schema"),
    "schema true": ({"streams": [entry(schema=True)]}, "schema"),
    "properties null": ({"streams": [entry(schema={"properties": None})]}, "properties"),
    "properties a list": ({"streams": [entry(schema={"properties": []})]}, "properties"),
    "a property true": ({"streams": [entry(schema={"properties": {"x": True}})]}, "property x"),
    "a property false": ({"streams": [entry(schema={"properties": {"x": False}})]}, "property x"),
    "a property null": ({"streams": [entry(schema={"properties": {"x": None}})]}, "property x"),
    "a record that is text": (
        {"streams": [entry(schema={"type": "string", "properties": {}})]},
        "type",
    ),
    "anyOf of records": (
        {"streams": [entry(schema={"properties": {}, "anyOf": [{"required": ["x"]}]})]},
        "anyOf",
    ),
    "required a text": (
        {"streams": [entry(schema={"properties": {}, "required": "leadId"})]},
        "required",
    ),
    "required unknown": (
        {"streams": [entry(schema={"properties": {}, "required": ["leadId", "x"]})]},
        "required.*'x'",
    ),
    "required of no text": (
        {"streams": [entry(schema={"properties": {}, "required": [["x"]]})]},
        "required.*x",
    ),
    "key a text": ({"streams": [entry(key_properties="leadId")]}, "key_properties"),
    "key unknown": ({"streams": [entry(key_properties=["email"])]}, "key_properties"),
    "key deselected": (
        {
            "streams": [
                entry(
                    key_properties=["program"],
                    metadata=[
                        *root(selected=True),
                        {"breadcrumb": ["properties", "program"], "metadata": {"selected": False}},
                    ],
                )
            ]
        },
        "key_properties",
    ),
}
"""What a catalog can be, and what the line about it must name."""


@pytest.mark.fault(
    "T5.2",
    "a catalog is no catalog, names another stream, has `true` for a property's schema, …",
    "one line that names stream and property",
)
@pytest.mark.parametrize("case", MALFORMED)
def test_a_catalog_that_cannot_be_followed_is_one_line(case: str) -> None:
    """It names what is wrong, and has no line break."""
    catalog, named = MALFORMED[case]
    with pytest.raises(ConfigurationError, match=f"(?s){named}") as caught:
        checked_catalog(catalog, RULES)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("broken", [{}, [], "x", 5, {"streams": [entry("members")]}])
def test_the_tap_refuses_it_before_a_call(emulator: Emulator, broken: object) -> None:
    """Nothing is asked of Marketo for a catalog nobody can follow."""
    with pytest.raises(ConfigurationError):
        make_tap(emulator, catalog=broken)  # type: ignore[arg-type]
    assert not list(emulator.requests)


def test_an_unselected_stream_may_be_anything(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """An entry that is not used does not stop the run."""
    other = {"tap_stream_id": "leads", "metadata": root(selected=False), "schema": {"x": True}}
    run = run_tap(emulator, catalog={"streams": [entry(metadata=root(selected=True)), other]})
    assert {m["stream"] for m in run.of_type("SCHEMA")} == {MEMBERS}


def test_a_catalog_object_is_checked_too(emulator: Emulator) -> None:
    """Who uses the class gets the same."""
    catalog = Catalog.from_dict({"streams": [entry(replication_method="LOG_BASED")]})
    with pytest.raises(ConfigurationError, match="LOG_BASED"):
        make_tap(emulator, catalog=catalog)


METHODS: list[tuple[str, dict[str, Any], str]] = [
    (MEMBERS, {"replication_method": "LOG_BASED"}, "LOG_BASED"),
    (MEMBERS, {"replication_method": "incremental"}, "'incremental'.*INCREMENTAL or FULL_TABLE"),
    (MEMBERS, {"replication_method": "full_table"}, "full_table"),
    (MEMBERS, {"replication_method": 5}, "5"),
    (MEMBERS, {"replication_method": ["FULL_TABLE"]}, "FULL_TABLE"),
    (MEMBERS, {"metadata": root(selected=True, replication_method="LOG_BASED")}, "LOG_BASED"),
    (MEMBERS, {"metadata": root(selected=True, forced_replication_method="Full")}, "Full"),
    (MEMBERS, {"replication_key": "createdAt"}, "createdAt.*updatedAt"),
    (MEMBERS, {"replication_key": "updatedat"}, "updatedat"),
    (MEMBERS, {"replication_key": ["updatedAt"]}, "updatedAt"),
    (
        MEMBERS,
        {"metadata": root(selected=True, replication_key="membershipDate")},
        "membershipDate",
    ),
    (
        MEMBERS,
        {"replication_method": "FULL_TABLE", "replication_key": "createdAt"},
        "createdAt",
    ),
    (PROGRAMS, {"replication_method": "INCREMENTAL"}, "INCREMENTAL.*FULL_TABLE"),
    (PROGRAMS, {"replication_key": "updatedAt"}, "updatedAt.*Remove"),
    (PROGRAMS, {"metadata": root(selected=True, replication_method="LOG_BASED")}, "LOG_BASED"),
]


@pytest.mark.fault(
    "T10.1",
    "a catalog asks for `LOG_BASED`, `incremental`, another word or another `replication-key`",
    "refuses it, and names stream, value and what is allowed",
)
@pytest.mark.parametrize(("name", "said", "named"), METHODS)
def test_a_way_of_replication_that_does_not_exist_is_refused(
    emulator: Emulator, name: str, said: dict[str, Any], named: str
) -> None:
    """Wherever the catalog says it; nothing is replicated in another way in silence."""
    with pytest.raises(ConfigurationError, match=named) as caught:
        make_tap(emulator, catalog={"streams": [entry(name, **said)]})
    assert name in str(caught.value)
    assert not created_jobs(emulator)


@pytest.mark.parametrize("name", [MEMBERS, PROGRAMS])
def test_of_an_unselected_stream_it_does_not_matter(emulator: Emulator, name: str) -> None:
    """A rule for all streams may say what one of them cannot do."""
    said = entry(name, metadata=root(selected=False, replication_method="LOG_BASED"))
    make_tap(emulator, catalog={"streams": [said]})


@pytest.mark.fault(
    "T10.1",
    "… asks for `FULL_TABLE` in one of three places, or names no method, key or `key_properties`",
    "follows whichever place says another than discovery; what is not said is as discovered",
)
@pytest.mark.parametrize(
    ("said", "method"),
    [
        ({}, "INCREMENTAL"),
        ({"replication_method": None, "replication_key": None}, "INCREMENTAL"),
        ({"replication_method": "INCREMENTAL", "replication_key": "updatedAt"}, "INCREMENTAL"),
        ({"replication_method": "FULL_TABLE"}, "FULL_TABLE"),
        ({"metadata": root(selected=True, replication_method="FULL_TABLE")}, "FULL_TABLE"),
        (
            {
                "replication_method": "INCREMENTAL",
                "metadata": root(selected=True, replication_method="FULL_TABLE"),
            },
            "FULL_TABLE",
        ),
        (
            {
                "replication_method": "INCREMENTAL",
                "metadata": root(selected=True, forced_replication_method="FULL_TABLE"),
            },
            "FULL_TABLE",
        ),
    ],
)
def test_the_method_is_what_the_catalog_says_anywhere(
    emulator: Emulator, run_tap: Callable[..., TapRun], said: dict[str, Any], method: str
) -> None:
    """FULL_TABLE moves no bookmark; key and method of discovery need not be repeated."""
    run = run_tap(emulator, catalog={"streams": [entry(**said)]})
    (schema,) = run.of_type("SCHEMA")
    assert schema["key_properties"] == ["leadId", "programId"]
    assert schema["bookmark_properties"] == ["updatedAt"]
    assert run.table().keys() == members_of(emulator).keys()
    assert ("program_bookmarks" in run.bookmark) == (method == "INCREMENTAL")


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"key_properties": []}, []),
        ({"key_properties": ["programId", "leadId"]}, ["programId", "leadId"]),
        ({"metadata": root(selected=True, table_key_properties=["leadId"])}, ["leadId"]),
    ],
)
def test_a_key_of_ones_own_is_announced(
    emulator: Emulator, run_tap: Callable[..., TapRun], said: dict[str, Any], key: list[str]
) -> None:
    """SCHEMA has the key the catalog names, in the entry or its metadata."""
    (schema,) = run_tap(emulator, catalog={"streams": [entry(**said)]}).of_type("SCHEMA")
    assert schema["key_properties"] == key
