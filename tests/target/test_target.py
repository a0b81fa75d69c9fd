from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override

from marketo_bulk.errors import ConfigurationError
from marketo_emulator.faults.fault import Fault
from target_marketo_bulk import sinks
from target_marketo_bulk.records.column_catalog import DELETED_AT
from target_marketo_bulk.sending.dry_run import DryRun
from target_marketo_bulk.target import TargetMarketoBulk
from tests.target.runs import (
    SCHEMA,
    TEXT,
    leads,
    listen,
    people,
    read_json_lines,
    singer_lines,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from marketo_emulator import Emulator
    from target_marketo_bulk.files.import_file import ImportFile
    from target_marketo_bulk.sinks import ImportSink
    from tests.target.runs import Record, Run

    RunTarget = Callable[[bytes, Record], Run]

FREE: Record = {"properties": {}}


def test_records_become_leads(emulator: Emulator, config: Record, run: RunTarget) -> None:
    """Every record ends as a lead, and the STATE after them is passed on."""
    result = run(singer_lines(people(50)), config)
    assert result.error is None
    assert result.states == [{"records": 50}]
    assert [lead["firstName"] for lead in leads(emulator).values()] == [
        f"Name {number}" for number in range(50)
    ]
    assert result.summary["imported"] == "50"


# -- pre-flight ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        (["email", "frstName"], "'frstName' is no lead field (did you mean 'firstName'"),
        pytest.param(
            ["Email Address"],
            "'Email Address' is no lead field (it is the label of 'email': did you mean 'email'?)",
            marks=pytest.mark.fault(
                "T8.11",
                "columns have the labels of the user interface as names",
                "refuses them before anything is sent, and names the field of each label",
            ),
        ),
        (["email", "First Name"], "it is the label of 'firstName'"),
        (["email", "first_name"], "it is the label of 'firstName'"),
        (["EMAIL-ADDRESS"], "it is the label of 'email'"),
        (["Emial Address"], "(did you mean 'email'"),
        (["email", "createdAt"], "'createdAt' is read-only"),
        (["email", "Email"], "'Email' is a second property for the field 'email'"),
        (["email", "nope1", "nope2"], "'nope2' is no lead field"),
    ],
)
def test_column_that_cannot_be_imported_stops_the_run_before_anything_is_sent(
    emulator: Emulator, config: Record, run: RunTarget, properties: list[str], said: str
) -> None:
    """Every such column is named, with its nearest names, and nothing is uploaded."""
    schema: Record = {"properties": {name: {} for name in properties}}
    result = run(singer_lines(people(3), schema=schema), config)
    assert isinstance(result.error, ConfigurationError)
    assert said in str(result.error)
    assert emulator.imports == []
    assert result.states == []


def test_column_the_schema_did_not_announce_is_checked_too(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """A record's own property is as good as one of the schema."""
    result = run(singer_lines([{"email": "p1@load.test", "nope": 1}], schema=FREE), config)
    assert isinstance(result.error, ConfigurationError)
    assert emulator.imports == []


def test_lookup_by_id_updates_only(emulator: Emulator, config: Record, run: RunTarget) -> None:
    """`id` is read-only but may be the lookup field; numbers are keys as well as text."""
    lead_id = emulator.store.add_lead(email="p1@load.test", firstName="Old", lastName="Kept")
    record = {"ID": lead_id, "firstName": "New"}
    result = run(singer_lines([record], schema=FREE), {**config, "lookup_field": "Id"})
    assert result.error is None
    lead = leads(emulator)["p1@load.test"]
    assert (lead["firstName"], lead["lastName"]) == ("New", "Kept")


# -- which records are sent ----------------------------------------------------------------------


@pytest.mark.parametrize("record", [{"email": None}, {"email": " "}, {"firstName": "Ann"}])
def test_record_without_lookup_value_is_a_reject(
    config: Record, run: RunTarget, record: Record
) -> None:
    """Absent, null or blank: a reject with its reason, and no crash."""
    lines = singer_lines([*people(20), record], key_properties=("email",))
    result = run(lines, config)
    assert result.error is None
    (entry,) = result.rejects
    assert entry["record"] == record
    assert "no value for the lookup field" in entry["reason"]
    assert entry["batch_id"] is None


def test_record_without_another_key_property_is_an_error(config: Record, run: RunTarget) -> None:
    """A key property a tap announced and did not send is the tap's fault, as in the SDK."""
    lines = singer_lines(people(9), key_properties=("lastName",))
    result = run(lines, config)
    assert isinstance(result.error, MissingKeyPropertiesError)
    assert result.summary["records"] == "1"


def test_record_before_its_schema_is_an_error(config: Record, run: RunTarget) -> None:
    """As in the SDK."""
    line = {"type": "RECORD", "stream": "leads", "record": {"email": "p1@load.test"}}
    error = run(json.dumps(line).encode(), config).error
    assert isinstance(error, RecordsWithoutSchemaException)


def test_batch_before_its_schema_names_the_files(config: Record, run: RunTarget) -> None:
    """They are there, and nobody has read them."""
    batch = {
        "type": "BATCH",
        "stream": "leads",
        "encoding": {"format": "jsonl"},
        "manifest": ["file:///there/a.jsonl?token=s3cret", "file:///there/b.jsonl"],
    }
    error = run(json.dumps(batch).encode(), config).error
    assert isinstance(error, RecordsWithoutSchemaException)
    assert "'file:///there/a.jsonl', 'file:///there/b.jsonl'" in str(error)
    assert "s3cret" not in str(error)


def test_record_that_does_not_fit_its_schema_is_a_reject(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """The record is reported in the SDK's words, and the others are imported."""
    result = run(singer_lines([*people(20), {"email": 1}]), config)
    assert result.error is None
    assert [entry["record"] for entry in result.rejects] == [{"email": 1}]
    assert "1 is not of type 'string', 'null'" in result.rejects[0]["reason"]
    assert len(leads(emulator)) == 20


def test_row_above_the_limit_is_a_reject(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """A row no file can hold is reported, and the others are imported."""
    huge = {"email": "huge@load.test", "company": "x" * 2_000}
    result = run(singer_lines([*people(20), huge]), {**config, "max_file_size_bytes": 2_000})
    assert result.error is None
    assert [entry["record"]["email"] for entry in result.rejects] == ["huge@load.test"]
    assert len(leads(emulator)) == 20


def test_text_that_is_not_unicode_is_a_reject(config: Record, run: RunTarget) -> None:
    r"""Half a surrogate pair, which JSON can spell and UTF-8 cannot, is reported."""
    record: Record = {"email": "p@load.test", "company": "\ud800"}
    result = run(singer_lines([*people(20), record]), config)
    assert result.error is None
    assert [entry["record"]["company"] for entry in result.rejects] == ["\ud800"]


def test_metadata_is_never_sent(emulator: Emulator, config: Record, run: RunTarget) -> None:
    """No property that starts with `_sdc_` becomes a column, known to the SDK or not."""
    records = [{**people(1)[0], "_sdc_sequence": 1, "_sdc_own": "x", "_sdc_deleted_at": None}]
    schema = {"properties": {**SCHEMA["properties"], "_sdc_own": {"type": "string"}}}
    result = run(singer_lines(records, schema=schema), config)
    assert result.error is None
    assert [list(job.header) for job in emulator.imports] == [["email", "firstName"]]


@pytest.mark.parametrize("maps", [{}, {"stream_maps": {"leads": {"lastName": "firstName"}}}])
def test_deletion_is_counted_said_once_and_not_imported(
    emulator: Emulator, config: Record, run: RunTarget, maps: Record
) -> None:
    """A record marked as deleted is no lead; neither is ACTIVATE_VERSION a deletion."""
    gone = [{**each, "_sdc_deleted_at": "2026-01-01T00:00:00Z"} for each in people(2)]
    version = b'{"type":"ACTIVATE_VERSION","stream":"leads","version":1}\n'
    lines = singer_lines([*gone, *people(5)[2:]]) + version + version
    result = run(lines, {**config, **maps})
    assert result.error is None
    assert sorted(leads(emulator)) == ["p2@load.test", "p3@load.test", "p4@load.test"]
    assert result.summary["deletions"] == "2"
    assert (
        result.log.count("deletions are left out")
        == result.log.count("ACTIVATE_VERSION is left out")
        == 1
    )


def test_null_cell_is_what_a_null_becomes(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """An explicit null is the cell the setting says, an absent property is none at all."""
    records: list[Record] = [{"email": "p1@load.test", "company": None}, {"email": "p2@load.test"}]
    run(singer_lines(records), {**config, "null_cell": "<null>"})
    assert [job.request.content for job in emulator.imports] == [
        b"email,company\np1@load.test,<null>\n",
        b"email\np2@load.test\n",
    ]


def test_batch_files_are_records_like_any_other(
    emulator: Emulator, config: Record, run: RunTarget, tmp_path: Path
) -> None:
    """The records of a BATCH message are imported."""
    path = tmp_path / "batch.json.gz"
    path.write_bytes(
        gzip.compress(b"".join(json.dumps(each).encode() + b"\n" for each in people(5)))
    )
    batch = {
        "type": "BATCH",
        "stream": "leads",
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "manifest": [path.as_uri()],
    }
    result = run(singer_lines([]) + json.dumps(batch).encode() + b"\n", config)
    assert result.error is None
    assert len(leads(emulator)) == 5


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b'{"type":"HELLO"}', b"\xff\n", b"{}", b'{"type":"RECORD"}']
)
def test_line_that_is_no_message_is_an_error_that_shows_nothing_of_it(
    config: Record, run: RunTarget, line: bytes
) -> None:
    """A broken line ends the run, by its number: it may hold personal data."""
    secret = b'{"type":"RECORD","stream":"leads","record":{"email":"who@load.test"}'
    for broken in (line, secret):
        result = run(singer_lines([]) + broken, config)
        assert "input" in str(result.error)
        assert "who@load.test" not in str(result.error) + result.log


def test_state_keeps_its_digits(config: Record, run: RunTarget) -> None:
    """A STATE comes out as it went in: fractions are not rounded, letters are kept."""
    state = b'{"type":"STATE","value":{"at":1.10000000000000000001,"who":"\xc3\xa9"}}\n'
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        listen(TargetMarketoBulk(config=config), state)
    assert output.getvalue() == '{"at":1.10000000000000000001,"who":"\\u00e9"}\n'


def test_state_waits_for_the_imports_before_it(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """When the second file is refused, only the STATE before its first record is passed on."""
    emulator.faults.add(Fault(operation="import.create", nth=2, code="1003"))
    lines = singer_lines(people(60), state_every=1)
    result = run(lines, {**config, "max_file_size_bytes": 1_000})
    assert result.error is not None
    arrived = len(leads(emulator))
    assert 0 < arrived < 60
    assert result.states[-1] == {"records": arrived}


def test_log_holds_no_record_values(emulator: Emulator, config: Record, run: RunTarget) -> None:
    """Neither rejects, nor warnings, nor faults put a value of a record into the log."""
    records = people(20, company="Confidential Inc")
    records[3]["leadScore"] = "Classified"
    records[4]["email"] = "odd one@load.test"
    emulator.faults.add(Fault(operation="import.create", reset="after"))
    result = run(singer_lines(records, schema=FREE), config)
    assert len(result.rejects) == len(result.warnings) == 1
    for value in ("load.test", "Confidential", "Classified", "Name 3", config["client_secret"]):
        assert value not in result.log


# -- the SDK's path and ours ---------------------------------------------------------------------


class SlowTarget(TargetMarketoBulk):
    """The target without its own path: every record goes through the SDK's loop."""

    @override
    def _find_plain_sinks(self) -> Iterator[tuple[str, ImportSink]]:
        return iter(())


SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=5)
VALUES = SCALARS | st.floats(width=16, allow_nan=False) | st.lists(SCALARS, max_size=2)
TYPES = st.lists(
    st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"]),
    min_size=1,
    max_size=3,
    unique=True,
)
PROPERTY = st.fixed_dictionaries(
    {"type": TYPES},
    optional={
        "maxLength": st.integers(0, 4),
        "minimum": st.integers(-5, 5),
        "maximum": st.integers(5, 9),
        "format": st.just("date-time"),
        "enum": st.lists(SCALARS, min_size=1),
    },
)
NAMES = st.sampled_from(["email", "a", "b", "_sdc_sequence", "_sdc_own"])
RECORDS = st.lists(
    st.dictionaries(NAMES, VALUES).flatmap(
        lambda rest: st.sampled_from([f"p{number}@load.test" for number in range(4)]).map(
            lambda email: {"email": email, **rest}
        )
    ),
    max_size=8,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, PROPERTY), st.lists(NAMES, max_size=1), st.booleans(), RECORDS)
def test_own_path_and_the_sdks_write_the_same_files(
    tmp_path_factory: pytest.TempPathFactory,
    properties: Record,
    required: list[str],
    validate: bool,  # noqa: FBT001  # given by hypothesis
    records: list[Record],
) -> None:
    """Whatever schema and records: the same files, the same rejects, for the same reasons.

    The order of columns is that of the first record of a set of properties, and the SDK's path
    sees more records than ours does: it has no meaning. Nor has the order of files, of their rows
    and of rejects, as records that follow each other are taken set by set.
    """
    schema = {"type": "object", "properties": properties, "required": required}
    lines = singer_lines(records, schema=schema)
    written: list[Any] = []
    for kind in (TargetMarketoBulk, SlowTarget):
        directory = tmp_path_factory.mktemp("dry")
        config = {
            "dry_run_path": str(directory / "files"),
            "rejects_path": str(directory),
            "max_rejected_percent": 100,
            "validate_records": validate,
        }
        listen(kind(config=config), lines)
        files = [
            sorted(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")), key=repr)
            for path in directory.glob("files/*")
        ]
        rejects = read_json_lines(directory, "rejects-*")
        reasons = [(each["record"], each["reason"]) for each in rejects]
        written.append((sorted(files, key=repr), sorted(reasons, key=repr)))
    assert written[0] == written[1]


TEXTS = (None, "", "plain", "a,b", 'say "hi"', "two\nlines", "lone\r", "\t;", "ü\U0001f600", "\0")
ALIKE_SCHEMA: Record = {
    "type": "object",
    "properties": {
        "email": TEXT,
        "place": TEXT,
        "note": {"type": ["string", "null"], "maxLength": 9},
        "score": {"type": ["integer", "null"], "maximum": 10**6},
        "share": {"type": ["number", "null"]},
        "flag": {"type": ["boolean", "null"]},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "tags": {"type": ["array", "null"]},
    },
}
PLAIN: dict[str, tuple[Any, ...]] = {
    "place": TEXTS,
    "note": TEXTS,
    "score": (None, -5, 0, 10**6),
    "share": (None, 7, 1.5, -0.0, 1e-7, 1e22),
    "flag": (None, True, False),
    "at": (None, "2026-01-02 03:04:05", "2026-01-02T03:04:05Z", "soon"),
    DELETED_AT: (None,),
}
ODD: dict[str, tuple[Any, ...]] = {
    "email": (None, "", "ü@load.test", 7),
    "place": ("\ud83d", 7, True),
    "note": ("\ud83d", "ten letters"),
    "score": ("7", True, 1.5, 10**20),
    "share": (float("nan"), 1e-320, True),
    "tags": ([], ["a,b", None], "text"),
    DELETED_AT: ("2026-01-01T00:00:00Z",),
}
"""What may ask for a look at a record by itself."""


def draw_alike(dice: Random) -> list[Record]:
    """Return records of the same properties, with something odd in none, a few or many of them."""
    names = dice.sample([*PLAIN, "tags"], dice.randrange(len(PLAIN) + 2))
    keys, oddity = dice.choice((9, 10**6)), dice.choice((0, 0.02, 0.2))

    def draw(name: str) -> object:
        if dice.random() < oddity and name in ODD:
            return dice.choice(ODD[name])
        if name == "email":
            return f"{dice.choice('pppppppP')}{dice.randrange(keys)}@load.test"
        return dice.choice(PLAIN.get(name, (None,)))

    return [{name: draw(name) for name in ("email", *names)} for _ in range(dice.randrange(1, 40))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file_format", "null_cell", "validate"),
    [("csv", "", True), ("tsv", "null", True), ("ssv", "", False), ("csv", "null", False)],
)
def test_rows_made_together_are_those_made_one_by_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file_format: str,
    null_cell: str,
    validate: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    """However records are taken: the same bytes, the same rejects in the same order, and counts."""
    dice = Random(0)
    records = [record for _ in range(150) for record in draw_alike(dice)]
    lines = singer_lines(records, schema=ALIKE_SCHEMA, state_every=20)
    left: list[Any] = []
    for least in (1, len(records)):
        directory = tmp_path / str(least)
        directory.mkdir()
        config = {
            "dry_run_path": str(directory / "files"),
            "rejects_path": str(directory),
            "max_rejected_percent": 100,
            "max_file_size_bytes": 2_000,
            "format": file_format,
            "null_cell": null_cell,
            "validate_records": validate,
        }
        target = TargetMarketoBulk(config=config)
        monkeypatch.setattr(sinks, "TOGETHER_MIN", least)
        listen(target, lines)
        files = [path.read_bytes() for path in sorted(directory.glob("files/*"))]
        rejects = read_json_lines(directory, "rejects-*")
        counts = replace(target.load.tally, working_seconds=0.0)
        left.append((files, [(each["record"], each["reason"]) for each in rejects], counts))
    assert left[0] == left[1]


@pytest.mark.parametrize("least", [1, 1000])
def test_records_are_counted_up_to_the_one_that_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: int
) -> None:
    """However records are taken: where a full file cannot be kept, those behind it are not read."""
    rows = 0

    def refuse(_: DryRun, file: ImportFile) -> None:
        nonlocal rows
        rows = file.rows
        file.close()
        raise OSError("no space left")

    monkeypatch.setattr(sinks, "TOGETHER_MIN", least)
    monkeypatch.setattr(DryRun, "take", refuse)
    config = {"dry_run_path": str(tmp_path / "files"), "rejects_path": str(tmp_path)}
    target = TargetMarketoBulk(config={**config, "max_file_size_bytes": 2_000})
    with pytest.raises(OSError, match="no space left"):
        listen(target, singer_lines(people(250), state_every=50))
    # The one that no longer fits has been read, too.
    assert 0 < rows == target.load.tally.records - 1


@pytest.mark.parametrize(
    "broken", [b"broken\n", b'{"type": "RECORD", "stream": "leads"}\n', b'{"type": "RECORD"}\n']
)
def test_records_before_a_broken_message_are_accounted_for(
    broken: bytes, config: Record, run: RunTarget
) -> None:
    """Where a message ends the run, the records before it are counted, and rejected if need be."""
    records = [*people(5), {"email": None, "firstName": "Nobody"}]
    schema, *lines = singer_lines(records).splitlines(keepends=True)
    result = run(b"".join([schema, *lines[: len(records)], broken]), config)
    assert isinstance(result.error, InvalidInputLine)
    assert [each["record"] for each in result.rejects] == records[5:]
    assert (result.summary["records"], result.states) == ("6", [])


def test_stream_maps_rename_and_drop(emulator: Emulator, config: Record, run: RunTarget) -> None:
    """Columns may be renamed and dropped by stream maps; the result is what is checked."""
    maps = {"leads": {"lastName": "record['surname']", "surname": "__NULL__", "nope": "__NULL__"}}
    schema = {"properties": {name: {"type": "string"} for name in ("email", "surname", "nope")}}
    record = {"email": "p1@load.test", "surname": "Doe", "nope": "x"}
    result = run(singer_lines([record], schema=schema), {**config, "stream_maps": maps})
    assert result.error is None
    assert leads(emulator)["p1@load.test"]["lastName"] == "Doe"


class WatchingOutput(io.StringIO):
    """Notes how many rejects are on disk when something is written."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory
        self.rejects_on_disk: list[int] = []

    @override
    def write(self, text: str) -> int:
        self.rejects_on_disk.append(len(read_json_lines(self._directory, "rejects-*.jsonl")))
        return super().write(text)


def test_rejects_are_on_disk_before_the_state_that_counts_on_them(
    config: Record, tmp_path: Path, run: RunTarget
) -> None:
    """A killed machine loses no reject a STATE has moved past."""
    lines = singer_lines([{"email": None}] * 3, state_every=1)
    output = WatchingOutput(tmp_path / "rejects")
    with contextlib.redirect_stdout(output):
        listen(TargetMarketoBulk(config={**config, "max_rejected_percent": 100}), lines)
    assert output.rejects_on_disk == [1, 2, 3, 3]


def test_metrics_carry_the_figures_of_the_summary(
    config: Record, run: RunTarget, caplog: pytest.LogCaptureFixture
) -> None:
    """Every pair of the summary is a METRIC line; rows, bytes, calls and times are among them."""
    result = run(singer_lines([*people(50), {"firstName": "Nobody"}]), config)
    points = [
        json.loads(record.getMessage().partition(": ")[2])
        for record in caplog.records
        if record.getMessage().startswith('METRIC: {"type":"counter","metric":"import_')
    ]
    found = {point["metric"].removeprefix("import_"): point["value"] for point in points}
    assert found == pytest.approx(
        {name: float(value) for name, value in result.summary.items()}, abs=0.01
    )
    assert (found["imported"], found["rejected"]) == (50, 1)
    assert found["bytes"] > 50
    assert found["calls"] >= 3
    assert found["waiting_seconds"] > 0
    assert found["working_seconds"] > 0
