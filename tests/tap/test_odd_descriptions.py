"""A description of fields that is not as it should be is made up for, or refused before any job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import ConfigurationError
from marketo_emulator import Fault
from marketo_emulator.data.fields import Field, FieldSet
from tap_marketo_bulk.streams.fields import column_of
from tests.tap_runs import created_jobs, make_tap, members_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun

PLACES = {"leadId": 4, "programId": 8, "updatedAt": 15}
"""Where describe lists them."""


def without(*names: str) -> Fault:
    """Return the fault that describe does not list these fields."""
    places = sorted((PLACES[name] for name in names), reverse=True)
    drop = tuple(f"result.0.fields.{place}" for place in places)
    return Fault(operation="describe.members", drop=drop, times=None)


@pytest.mark.fault(
    "T5.5",
    "describe lists no `leadId`, `programId` or `updatedAt`",
    "asks for them all the same, with a warning",
)
@pytest.mark.parametrize(
    "names",
    [("leadId",), ("programId",), ("updatedAt",), ("leadId", "programId", "updatedAt")],
)
@pytest.mark.parametrize("config", [{}, {"start_date": "2020-01-01", "backfill": "snapshot"}])
def test_what_describe_forgets_is_asked_for_all_the_same(
    emulator: Emulator,
    run_tap: Callable[..., TapRun],
    caplog: pytest.LogCaptureFixture,
    names: tuple[str, ...],
    config: dict[str, Any],
) -> None:
    """Every member comes, with its key and `updatedAt`."""
    emulator.faults.add(without(*names))
    assert run_tap(emulator, config).table() == members_of(emulator)
    assert any(", ".join(names) in r.message for r in caplog.records if r.levelname == "WARNING")


def test_a_description_without_any_field_brings_the_key(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """An empty list is no traceback."""
    emulator.faults.add(Fault(operation="describe.members", put={"result.0.fields": []}))
    records = run_tap(emulator).records()
    assert {frozenset(record) for record in records} == {
        frozenset({"leadId", "programId", "updatedAt"})
    }


ODD_NAMES = [
    'we"ird',
    "back\\slash",
    "tab\there",
    "line\nbreak",
    "nul\0",
    "del\x7f",
    "\x85",
    "\u2028",
]


@pytest.mark.fault(
    "T6.5",
    'describe lists a field whose name has `"`, `\\` or a control character',
    "one line that names the field, before any job; deselected, it does not matter",
)
@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_a_name_no_record_can_hold_is_refused_before_any_job(
    emulator: Emulator, run_tap: Callable[..., TapRun], name: str
) -> None:
    """The line is a line, whatever the name."""
    put = {"result.0.fields.26.name": name}
    emulator.faults.add(Fault(operation="describe.members", put=put, times=None))
    with pytest.raises(ConfigurationError, match="Deselect") as caught:
        run_tap(emulator)
    assert str(caught.value).isprintable()
    assert ascii(name) in str(caught.value)
    assert not created_jobs(emulator)


def test_half_a_character_is_refused_too() -> None:
    """It cannot be written as UTF-8."""
    with pytest.raises(ConfigurationError, match=r"half\\ud800"):
        column_of("half\ud800", {"type": ["string", "null"]})


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_an_odd_name_that_is_deselected_does_not_matter(
    emulator: Emulator, run_tap: Callable[..., TapRun], name: str
) -> None:
    """The other fields come."""
    put = {"result.0.fields.26.name": name}
    emulator.faults.add(Fault(operation="describe.members", put=put, times=None))
    tap = make_tap(emulator)
    with tap.client:
        catalog = tap.catalog_dict
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"] == ["properties", name]:
                item["metadata"]["selected"] = False
    run = run_tap(emulator, catalog=catalog)
    assert run.table().keys() == members_of(emulator).keys()


@pytest.mark.parametrize(
    "name", ["a,b", "a;b", "a b", "é", "😀", "a.b", "'", "__proto__", "f0", "{}%s"]
)
def test_any_other_name_is_a_column(
    emulator: Emulator, run_tap: Callable[..., TapRun], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Commas, blanks and letters of any script are no reason to refuse a field."""
    known = emulator.store.member_fields
    score = next(field for field in known if field.name == "quizScore")
    renamed = tuple(
        Field(name, field.data_type, field.label) if field is score else field for field in known
    )
    other = FieldSet(renamed)
    monkeypatch.setattr(emulator.store, "member_fields", other)
    run = run_tap(emulator)
    assert run.table() == members_of(emulator)
    assert all(name in record for record in run.records())
