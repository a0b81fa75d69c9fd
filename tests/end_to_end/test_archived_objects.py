"""Custom objects in an archive: their key is told there, so that no call is needed for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import ConfigurationError
from tap_marketo_bulk.tap import TapMarketoBulk
from tests.end_to_end.test_archive import in_order, replay, selecting
from tests.end_to_end.test_batches import batches, records_of, without_absent
from tests.stream_runs import StreamRuns
from tests.tap_runs import DAY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.tap_runs import TapRun

STREAMS = (
    "custom_object_car_c",
    "custom_object_purchaseHistory",
    "custom_object_trackSubscription_c",
)
KEYS = {
    STREAMS[0]: ["vin", "marketoGUID"],
    STREAMS[1]: ["leadEmail", "productName", "marketoGUID"],
    STREAMS[2]: ["leadID", "trackID", "marketoGUID"],
}


@pytest.fixture
def filled(
    make_emulator: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> tuple[StreamRuns, list[TapRun]]:
    """Return two runs that have filled an archive, between which records have changed."""
    runs = StreamRuns(
        make_emulator(),
        monkeypatch,
        "program_members",
        *STREAMS,
        config={"archive_url": str(tmp_path / "archive")},
    )
    first = runs.run()
    store = runs.emulator.store
    store.put_object("car_c", vin="VIN00000000000003", leadID=3, make="Dacia, again")
    store.put_object("car_c", vin="new", leadID=4, price=12.5)
    runs.emulator.advance(DAY_SECONDS)
    return runs, [first, runs.run()]


def by_key(records: Iterable[dict[str, Any]], stream: str) -> dict[Any, dict[str, Any]]:
    """Return the table that a loader would have made of records."""
    return {tuple(record[name] for name in KEYS[stream]): record for record in records}


def schemas(run: TapRun) -> dict[str, Any]:
    """Return the SCHEMA of each stream."""
    return {message["stream"]: message for message in run.of_type("SCHEMA")}


def forget_keys(root: Path, *, but: int = 0) -> None:
    """Make all manifests of the object but some of the last such as an older version wrote."""
    paths = sorted((root / "customobjects" / "car_c").rglob("*.json"), key=_created)
    assert len(paths) > 1
    for path in paths[: len(paths) - but]:
        manifest = json.loads(path.read_text())
        assert manifest.pop("key") == KEYS[STREAMS[0]]
        path.write_text(json.dumps(manifest))


def _created(path: Path) -> str:
    return str(json.loads(path.read_text())["createdAt"])


def test_a_replay_has_the_same_records_and_schema(
    filled: tuple[StreamRuns, list[TapRun]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As lines and as files; the newest row of a key comes last, and no call is made."""
    runs, told = filled
    root = tmp_path / "archive"
    calls = len(list(runs.emulator.requests))
    catalog = selecting(root, *STREAMS)
    again = replay(root, monkeypatch, catalog=catalog)
    config = {"batch_config": batches(tmp_path / "files", "jsonl")}
    files = replay(root, monkeypatch, config, catalog=catalog)
    assert len(list(runs.emulator.requests)) == calls
    for stream in STREAMS:
        written = [record for run in told for record in run.records(stream)]
        assert written
        assert in_order(again.records(stream)) == in_order(written)
        table = by_key(written, stream)
        assert by_key(again.records(stream), stream) == table
        kept = schemas(told[0])[stream]
        assert schemas(again)[stream] == kept
        assert kept["key_properties"] == KEYS[stream]
    assert without_absent(records_of(files)) == without_absent(
        (stream, record) for stream in STREAMS for record in again.records(stream)
    )


def test_the_setting_and_the_catalog_choose_objects(
    filled: tuple[StreamRuns, list[TapRun]], tmp_path: Path
) -> None:
    """All that have files are offered, and none is selected; or those that are named."""
    del filled
    config: dict[str, Any] = {"replay_url": str(tmp_path / "archive")}
    tap = TapMarketoBulk(config=config)
    assert {*tap.streams} == {"program_members", *STREAMS}
    assert [name for name, stream in tap.streams.items() if stream.selected] == ["program_members"]
    tap = TapMarketoBulk(config={**config, "custom_objects": ["car_c", "unheard"]})
    assert {*tap.streams} == {"program_members", STREAMS[0]}


def test_one_file_that_tells_the_key_is_enough(
    filled: tuple[StreamRuns, list[TapRun]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the archive may be of an older version."""
    root = tmp_path / "archive"
    forget_keys(root, but=1)
    again = replay(root, monkeypatch, catalog=selecting(root, STREAMS[0]))
    written = [record for run in filled[1] for record in run.records(STREAMS[0])]
    assert in_order(again.records(STREAMS[0])) == in_order(written)


@pytest.mark.fault(
    "T5.14",
    "… or an archive whose older version does not tell the key of a custom object",
    "one line says what to do; the other streams are read",
)
def test_an_archive_without_the_key_says_what_to_do(
    filled: tuple[StreamRuns, list[TapRun]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error where the stream is selected; else a warning, and no stream of that object."""
    root = tmp_path / "archive"
    catalog = selecting(root, *STREAMS)
    forget_keys(root)
    with pytest.raises(ConfigurationError, match="key of the custom object car_c") as told:
        replay(root, monkeypatch, catalog=catalog)
    assert "Run with archive_url once more" in str(told.value)
    assert "\n" not in str(told.value)
    others = selecting(root, *STREAMS[1:])
    assert "no stream custom_object_car_c: replay_url" in caplog.text
    assert {entry["stream"] for entry in others["streams"]} == {"program_members", *STREAMS[1:]}
    again = replay(root, monkeypatch, catalog=others)
    assert {stream for stream in STREAMS if again.records(stream)} == {*STREAMS[1:]}


@pytest.mark.parametrize("path", ["customobjects/../leads", "customobjects/", "customobjects/a b"])
def test_a_manifest_of_an_object_that_cannot_be_is_named(
    filled: tuple[StreamRuns, list[TapRun]], tmp_path: Path, path: str
) -> None:
    """It is no manifest."""
    del filled
    root = tmp_path / "archive"
    found = next((root / "customobjects").rglob("*.json"))
    found.write_text(json.dumps({**json.loads(found.read_text()), "object": path}))
    with pytest.raises(ConfigurationError, match="is not the manifest"):
        TapMarketoBulk(config={"replay_url": str(root)})
