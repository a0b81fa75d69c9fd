from __future__ import annotations

import gzip
import json
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from singer_sdk.singerlib.exceptions import InvalidInputLine

from marketo_bulk.errors import ConfigurationError
from tests.target.runs import SCHEMA, TEXT, leads, people, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_emulator import Emulator
    from tests.target.runs import Record, Run

    RunTarget = Callable[[bytes, Record], Run]

WHO = "who@load.test"


def json_lines(records: list[Record]) -> bytes:
    """Return the content of a BATCH file."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


def batch(*paths: str, stream: str = "leads", **encoding: object) -> bytes:
    """Return a BATCH message, and a STATE after it."""
    said = {"format": "jsonl", "compression": "gzip", **encoding}
    lines = [
        {"type": "BATCH", "stream": stream, "encoding": said, "manifest": list(paths)},
        {"type": "STATE", "value": {"after": "batch"}},
    ]
    return json_lines(lines)


MAPS: list[Any] = [
    pytest.param({}, id="none"),
    pytest.param({"leads": {"lastName": "md5(lastName)"}}, id="masked"),
    pytest.param({"leads": {"company": "lastName", "lastName": "__NULL__"}}, id="renamed"),
    pytest.param({"leads": {"__filter__": "firstName == 'Name 3'"}}, id="filtered"),
    pytest.param({"leads": "__NULL__"}, id="dropped"),
    pytest.param({"leads": {"__else__": None, "email": "email"}}, id="rest dropped"),
    pytest.param({"twins": {"__source__": "leads", "company": "'Twin'"}}, id="doubled"),
]


@pytest.mark.parametrize("maps", MAPS)
@pytest.mark.fault(
    "T1.2",
    "a BATCH for a stream that stream maps mask, rename, filter, drop or double",
    "maps its records as those of RECORD messages",
)
def test_t1_2_batch_is_mapped_as_records_are(
    emulator: Emulator, config: Record, run: RunTarget, tmp_path: Path, maps: Record
) -> None:
    """The same leads, in the same files, whichever way the records came."""
    records = people(12, lastName="Personal")
    path = tmp_path / "batch.jsonl.gz"
    path.write_bytes(gzip.compress(json_lines(records)))
    config = {**config, "stream_maps": maps}
    sent: list[list[bytes]] = []
    before = 0
    for lines in (singer_lines(records), singer_lines([]) + batch(path.as_uri())):
        result = run(lines, config)
        assert result.error is None
        sent.append([job.request.content for job in emulator.imports[before:]])
        before = len(emulator.imports)
    assert sent[0] == sent[1]
    assert result.states[-1] == {"after": "batch"}
    if "md5" in str(maps):
        assert "Personal" not in str(sent)


@pytest.mark.fault("T1.2", "… or that flattening changes", "flattens them, too")
def test_t1_2_batch_is_flattened_as_records_are(
    emulator: Emulator, config: Record, run: RunTarget, tmp_path: Path
) -> None:
    """A nested object becomes columns."""
    lead = {"type": "object", "properties": {"Score": {"type": "integer"}}}
    schema = {"properties": {"email": TEXT, "lead": lead}}
    path = tmp_path / "batch.jsonl"
    path.write_bytes(
        json_lines([{"email": f"p{n}@load.test", "lead": {"Score": n}} for n in "123"])
    )
    config = {
        **config,
        "flattening_enabled": True,
        "flattening_max_depth": 1,
        "flattening_separator": "",
        "validate_records": False,
    }
    lines = singer_lines([], schema=schema) + batch(path.as_uri(), compression=None)
    assert run(lines, config).error is None
    assert {email: lead["leadScore"] for email, lead in leads(emulator).items()} == {
        f"p{number}@load.test": number for number in (1, 2, 3)
    }


@pytest.mark.fault("T1.2", "… and rows that do not fit", "rejects them, as it does records")
def test_t1_2_rows_of_a_batch_are_checked(
    emulator: Emulator, config: Record, run: RunTarget, tmp_path: Path
) -> None:
    """Validation, deletions and rejects are those of RECORD messages; files stay where they are."""
    path = tmp_path / "batch.jsonl"
    odd: list[Record] = [
        {"email": 1},
        {"email": "gone@load.test", "_sdc_deleted_at": "2026-01-01T00:00:00Z"},
    ]
    path.write_bytes(json_lines([*people(1200), *odd]).replace(b"\n", b"\n\n", 3))
    lines = singer_lines([]) + batch(path.as_uri(), compression="none")
    result = run(lines, {**config, "max_file_size_bytes": 10_000})
    assert result.error is None
    assert len(leads(emulator)) == 1200
    assert [entry["record"] for entry in result.rejects] == [{"email": 1}]
    assert (result.summary["deletions"], result.summary["records"]) == ("1", "1202")
    assert path.exists()


def torn(content: bytes) -> bytes:
    """Return a packed file without its end."""
    return gzip.compress(content)[:-20]


GOOD = json_lines(people(3))
FILES: list[Any] = [
    pytest.param(None, "cannot be read: No such file", id="missing"),
    pytest.param(torn(json_lines(people(3000))), "breaks off", id="torn"),
    pytest.param(GOOD, "cannot be read", id="not packed"),
    pytest.param(b"", "breaks off", id="empty"),
    pytest.param(gzip.compress(GOOD + GOOD[:-30]), "line 6 is no JSON object", id="cut line"),
    pytest.param(gzip.compress(GOOD + b'["who@load.test"]\n'), "line 4 is no", id="no object"),
    pytest.param(gzip.compress(GOOD + b"\xffwho@load.test\n"), "line 4 is no", id="no UTF-8"),
    pytest.param(gzip.compress(GOOD)[:40] + b"who@load.test" * 9, "cannot be read", id="spoilt"),
]


@pytest.mark.parametrize(("content", "said"), FILES)
@pytest.mark.fault(
    "T1.2",
    "… whose file is missing, torn, or holds a line that is none",
    "ends with one line that names file and line; no STATE after it is passed on",
)
def test_t1_2_unreadable_file_is_named(
    config: Record, run: RunTarget, tmp_path: Path, content: bytes | None, said: str
) -> None:
    """Which file, which line, and nothing of what is in it."""
    path = tmp_path / "some batch.jsonl.gz"
    if content is not None:
        path.write_bytes(content)
    result = run(singer_lines([]) + batch(path.as_uri()), config)
    assert isinstance(result.error, InvalidInputLine)
    text = str(result.error)
    assert said in text
    assert "batch.jsonl.gz" in text
    assert "\n" not in text
    assert not any(word in text + result.log for word in (WHO, "Name 2"))
    assert {"after": "batch"} not in result.states


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (batch("file:///x", format="csv"), "jsonl and parquet"),
        (batch("file:///x", compression="zstd"), "gzip"),
        (batch("nowhere://x/y?signature=1"), "'nowhere://x/y': it cannot be read: nowhere:// is"),
        (batch("gs://x/y?signature=1"), "'gs://x/y': it cannot be read: its driver gcsfs is not"),
        (batch("gs://x/y", format="parquet"), "'gs://x/y': it cannot be read: its driver gcsfs"),
        (batch(""), "BATCH file"),
        (batch("file:///").replace(b'"leads"', b"[]"), "names no stream"),
        (batch("file:///"), "Is a directory"),
        (batch("/nowhere/at/all.gz"), "'/nowhere/at/all.gz': it cannot be read: No such file"),
        (b'{"type":"BATCH","stream":"leads"}\n', "encoding, manifest"),
        (b'{"type":"BATCH","stream":"leads","encoding":null,"manifest":[]}\n', "jsonl"),
        (b'{"type":"BATCH","stream":"leads","encoding":{"format":"jsonl"},"manifest":7}\n', "list"),
    ],
)
@pytest.mark.fault("T1.2", "… that says what no file can be", "ends with one line")
def test_t1_2_message_that_cannot_be_followed_is_refused(
    config: Record, run: RunTarget, line: bytes, said: str
) -> None:
    """The message is at fault, and the error says what about it."""
    result = run(singer_lines([]) + line, config)
    assert isinstance(result.error, InvalidInputLine)
    assert said in str(result.error)


def test_stream_map_that_fails_in_a_batch_names_no_value(
    config: Record, run: RunTarget, tmp_path: Path
) -> None:
    """As it is for RECORD messages."""
    path = tmp_path / "batch.jsonl"
    path.write_bytes(json_lines([{"email": WHO, "lastName": "Personal"}]))
    config = {**config, "stream_maps": {"leads": {"leadScore": "int(lastName)"}}}
    lines = singer_lines([], schema=SCHEMA) + batch(path.as_uri(), compression=None)
    result = run(lines, config)
    assert isinstance(result.error, ConfigurationError)
    assert "Personal" not in str(result.error) + result.log


def parquet(path: Path, records: list[Record]) -> None:
    """Write a BATCH file of records."""
    pq.write_table(pa.Table.from_pylist(records), path)


def test_parquet_is_imported_as_records_are(
    emulator: Emulator, config: Record, run: RunTarget, tmp_path: Path
) -> None:
    """The same files, whichever way the records came; moments and days are text again."""
    moment = datetime(2026, 1, 31, 12, 30, tzinfo=timezone.utc)
    records = people(1200, createdAt="2026-01-31T12:30:00Z", dateOfBirth="1990-02-28")
    typed = [{**r, "createdAt": moment, "dateOfBirth": date(1990, 2, 28)} for r in records]
    path = tmp_path / "batch.parquet"
    parquet(path, typed)
    text = {"type": ["string", "null"]}
    schema = {"properties": {**SCHEMA["properties"], "createdAt": text, "dateOfBirth": text}}
    config = {**config, "stream_maps": {"leads": {"website": "createdAt", "createdAt": None}}}
    sent: list[list[bytes]] = []
    before = 0
    for lines in (
        singer_lines(records, schema=schema),
        singer_lines([], schema=schema) + batch(path.as_uri(), format="parquet"),
    ):
        result = run(lines, config)
        assert result.error is None
        sent.append([job.request.content for job in emulator.imports[before:]])
        before = len(emulator.imports)
    assert sent[0] == sent[1]
    assert path.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), (b"", "not Parquet"), (b"PAR1 who@load.test", "not Parquet")],
)
def test_parquet_that_cannot_be_read_is_named(
    config: Record, run: RunTarget, tmp_path: Path, content: bytes | None, said: str
) -> None:
    """Missing, empty and torn."""
    path = tmp_path / "batch.parquet"
    if content is not None:
        path.write_bytes(content)
    result = run(singer_lines([]) + batch(path.as_uri(), format="parquet"), config)
    assert isinstance(result.error, InvalidInputLine)
    assert said in str(result.error)
    assert "batch.parquet" in str(result.error)
    assert WHO not in str(result.error) + result.log
    assert {"after": "batch"} not in result.states


def test_moments_of_parquet_keep_all_digits(
    emulator: Emulator, config: Record, run: RunTarget, tmp_path: Path
) -> None:
    """Python has microseconds, and what pandas and Spark write has nanoseconds."""
    path = tmp_path / "batch.parquet"
    nanoseconds = [1_700_000_000_000_000_001, None, 1_700_000_000_000_000_000]
    moments = pa.array(nanoseconds, pa.timestamp("ns", "UTC"))
    emails = [f"p{number}@load.test" for number in range(3)]
    pq.write_table(pa.table({"email": emails, "company": moments}), path)
    schema = {
        "properties": {
            "email": TEXT,
            "company": {"type": ["string", "null"], "format": "date-time"},
        }
    }
    lines = singer_lines([], schema=schema) + batch(path.as_uri(), format="parquet")
    assert run(lines, config).error is None
    found = [leads(emulator)[email]["company"] for email in emails]
    assert found == ["2023-11-14T22:13:20.000000001Z", None, "2023-11-14T22:13:20.000000000Z"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        pytest.param(pa.array([b"who@load.test"]), "binary", id="bytes"),
        pytest.param(pa.array([{"a": [b"who@load.test"]}]), "struct", id="bytes inside"),
        pytest.param(pa.array([10**8], pa.date32()), "date32", id="a day without a year"),
        pytest.param(pa.array([5], pa.duration("s")), "duration", id="a span of time"),
    ],
)
def test_column_of_parquet_without_a_form_in_json_is_named(
    config: Record, run: RunTarget, tmp_path: Path, values: pa.Array, kind: str
) -> None:
    """Which file, which column, and of which type it is."""
    path = tmp_path / "batch.parquet"
    pq.write_table(pa.table({"email": ["p@load.test"], "company": values}), path)
    result = run(singer_lines([]) + batch(path.as_uri(), format="parquet"), config)
    assert isinstance(result.error, InvalidInputLine)
    assert f"column 'company' has values of type {kind}" in str(result.error)
    assert "batch.parquet" in str(result.error)
    assert WHO not in str(result.error) + result.log


@pytest.mark.parametrize("form", ["{}", "file:{}", "file://localhost{}", "FILE://{}", "relative"])
def test_local_file_is_found_however_it_is_written(
    emulator: Emulator,
    config: Record,
    run: RunTarget,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    """A name with a time is no address, and an address may name this machine."""
    path = tmp_path / "leads-2026-01-01T00:00:00Z.jsonl"
    path.write_bytes(json_lines(people(1)))
    monkeypatch.chdir(tmp_path)
    written = path.name if form == "relative" else form.format(path)
    assert run(singer_lines([]) + batch(written, compression=None), config).error is None
    assert len(leads(emulator)) == 1


@pytest.mark.parametrize("asked", ["yes", "in a dry run", "no"])
def test_files_are_removed_after_the_import_where_that_is_asked(
    config: Record, run: RunTarget, tmp_path: Path, asked: str
) -> None:
    """Not by default, and not where nothing is imported."""
    path = tmp_path / "a batch.jsonl"
    path.write_bytes(json_lines(people(3)))
    config = {**config, "clean_up_batch_files": asked != "no"}
    if asked == "in a dry run":
        config["dry_run_path"] = str(tmp_path / "dry")
    lines = singer_lines([]) + batch(path.as_uri(), compression=None)
    assert run(lines, config).error is None
    assert path.exists() is (asked != "yes")


def test_files_stay_where_the_import_fails(config: Record, run: RunTarget, tmp_path: Path) -> None:
    """The next run reads them again."""
    path = tmp_path / "batch.jsonl"
    path.write_bytes(json_lines(people(3)))
    lines = singer_lines([]) + batch(path.as_uri(), compression=None) + b"no message\n"
    assert run(lines, {**config, "clean_up_batch_files": True}).error is not None
    assert path.exists()
