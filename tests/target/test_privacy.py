"""Privacy: whoever quotes a person's data, the log does not; the rejects do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from marketo_bulk.errors import ConfigurationError, MarketoBulkError
from marketo_bulk.errors.disclosure import OTHER_REASON
from marketo_emulator import Emulator, Fault, Options
from tests.target.runs import TEXT, people, run_in_process, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.target.runs import Record, Run

    RunTarget = Callable[[bytes, Record], Run]

COMMAND = [sys.executable, "-m", "target_marketo_bulk"]
SCHEMA: Record = {
    "properties": {
        "email": TEXT,
        "firstName": {"type": "string", "maxLength": 12},
        "lastName": {"enum": ["Doe", None]},
        "leadScore": {"type": ["integer", "null"]},
        "company": {"properties": {"a": {"items": {"type": "integer"}}}},
        "city": {"pattern": "^#"},
    },
    "required": ["email"],
}
OURS = "".join(
    path.read_text().lower()
    for package in ("marketo_bulk", "target_marketo_bulk")
    for path in (Path(__file__).parents[2] / package).glob("*.py")
)
"""What may be in a log line whatever the records hold: `Street` has a part of `stream`."""

PERSONAL = st.text("qxzQXZ7é'\"\\\n\t@ß %{}", min_size=1, max_size=40)
CHANGES: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "lower": str.lower,
    "upper": str.upper,
    "trimmed": str.strip,
    "cut": lambda value: value[:9],
    "end": lambda value: value[-9:],
    "quoted": repr,
    "as JSON": json.dumps,
    "words": lambda value: " ".join(value.split()),
    "hidden in words": lambda value: f"x{value}y",
}


@pytest.fixture(scope="module")
def shared() -> Iterator[Emulator]:
    """An instance for all examples of a property."""
    options = Options(max_calls_per_window=10**6)
    with Emulator(programs=0, members=0, job_seconds=0, options=options) as running:
        yield running


def pieces(*values: str) -> set[str]:
    """Return every part of some texts that is long enough to tell something."""
    return {
        part
        for value in values
        for form in (value, value.lower(), value.upper())
        for start in range(len(form) - 3)
        if not set(part := form[start : start + 4]) & set(" \t\n'\"\\")
    }


def assert_untold(result: Run, *values: str) -> None:
    """Hold everything a run says against the values: not four characters of one are in it."""
    said = result.log
    if result.error is not None:
        assert isinstance(result.error, MarketoBulkError), "anything else would be a traceback"
        said += str(result.error)
    told = [piece for piece in pieces(*values) if piece in said]
    assert not [piece for piece in told if piece.lower() not in OURS]
    assert "Traceback" not in said


def report(value: str, reason: str) -> str:
    """Return a failures file with one row."""
    cells = [f'"{each.replace(chr(34), 2 * chr(34))}"' for each in ("p0@load.test", value, reason)]
    return f"email,firstName,Import Failure Reason\n{','.join(cells)}\n"


PHRASES = [
    "{}",
    "{} is no lead score",
    "Invalid data type in field {}",
    "Value '{}' for lookup field 'email' not found",
    "Invalid email address: {}",
    "1003 {}",
]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(PERSONAL, st.sampled_from(sorted(CHANGES)), st.sampled_from(PHRASES))
@example("12 Elm Street\nApt 4", "lower", "{} is bad")
@example("+1 555 0100", "cut", "{}")
@example("Qx", "as it is", "'{}' is too long")
@example("jane.doe@example.com", "upper", "Invalid data type in field {}")
@pytest.mark.fault(
    "T2.3",
    "Marketo's reason quotes a value, in another case, trimmed or cut",
    "the log has one of a few classes of reasons, the rejects have the reason",
)
def test_t2_3_reason_of_marketo_tells_nothing(
    shared: Emulator,
    tmp_path_factory: pytest.TempPathFactory,
    caplog: pytest.LogCaptureFixture,
    value: str,
    change: str,
    phrase: str,
) -> None:
    """Neither a failure's reason, nor the import's message, nor an error in place of an answer."""
    said = phrase.replace("{}", CHANGES[change](value))
    rejects = tmp_path_factory.mktemp("rejects")
    shared.faults.clear()
    shared.faults.add(
        Fault(operation="import.create", code="1016", message=said),
        Fault(operation="import.job", put={"numOfRowsFailed": 1, "message": said}),
        Fault(
            operation="import.failures",
            body=report(value, said),
            status=200,
            headers={"Content-Type": "text/csv"},
            times=None,
        ),
    )
    records = [{**each, "firstName": value} for each in people(12)]
    result = run_in_process(
        singer_lines(records, schema={"properties": {}}),
        config_of(shared, rejects),
        rejects,
        caplog,
    )
    assert_untold(result, value)
    (entry,) = result.rejects
    assert entry["reason"] == (said.strip() or "Marketo gave no reason")


def config_of(emulator: Emulator, rejects: Path, **more: object) -> Record:
    """Return settings that lead to an emulator and wait for nothing long."""
    return {
        "base_url": emulator.base_url,
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "calls_per_20_seconds": 100,
        "poll_interval_seconds": 0.01,
        "rejects_path": str(rejects),
        "max_rejected_percent": 100,
        **more,
    }


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(PERSONAL)
@example("12 Elm Street\nApt 4")
@example('O\'Brien "Bob" \\ Smith')
@example("Zq")
@pytest.mark.fault(
    "T2.2",
    "a record does not fit its schema by a value with quotes, line ends, nested, or short",
    "the log has property and keyword, the rejects have the reason in full",
)
def test_t2_2_reason_of_the_schema_tells_nothing(
    shared: Emulator,
    tmp_path_factory: pytest.TempPathFactory,
    caplog: pytest.LogCaptureFixture,
    value: str,
) -> None:
    """Whatever keyword it is, and wherever the value stands."""
    rejects = tmp_path_factory.mktemp("rejects")
    shared.faults.clear()
    odd: list[Record] = [
        {"email": "a@load.test", "firstName": value * 14},
        {"email": "b@load.test", "lastName": value},
        {"email": "c@load.test", "leadScore": value},
        {"email": "d@load.test", "company": {"a": [1, value]}},
        {"email": "e@load.test", "company": {"a": [{value: value}]}},
        {"email": "f@load.test", "city": value},
        {"firstName": value[:9]},
    ]
    lines = singer_lines([*people(12), *odd], schema=SCHEMA)
    config = config_of(shared, rejects, dry_run_path=str(rejects / "files"))
    result = run_in_process(lines, config, rejects, caplog)
    assert_untold(result, value, value * 14)
    rejected = [entry["record"] for entry in result.rejects]
    # A property set whose rows wait for others may come later, or earlier.
    assert sorted(rejected, key=str) == sorted(odd, key=str)
    assert "firstName (maxLength): 1" in result.log or "(enum): 1" in result.log


@pytest.mark.parametrize("change", sorted(CHANGES))
@pytest.mark.fault(
    "T2.4",
    "the message of a failed import quotes a value",
    "the log has its class; the rejects of its rows have it in full",
)
def test_t2_4_message_of_a_failed_import_tells_nothing(
    emulator: Emulator, config: Record, run: RunTarget, change: str
) -> None:
    """Neither when it is tried again, nor when its rows are rejects, nor in the summary."""
    value = "Qzxxqz 12 Elm\nStreet"
    said = f"Import failed: {CHANGES[change](value)} in row 7"
    emulator.faults.add(
        Fault(operation="import.job", outcome="Failed", message=said, times=None),
    )
    records = [{**each, "firstName": value} for each in people(3)]
    result = run(singer_lines(records), {**config, "max_rejected_percent": 100})
    assert_untold(result, value)
    assert len(re.findall(r"import \d+ failed", result.log)) == 2
    assert "the import failed: import failed: 3" in result.log
    assert {each["reason"] for each in result.rejects} == {
        f"the import failed: {' '.join(said.split())}"
    }


@pytest.mark.parametrize("operation", ["import.create", "import.status", "describe.leads"])
def test_refusal_of_a_call_tells_nothing(
    emulator: Emulator, config: Record, run: RunTarget, operation: str
) -> None:
    """Words of an error are shown if they are known; a value is none of them."""
    said = "Invalid value 'jane.doe@example.com, +1 555 0100' for lookup field"
    emulator.faults.add(Fault(operation=operation, code="1003", message=said, times=None))
    result = run(singer_lines(people(3)), config)
    assert_untold(result, "jane.doe@example.com, +1 555 0100")
    assert "Marketo answered 1003 Invalid value '…' for lookup field" in str(result.error)


def test_reason_nobody_knows_is_counted_as_such(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """The summary says how many, and the file which."""
    emulator.faults.add(
        Fault(operation="import.job", put={"numOfRowsFailed": 1}),
        Fault(
            operation="import.failures",
            body=report("x", "Jane moved"),
            status=200,
            headers={"Content-Type": "text/csv"},
            times=None,
        ),
    )
    result = run(singer_lines(people(20)), config)
    assert f"1 rejected ({OTHER_REASON}: 1)" in result.log
    assert [entry["reason"] for entry in result.rejects] == ["Jane moved"]


MAPS: list[Any] = [
    pytest.param({"leadScore": "int(firstName)"}, "int(firstName)", id="conversion"),
    pytest.param({"leadScore": "record['nothing' + firstName]"}, "record[", id="missing key"),
    pytest.param({"leadScore": "firstName + 1"}, "firstName + 1", id="types"),
    pytest.param({"leadScore": "firstName.nothing"}, "firstName.nothing", id="attribute"),
    pytest.param({"leadScore": "unknown"}, "unknown", id="name"),
    pytest.param({"__filter__": "int(firstName) > 1"}, "int(firstName) > 1", id="filter"),
    pytest.param({"leadScore": "json.loads(firstName)"}, "json.loads", id="JSON"),
]


@pytest.mark.parametrize(("maps", "said"), MAPS)
@pytest.mark.fault(
    "T2.5",
    "a stream map fails at a value",
    "ends with one line that names stream, number of the record and expression",
)
def test_t2_5_stream_map_that_fails_tells_nothing(
    config: Record, run: RunTarget, maps: Record, said: str
) -> None:
    """What to correct is in the error, and nothing of the record."""
    value = "Qzxxqz 12 Elm\nStreet"
    lines = singer_lines([{**people(1)[0], "firstName": value}])
    result = run(lines, {**config, "stream_maps": {"leads": maps}})
    assert isinstance(result.error, ConfigurationError)
    assert "stream 'leads': the stream map failed at record 1 with" in str(result.error)
    assert said in str(result.error)
    assert result.error.__cause__ is None
    assert result.error.__context__ is None
    assert_untold(result, value)


def test_stream_map_that_fails_is_one_line_of_the_command(config: Record, tmp_path: Path) -> None:
    """The command shows no traceback, and nothing of the record."""
    path = tmp_path / "config.json"
    path.write_text(
        json.dumps({**config, "stream_maps": {"leads": {"leadScore": "int(lastName)"}}})
    )
    lines = singer_lines([{**people(1)[0], "lastName": "Qzxxqz"}])
    done = subprocess.run(
        [*COMMAND, "--config", str(path)],
        input=lines,
        capture_output=True,
        check=False,
        timeout=60,
        env=dict(os.environ),
    )
    said = done.stderr.decode()
    assert done.returncode == 1
    assert "the stream map failed at record 1 with ValueError" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert "Qzxxqz" not in said
