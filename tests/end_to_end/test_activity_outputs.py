"""`one` and `per_type` have the same values, whatever becomes of them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketo_bulk import ActivityAttribute, ConfigurationError
from marketo_bulk.reader.columns import kind_of
from marketo_emulator import Emulator, VirtualClock
from marketo_emulator.data.activity_types import ACTIVITY_TYPES
from tap_marketo_bulk.streams.activity_columns import OTHERS, TypedAttributes, column_names
from tap_marketo_bulk.tap import TapMarketoBulk
from tests.end_to_end.test_batches import batches, records_of
from tests.tap_runs import NO_RATE_LIMIT, TapRun, capture, catalog_with, make_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STREAMS = {
    46: "activity_interesting_moment",
    104: "activity_change_status_in_progression",
    100_001: "activity_attended_tour",
}
BASE = (
    "marketoGUID", "leadId", "activityDate", "activityTypeId", "activityTypeName", "campaignId",
    "primaryAttributeValueId", "primaryAttributeValue", "actionResult",
)  # fmt: skip
ATTRIBUTES = {
    each.type_id: [ActivityAttribute(*pair) for pair in each.attributes]
    for each in ACTIVITY_TYPES
    if each.type_id in STREAMS
}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = {
    "integer": st.none() | st.integers(-(2**53), 2**53) | st.just("+10"),
    "float": st.none() | st.decimals(-99, 99, places=2).map(float),
    "currency": st.none() | st.decimals(-99, 99, places=2).map(float),
    "boolean": st.none() | st.booleans() | st.sampled_from(["True", 0]),
}


def attributes_of(type_id: int) -> st.SearchStrategy[dict[str, Any]]:
    """Return attributes of a type, some of which its list of attributes may lack."""
    listed = {a.name: values.get(a.data_type, st.none() | texts) for a in ATTRIBUTES[type_id]}
    others = st.dictionaries(st.sampled_from(["Unheard", "tour  date"]), st.integers() | texts)
    return st.tuples(st.fixed_dictionaries({}, optional=listed), others).map(
        lambda both: {**both[1], **both[0]}
    )


activities = st.lists(
    st.sampled_from([*STREAMS]).flatmap(lambda t: st.tuples(st.just(t), attributes_of(t))),
    min_size=1,
    max_size=40,
)


def whole(value: Any) -> Any:
    """Return a value in which objects that are kept as text are objects, and nothing is null."""
    if isinstance(value, dict):
        return {name: whole(part) for name, part in value.items() if part is not None}
    return value


def expected_of(record: dict[str, Any]) -> dict[str, Any]:
    """Return what `per_type` makes of a record of `one`."""
    type_id = record["activityTypeId"]
    columns = column_names(ATTRIBUTES[type_id], {*BASE})
    kinds = {each.name: kind_of(each.data_type) for each in ATTRIBUTES[type_id]}
    typed = TypedAttributes("s", columns, kinds, {*columns.values(), OTHERS})
    base = {name: value for name, value in record.items() if name != "attributes"}
    return {**base, **typed.of(record["attributes"])}


def objects_in(records: Iterator[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Return records by their GUID; objects that were made to text are objects again."""
    found = {}
    for stream, record in records:
        for name in ("attributes", OTHERS):
            if isinstance(record.get(name), str):
                record[name] = json.loads(record[name])
        record["stream"] = stream
        found[record["marketoGUID"]] = record
    return found


def mapped(form: str) -> dict[str, Any]:
    """Return stream maps that change two columns of every stream."""
    streams = ("activities",) if form == "one" else (*STREAMS.values(),)
    maps = {"primaryAttributeValue": None, "leadId": "leadId + 1"}
    return {"stream_maps": {stream: dict(maps) for stream in streams}}


OUTPUTS: dict[str, Any] = {
    "records": lambda _root, _form: {},
    "stream maps": lambda _root, form: mapped(form),
    "flattening": lambda _root, _form: {"flattening_enabled": True, "flattening_max_depth": 1},
    "jsonl": lambda root, _form: {"batch_config": batches(root, "jsonl")},
    "parquet": lambda root, _form: {"batch_config": batches(root, "parquet")},
    "parquet, mapped": lambda root, form: {
        "batch_config": batches(root, "parquet"),
        **mapped(form),
    },
    "archive": lambda root, _form: {"archive_url": str(root)},
}


def run(emulator: Emulator, patched: pytest.MonkeyPatch, config: dict[str, Any]) -> TapRun:
    """Return a run of the activities of this Marketo, and of nothing else."""
    streams = ("activities", *STREAMS.values())
    form = {name: config[name] for name in ("activity_types", "activity_streams")}
    catalog = catalog_with(emulator, *streams, config=form)
    tap = make_tap(emulator, config, catalog=catalog)
    with tap.client:
        return capture(tap.sync_all, patched)


def replayed(root: Path, patched: pytest.MonkeyPatch, config: dict[str, Any]) -> TapRun:
    """Return what an archive gives, without a call."""
    config = {"replay_url": str(root), "activity_streams": config["activity_streams"]}
    catalog = TapMarketoBulk(config=config).catalog_dict
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = True
    return capture(TapMarketoBulk(config=config, catalog=catalog).sync_all, patched)


@pytest.mark.parametrize("output", OUTPUTS)
@settings(max_examples=4)
@given(activities)
def test_both_forms_have_the_same_values(output: str, happened: list[Any]) -> None:
    """In lines, files, columns and text, mapped or not, and once more from an archive."""
    options = {"programs": 0, "members": 0, "job_seconds": 0.0, "options": NO_RATE_LIMIT}
    with (
        Emulator(**{**options, "clock": VirtualClock()}) as emulator,  # type: ignore[arg-type]  # its own
        pytest.MonkeyPatch.context() as patched,
        tempfile.TemporaryDirectory() as name,
    ):
        for type_id, attributes in happened:
            emulator.store.add_activity(
                3, type_id, primary_value='a "b", c', primary_id=7, attributes=attributes
            )
        emulator.advance(3600)
        found = {}
        for form in ("one", "per_type"):
            root = Path(name) / form
            config = {"start_date": "2026-06-15T00:00:00Z", "activity_types": [*STREAMS]}
            config |= {"activity_streams": form, **OUTPUTS[output](root, form)}
            runs = [run(emulator, patched, config)]
            if output == "archive":
                runs.append(replayed(root, patched, config))
            tables = [objects_in(records_of(each)) for each in runs]
            assert tables == [tables[0]] * len(tables)
            found[form] = tables[0]
    assert len(found["one"]) == len(happened)
    assert found["one"].keys() == found["per_type"].keys()
    for guid, record in found["one"].items():
        expected = {**expected_of(record), "stream": STREAMS[record["activityTypeId"]]}
        assert whole(found["per_type"][guid]) == whole(expected)


def test_an_archive_without_types_gives_activities_without_their_names(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An older version wrote it: the ids are all there is, and `per_type` says what it lacks."""
    emulator = make_emulator()
    emulator.advance(3600)
    config = {"activity_types": [*STREAMS], "activity_streams": "one", "archive_url": str(tmp_path)}
    first = run(emulator, monkeypatch, config)
    for path in tmp_path.rglob("*.json"):
        manifest = json.loads(path.read_text())
        assert {each["id"] for each in manifest.pop("activityTypes")} == {*STREAMS}
        path.write_text(json.dumps(manifest))
    again = replayed(tmp_path, monkeypatch, config)
    for record in first.records("activities"):
        del record["activityTypeName"]
    assert objects_in(records_of(again)) == objects_in(records_of(first))
    with pytest.raises(ConfigurationError, match="Set activity_streams to one"):
        replayed(tmp_path, monkeypatch, {"activity_streams": "per_type"})
