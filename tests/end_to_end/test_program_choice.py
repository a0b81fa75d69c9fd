"""Programs are chosen by what the list tells of them; case ids are those of docs/faults.md."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk.errors import ConfigurationError
from marketo_bulk.http.protocol import Envelope
from marketo_bulk.metadata.programs import spelled_value
from marketo_emulator import Fault
from marketo_emulator.data.folders import TAG_TYPES
from singer_marketo.several import SeveralError
from tap_marketo_bulk.program_settings import ProgramWishes
from tap_marketo_bulk.streams.program_choice import chosen
from tap_marketo_bulk.streams.program_tags import ProgramTags
from tests.tap_runs import NO_RATE_LIMIT, catalog_with, created_jobs, members_of
from tests.virtual_runs import VirtualRuns

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun

# What the programs 1001 to 1008 of the emulator are made to be.
NAMES = {
    1001: "2026 Spring", 1002: "R&D + 100% / Ünïcode", 1003: "Webinar [1]", 1004: "2026 autumn",
    1005: "Test", 1006: "Other test", 1007: "2025 Spring", 1008: "X",
}  # fmt: skip
CHOICES: dict[str, tuple[dict[str, Any], set[int]]] = {
    "type": ({"program_types": ["event"]}, {1005}),
    "two types": ({"program_types": ["Event", "EMAIL"]}, {1001, 1005, 1007}),
    "channel": ({"program_channels": ["nurture"]}, {1003, 1008}),
    "workspace": ({"program_workspaces": ["emea"]}, {1006}),
    "folder by name": ({"program_folders": ["campaigns 1"]}, {1001, 1006}),
    "folder by id": ({"program_folders": ["11"]}, {1001, 1006}),
    "folder by a number": ({"program_folders": [11]}, {1001, 1006}),
    "name": ({"program_names": ["2026*"]}, {1001, 1004}),
    "names": ({"program_names": ["*SPRING", "x"]}, {1001, 1007, 1008}),
    "tag": ({"program_tags": ["Region=AMER"]}, {1001, 1003, 1005, 1007}),
    "tag in another case": ({"program_tags": ["region=amer"]}, {1001, 1003, 1005, 1007}),
    "either tag": ({"program_tags": ["Region=AMER", "Region=EMEA"]}, {*range(1001, 1009)}),
    "two tags": ({"program_tags": ["Region=AMER", "Owner=Ann"]}, {1003}),
    "type and name": ({"program_types": ["Email"], "program_names": ["2026*"]}, {1001}),
    "since": ({"programs_updated_since": "2026-06-15T12:30:00Z"}, {1004}),
    "without ids": ({"exclude_program_ids": [1001, 1002]}, {*range(1003, 1009)}),
    "with and without": (
        {"program_names": ["2026*", "*test"], "exclude_program_names": ["other*"]},
        {1001, 1004, 1005},
    ),
    "ids and without": ({"program_ids": [1001, 1002], "exclude_program_ids": [1002]}, {1001}),
}
EXCLUDED = [
    "type", "two types", "channel", "workspace", "folder by name", "folder by id",
    "folder by a number", "name", "names", "tag",
    "tag in another case",
]  # fmt: skip


@pytest.fixture
def instance(make_emulator: Callable[..., Emulator]) -> Emulator:
    """Return an instance of eight programs that differ."""
    emulator = make_emulator(programs=8, members=80)
    for program_id, name in NAMES.items():
        emulator.store.change_program(program_id, name=name)
    emulator.store.change_program(1006, workspace="EMEA")
    emulator.store.change_program(1003, tags=(("Region", "AMER"), ("Owner", "Ann")))
    emulator.advance(3600)
    emulator.store.change_program(1004, description="changed")
    return emulator


def exported(emulator: Emulator) -> set[int]:
    """Return the programs that export jobs were created for."""
    return {i for job in created_jobs(emulator) for i in job["filter"]["programIds"]}


@pytest.mark.fault(
    "S14", "names hold `&`, `+`, `%`, `/`, brackets", "are compared here, never sent"
)
@pytest.mark.parametrize(("config", "wanted"), CHOICES.values(), ids=CHOICES)
def test_only_the_chosen_programs_are_read(
    instance: Emulator,
    run_tap: Callable[..., TapRun],
    caplog: pytest.LogCaptureFixture,
    config: dict[str, Any],
    wanted: set[int],
) -> None:
    """Members and programs; what was chosen is said in one line."""
    with caplog.at_level(logging.INFO):
        run = run_tap(instance, config)
    assert exported(instance) == wanted
    assert {record["id"] for record in run.records("programs")} == wanted
    assert {key for key in members_of(instance) if key[1] in wanted} == run.table().keys()
    (line,) = (r.message for r in caplog.records if "programs chosen" in r.message)
    assert line.startswith(f"{len(wanted)} of ")
    terms = set(config) - {"program_ids"}
    assert all(name in line for name in terms)


@pytest.mark.parametrize("name", EXCLUDED)
def test_what_is_excluded_is_all_that_would_be_chosen(
    instance: Emulator, run_tap: Callable[..., TapRun], name: str
) -> None:
    """The two forms of a setting are each other's complement."""
    config, wanted = CHOICES[name]
    run_tap(instance, {f"exclude_{setting}": values for setting, values in config.items()})
    assert exported(instance) == set(NAMES) - wanted


@pytest.mark.parametrize(
    ("config", "calls"),
    [
        ({"program_channels": ["Nurture"], "program_names": ["*"]}, {"programs.browse"}),
        ({"program_tags": ["Region=AMER"]}, {"programs.browse", "programs.by_tag"}),
    ],
)
def test_only_tags_cost_calls(
    instance: Emulator, run_tap: Callable[..., TapRun], config: dict[str, Any], calls: set[str]
) -> None:
    """Everything else is in the list that is fetched anyway."""
    run_tap(instance, config)
    asked = {r.operation for r in instance.requests if r.path.startswith("/rest/asset")}
    assert asked == calls


def test_programs_not_chosen_keep_their_bookmarks(
    instance: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """As with `program_ids`; chosen again, they go on from there."""
    first = run_tap(instance)
    instance.advance(86_400)
    second = run_tap(instance, {"program_names": ["2026*"]}, state=first.last_state)
    marks = [entry["programIds"] for entry in second.bookmark["program_bookmarks"]]
    assert sorted(marks) == ["1001,1004", "1002-1003,1005-1008"]
    third = run_tap(instance, state=second.last_state)
    assert [e["programIds"] for e in third.bookmark["program_bookmarks"]] == ["1001-1008"]


def test_a_plain_bookmark_goes_on_for_programs_not_chosen(
    instance: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """A list that is chosen from says nothing of the others."""
    mark = "2026-06-14T00:00:00Z"
    state = {"bookmarks": {"program_members": {"replication_key_value": mark}}}
    run = run_tap(instance, {"program_names": ["2026*"]}, state=state)
    kept = {entry["updatedAt"]: entry["programIds"] for entry in run.bookmark["program_bookmarks"]}
    assert "1002-1003" in kept[mark]


@pytest.mark.fault(
    "S16",
    "the settings choose no program",
    "the run ends with one line that says which settings; nothing is exported, nothing emptied",
)
@pytest.mark.parametrize(
    "config", [{"program_channels": ["Webinr"]}, {"exclude_program_names": ["*"]}]
)
def test_s16_a_choice_of_nothing_is_an_error(
    instance: Emulator,
    run_tap: Callable[..., TapRun],
    config: dict[str, Any],
) -> None:
    """Never all of them in their place."""
    with pytest.raises(ConfigurationError, match=r"0 of 8 programs chosen: .*program_") as caught:
        run_tap(instance, config)
    assert created_jobs(instance) == []
    assert caught.value.run.of_type("ACTIVATE_VERSION") == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"program_channels": ["Webinr", "Nurture"]},
         "program_channels: no program has 'Webinr' (did you mean 'Webinar'?)"),
        ({"exclude_program_types": ["engagment"]},
         "exclude_program_types: no program has 'engagment' (did you mean 'Engagement'?)"),
        ({"exclude_program_names": ["zzz*"]}, "exclude_program_names: no program has 'zzz*'"),
        ({"exclude_program_ids": [7]}, "exclude_program_ids: there are no programs 7"),
        ({"exclude_program_tags": ["Regoin=EMEA"]},
         "exclude_program_tags: no program has 'Regoin=EMEA' (did you mean 'Region'?)"),
    ],
)  # fmt: skip
def test_a_value_that_no_program_has_is_said(
    instance: Emulator,
    run_tap: Callable[..., TapRun],
    caplog: pytest.LogCaptureFixture,
    config: dict[str, Any],
    said: str,
) -> None:
    """With the nearest one there is."""
    run_tap(instance, config)
    assert said in caplog.text


@pytest.mark.fault(
    "S8",
    "a type or value of a tag is unknown: success with a warning",
    "no program has it; a choice of nothing is never all, and the nearest type is said",
)
@pytest.mark.parametrize("tag", ["Regoin=EMEA", "Region=Mars"])
def test_s8_an_unknown_tag_chooses_nothing(
    instance: Emulator, run_tap: Callable[..., TapRun], tag: str
) -> None:
    """Which is an error."""
    with pytest.raises(ConfigurationError, match="0 of 8 programs chosen"):
        run_tap(instance, {"program_tags": [tag]})


def test_a_tag_that_is_none_is_refused(instance: Emulator, run_tap: Callable[..., TapRun]) -> None:
    """Before anything is asked."""
    for tag in ("Region", "=EMEA", "Region="):
        with pytest.raises(ConfigurationError, match="not a tag such as Region=EMEA"):
            run_tap(instance, {"program_tags": [tag]})


@pytest.mark.fault(
    "S7",
    "pages of programs with a tag overlap and skip, because their order is random",
    "beyond one page, programs that are missing are asked for one by one; the choice is exact",
)
def test_s7_a_tag_of_more_than_a_page_is_exact(
    make_emulator: Callable[..., Emulator],
    run_tap: Callable[..., TapRun],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """430 programs, every other has the tag; those already known cost no call."""
    emulator = make_emulator(programs=430, members=0)
    with caplog.at_level(logging.INFO):
        run = run_tap(emulator, {"program_tags": ["Region=EMEA"], "start_date": "2026-06-01"})
    assert {r["id"] for r in run.records("programs")} == set(range(1002, 1431, 2))
    alone = [entry for entry in emulator.requests if entry.operation == "programs.get"]
    assert len(alone) <= 230
    assert f"{len(alone)} more are asked for one by one" in caplog.text


@pytest.mark.fault(
    "S9",
    "a program lies in a program, whose id is that of a folder",
    "type and id are compared: it does not lie in that folder",
)
@pytest.mark.fault(
    "S10",
    "a folder's name holds `/`, or its type is spelt `FOLDER`",
    "names are compared whole, types in any case",
)
def test_s9_s10_folders_are_told_by_type_and_name(
    instance: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """Whatever lies in something else of the same id or name is left out."""
    store = instance.store
    store.change_program(1001, folder=("Program", 20, "Events / Webinars"))
    store.change_program(1002, folder=("FOLDER", 20, "Events / Webinars"))
    store.change_program(1003, folder=("Folder", 20, "Events / Webinars"))
    run_tap(instance, {"program_folders": ["20"]})
    run_tap(instance, {"program_folders": ["events / webinars"]})
    assert exported(instance) == {1002, 1003}


@pytest.mark.fault(
    "S13", "`filterType` is ignored, and every program comes", "is an error that says so"
)
def test_s13_an_ignored_filter_is_an_error(
    make_emulator: Callable[..., Emulator], run_tap: Callable[..., TapRun]
) -> None:
    """Rather than programs nobody has asked for."""
    emulator = make_emulator(options=replace(NO_RATE_LIMIT, program_filters_ignored=True))
    with pytest.raises(SeveralError, match="filter by id was ignored"):
        run_tap(emulator, {"program_ids": [1001]})
    assert created_jobs(emulator) == []


@pytest.mark.fault(
    "S15",
    "a program is renamed or moved between the list and its export",
    "its members are whole: programs go by their id",
)
def test_s15_a_program_renamed_meanwhile_is_read(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run chooses by the new name."""
    emulator = make_emulator(job_seconds=50.0)
    emulator.store.change_program(1001, name="Spring")
    runs = VirtualRuns(emulator, monkeypatch)
    rename = lambda: emulator.store.change_program(1001, name="Autumn")  # noqa: E731
    runs.time.at.append((runs.time.now + timedelta(seconds=5), rename))
    run = runs.run({"program_names": ["spring"]})
    assert emulator.store.programs[1001].name == "Autumn"
    assert run.table().keys() == {key for key in members_of(emulator) if key[1] == 1001}


def test_ids_that_are_not_seen_are_told_by_programs_too(
    instance: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """A whole table without them would have a target remove their rows."""
    catalog = catalog_with(instance, "programs")
    with pytest.raises(ConfigurationError, match=r"999999.*: no such program") as told:
        run_tap(instance, {"program_ids": [1001, 999999]}, catalog=catalog)
    assert told.value.run.of_type("ACTIVATE_VERSION") == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("stra?e*", "Straße 1"),
        ("STRASSE*", "Straße 1"),
        ("stra[ßs]e 1", "STRAßE 1"),
        ("été", "E\u0301te\u0301"),
        ("?te\u0301", "\u00c9t\u00e9"),
        ("?stanbul", "İstanbul"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("[[]x]", "[X]"),
    ],
)
def test_a_letter_is_one_whatever_its_case_and_accent(pattern: str, name: str) -> None:
    """`?` and brackets mean one letter, also where folding makes two of it."""
    wishes = ProgramWishes.from_config({"program_names": [pattern]}, None)
    others = [{"id": 2, "name": "x"}, {"id": 3, "name": "Stroh"}]
    listed = [{"id": 1, "name": name}, *others]
    assert chosen(listed, wishes, ProgramTags(None)) == listed[:1]  # type: ignore[arg-type]  # no tag is asked for


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        ("emea", "EMEA"),
        ("AMER", "AMER"),
        ("a, b", "A, B"),
        ("b", "B"),
        ("E", None),
        ("a.er", None),
        ("x]", "X]"),
    ],
)
def test_a_value_is_found_in_the_text_that_lists_them(value: str, spelled: str | None) -> None:
    """A value may have commas; a part of one is none."""
    answer = Envelope("get tag type", result=({"allowableValues": "[AMER, EMEA, A, B, X]]"},))
    assert spelled_value(answer, value) == spelled


def test_types_of_tags_are_one_whatever_their_case(
    instance: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """Two values of one type mean either; of two types, both."""
    catalog = catalog_with(instance, "programs")
    config = {"program_tags": ["Region=AMER", "region=EMEA"]}
    run = run_tap(instance, config, catalog=catalog)
    assert {1001, 1003} <= {record["id"] for record in run.records("programs")}


@pytest.mark.fault(
    "S11",
    "a list of folders ends at the second level",
    "none is asked for: a program is chosen by its own folder, however deep that lies",
)
@pytest.mark.parametrize("wish", ["q1", "22"])
def test_s11_a_folder_of_any_depth_is_found(
    instance: Emulator, run_tap: Callable[..., TapRun], wish: str
) -> None:
    """S11: the folder lies five levels below the root; none above it stands for it."""
    store = instance.store
    store.change_program(1003, folder=("Folder", 22, "Q1"))
    store.change_program(1007, folder=("Folder", 21, "2026"))
    run = run_tap(instance, {"program_folders": [wish]})
    assert exported(instance) == {1003} == {record["id"] for record in run.records("programs")}
    run_tap(instance, {"program_folders": ["2026"]})
    assert exported(instance) == {1003, 1007}
    assert not [r for r in instance.requests if "folder" in r.path]


@pytest.mark.fault(
    "S12",
    "`applicableProgramTypes` of a type of tags is one text, a list or nothing",
    "is not looked at: a tag chooses programs of every type that has it",
)
@pytest.mark.parametrize("said", ["[event,webinar]", ["event", "webinar"], None, "[]"])
def test_s12_types_of_tags_are_read_whatever_they_apply_to(
    instance: Emulator, run_tap: Callable[..., TapRun], caplog: pytest.LogCaptureFixture, said: Any
) -> None:
    """S12: the list is asked for where no program has a tag, to say which type is near."""
    put = {f"result.{place}.applicableProgramTypes": said for place in range(len(TAG_TYPES))}
    instance.faults.add(Fault(operation="tags.browse", put=put, times=None))
    config = {"exclude_program_tags": ["Ownr=Ann"], "program_tags": ["Owner=Ann", "Region=AMER"]}
    assert instance.store.programs[1003].program_type == "Engagement"
    run_tap(instance, config)
    assert instance.faults.fired() == [1]
    assert "no program has 'Ownr=Ann' (did you mean 'Owner'?)" in caplog.text
    assert exported(instance) == {1003}
