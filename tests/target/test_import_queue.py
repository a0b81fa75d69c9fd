"""The import rows of the test catalogue (C§18), each named by its id."""

from __future__ import annotations

import csv
import io
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk.errors import (
    JobError,
    JobTimeoutError,
    LostReplyError,
    NotFoundError,
    QueueFullError,
    RejectedError,
)
from marketo_emulator.faults.fault import Fault
from target_marketo_bulk.outcomes.outcomes import WARNINGS_UNKNOWN
from target_marketo_bulk.outcomes.reject_limits import TooManyRejectsError
from tests.target.runs import leads, people, read_json_lines, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_emulator import Emulator
    from tests.target.runs import Record, Run

    RunTarget = Callable[[bytes, Record], Run]

FAILURES_HEADER = "email,firstName,Import Failure Reason\n"


def creates(emulator: Emulator) -> list[str]:
    """Return how each upload was answered: its error code, or nothing."""
    return [each.error_code for each in emulator.requests if each.operation == "import.create"]


def failing(emulator: Emulator, body: str, rows: int, **more: object) -> None:
    """Have the next import report failed rows with a file of this text."""
    emulator.faults.add(
        Fault(operation="import.job", put={"numOfRowsFailed": rows}),
        Fault(
            operation="import.failures",
            body=body,
            status=200,
            headers={"Content-Type": "text/csv;charset=UTF-8"},
            times=None,
            **more,  # type: ignore[arg-type]
        ),
    )


@pytest.mark.parametrize(
    "message",
    ["Too many imports", "There are 10 imports currently being processed. Please try again later"],
)
@pytest.mark.fault(
    "I1",
    "1016, in either wording: the import queue is full",
    "waits with growing pauses, keeps the order",
)
def test_i1_full_queue_is_waited_for(
    emulator: Emulator, config: Record, run: RunTarget, message: str
) -> None:
    """1016 in either wording: sent again later, in the same order, nothing lost."""
    emulator.faults.add(Fault(operation="import.create", code="1016", message=message, times=3))
    config |= {"max_file_size_bytes": 1_000}
    result = run(singer_lines(people(60)), config)
    assert result.error is None
    assert creates(emulator)[:4] == ["1016", "1016", "1016", ""]
    assert [lead["firstName"] for lead in leads(emulator).values()] == [
        f"Name {number}" for number in range(60)
    ]


@pytest.mark.fault("I1", "… and stays full", "fails after `import_timeout_seconds`, without STATE")
def test_i1_full_queue_is_not_waited_for_forever(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """A queue that stays full fails the run after `import_timeout_seconds`, without STATE."""
    emulator.faults.add(Fault(operation="import.create", code="1016", times=None))
    result = run(singer_lines(people(3)), {**config, "import_timeout_seconds": 0.1})
    assert isinstance(result.error, QueueFullError)
    assert result.states == []


@pytest.mark.fault(
    "I2", "413: the upload is too large", "sends it as two halves, each halved again if need be"
)
def test_i2_refused_body_is_halved(emulator: Emulator, config: Record, run: RunTarget) -> None:
    """413: the file goes as two, each tried and halved again, and every row arrives."""
    emulator.faults.add(Fault(operation="import.create", status=413, times=3))
    result = run(singer_lines(people(101)), config)
    assert result.error is None
    assert len(leads(emulator)) == 101
    assert (result.summary["halved"], result.summary["files"]) == ("3", "4")
    assert result.states == [{"records": 101}]


@pytest.mark.fault("I2", "… with a single row", "makes the row a reject")
def test_i2_single_row_refused_for_its_size_is_a_reject(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """413 for one row: there is nothing to halve, so the row is reported."""
    emulator.faults.add(Fault(operation="import.create", status=413))
    result = run(singer_lines(people(1)), {**config, "max_rejected_percent": 100})
    assert result.error is None
    assert ["too large" in entry["reason"] for entry in result.rejects] == [True]


@pytest.mark.fault("I3", "a file without rows would be refused (1003)", "is never sent")
def test_i3_file_without_rows_is_never_sent(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """No record, no upload; the STATE is still passed on."""
    result = run(singer_lines([]), config)
    assert creates(emulator) == []
    assert result.states == [{"records": 0}]


@pytest.mark.parametrize(
    ("row", "code", "text"),
    [
        pytest.param(
            "i4",
            "613",
            "Multipart",
            id="I4",
            marks=pytest.mark.fault(
                "I4", "613: the multipart body is refused", "fails at once, without STATE"
            ),
        ),
        pytest.param(
            "i5",
            "610",
            "not found",
            id="I5",
            marks=pytest.mark.fault(
                "I5", "610: there is no such address", "fails at once, without STATE"
            ),
        ),
        pytest.param(
            "i6",
            "1006",
            "Lookup field",
            id="I6",
            marks=pytest.mark.fault(
                "I6", "1006: Marketo has no such lookup field", "fails at once, without STATE"
            ),
        ),
    ],
)
def test_i4_i5_i6_refused_request_ends_the_run(
    emulator: Emulator, config: Record, run: RunTarget, row: str, code: str, text: str
) -> None:
    """613, 610 and 1006 are not tried again; the error has the code; no STATE is passed on."""
    message = "Lookup field 'email' not found" if row == "i6" else ""
    emulator.faults.add(Fault(operation="import.create", code=code, message=message))
    result = run(singer_lines(people(3)), config)
    assert isinstance(result.error, RejectedError)
    assert code in str(result.error)
    assert text in str(result.error)
    assert creates(emulator) == [code]
    assert result.states == []


@pytest.mark.parametrize(
    ("code", "settings", "named"),
    [
        ("1001", {"list_id": 100}, "lookup_field 'email', list_id 100, partition_name (not set)"),
        ("1006", {}, "Check the setting lookup_field 'email'"),
        ("1008", {"partition_name": "EMEA"}, "Check the setting partition_name 'EMEA'"),
        ("1009", {}, "Check the setting partition_name (not set)"),
        ("1011", {}, "lookup_field 'email'"),
        ("1013", {"list_id": 100}, "list_id 100"),
        ("1019", {"list_id": 100}, "Check the setting list_id 100"),
    ],
)
@pytest.mark.fault(
    "T8.12",
    "an upload is refused for its list, partition or lookup field",
    "names the setting and its value",
)
def test_refusal_names_the_setting_and_its_value(
    emulator: Emulator,
    config: Record,
    run: RunTarget,
    code: str,
    settings: Record,
    named: str,
) -> None:
    """Marketo's words alone do not say which setting they are about."""
    emulator.faults.add(Fault(operation="import.create", code=code, times=None))
    result = run(singer_lines(people(1)), {**config, **settings, "import_timeout_seconds": 0.05})
    assert code in str(result.error)
    assert named in str(result.error)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"list_id": 4711}, "list_id 4711"),
        ({"partition_name": "Nowhere"}, "partition_name 'Nowhere'"),
    ],
)
def test_list_and_partition_that_do_not_exist_are_named(
    config: Record, run: RunTarget, settings: Record, named: str
) -> None:
    """What Marketo itself answers leads to the setting."""
    assert named in str(run(singer_lines(people(1)), {**config, **settings}).error)


@pytest.mark.fault(
    "I6", "`lookup_field` is no field", "fails before anything is sent, names the nearest field"
)
def test_i6_unknown_lookup_field_is_found_before_anything_is_sent(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """A lookup field that is no field is a configuration error that names the nearest."""
    result = run(singer_lines(people(3)), {**config, "lookup_field": "custmerNumber"})
    assert "did you mean 'customerNumber'" in str(result.error)
    assert creates(emulator) == []


@pytest.mark.fault("I7", "1019: the list is being imported to", "waits as for a full queue")
def test_i7_import_in_progress_is_waited_for(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """1019 is waited for as a full queue is."""
    emulator.faults.add(Fault(operation="import.create", code="1019", times=2))
    result = run(singer_lines(people(3)), config)
    assert result.error is None
    assert creates(emulator) == ["1019", "1019", ""]


@pytest.mark.fault(
    "I8",
    "the reply to an upload is lost",
    "sends it again, and says that Marketo may have it twice",
)
def test_i8_lost_reply_is_sent_again_and_said(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """An upload whose reply is lost is repeated, counted, and each lead is there once."""
    emulator.faults.add(Fault(operation="import.create", reset="after", times=2))
    result = run(singer_lines(people(3)), config)
    assert result.error is None
    assert result.summary["sent_again"] == "2"
    assert "was lost: sent again" in result.log
    assert len(emulator.imports) == 3
    assert len(leads(emulator)) == 3


@pytest.mark.fault("I8", "… every time", "fails after six uploads, without STATE")
def test_i8_reply_that_is_always_lost_ends_the_run(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """Repeating is bounded, and no STATE is passed on."""
    emulator.faults.add(Fault(operation="import.create", reset="after", times=None))
    result = run(singer_lines(people(3)), config)
    assert isinstance(result.error, LostReplyError)
    assert len(creates(emulator)) == 6
    assert result.states == []


@pytest.mark.fault("I9", "an import ends as `Failed`", "tries once more")
def test_i9_failed_import_is_tried_once_more(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """An import that fails as a whole and then succeeds leaves nothing to report."""
    emulator.faults.add(Fault(operation="import.job", outcome="Failed", message="Oops"))
    result = run(singer_lines(people(3)), config)
    assert result.error is None
    assert (result.rejects, len(leads(emulator))) == ([], 3)
    assert result.states == [{"records": 3}]


@pytest.mark.fault("I9", "… twice", "makes all its rows rejects, with Marketo's message")
def test_i9_import_that_fails_twice_is_all_rejects(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """Every row of it is a reject with Marketo's message, and the run fails for their number."""
    emulator.faults.add(Fault(operation="import.job", outcome="Failed", message="Oops", times=2))
    result = run(singer_lines(people(3)), config)
    assert isinstance(result.error, TooManyRejectsError)
    assert [entry["record"] for entry in result.rejects] == people(3)
    assert {entry["reason"] for entry in result.rejects} == {"the import failed: Oops"}
    assert {entry["batch_id"] for entry in result.rejects} == {"3402"}


@pytest.mark.fault(
    "I10", "rows of a complete import failed", "makes them rejects, with record and reason"
)
def test_i10_failed_rows_are_reported_with_their_reason(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """Complete with failed rows: those are rejects, the others leads, and STATE is passed on."""
    records = people(20, leadScore=1)
    records[7]["leadScore"] = "many"
    lines = singer_lines(records, schema={"properties": {}})
    result = run(lines, config)
    assert result.error is None
    (entry,) = result.rejects
    assert entry["record"] == {**records[7], "leadScore": "many"}
    assert entry["reason"] == "Invalid data type in field Lead Score"
    assert entry["batch_id"] == "3401"
    assert entry["time"].endswith("Z")
    assert len(leads(emulator)) == 19
    assert result.states == [{"records": 20}]


@pytest.mark.parametrize("percent", [4, 5])
@pytest.mark.fault(
    "I10", "… more of them than `max_rejected_percent`", "fails, after everything is reported"
)
def test_i10_run_fails_above_the_rejects_allowed(
    emulator: Emulator, config: Record, run: RunTarget, percent: int
) -> None:
    """One reject in twenty is 5 %: more than 4, not more than 5; STATE is passed on anyway."""
    records = [*people(19), {"firstName": "nobody"}]
    result = run(singer_lines(records), {**config, "max_rejected_percent": percent})
    assert isinstance(result.error, TooManyRejectsError) == (percent == 4)
    assert result.states == [{"records": 20}]


@pytest.mark.parametrize(
    ("percent", "rows", "named"),
    [
        (100, None, ""),
        (100, 2, ""),
        (100, 1, "max_rejected_rows (1) allows"),
        (100, 0, "max_rejected_rows (0) allows"),
        (5, 2, "max_rejected_percent (5 %) allows"),
        (5, 1, "max_rejected_percent (5 %) and max_rejected_rows (1) allow"),
    ],
)
def test_rows_and_share_of_rejects_are_both_held_to(
    config: Record, run: RunTarget, percent: int, rows: int | None, named: str
) -> None:
    """Two in twenty; one line names what was passed, how many they are, and where; then STATE."""
    records = [*people(18), {"firstName": "nobody"}, {"firstName": "no one"}]
    limits = {"max_rejected_percent": percent, "max_rejected_rows": rows}
    result = run(singer_lines(records), {**config, **limits})
    assert result.states == [{"records": 20}]
    assert (result.error is None) == (not named)
    if named:
        said = str(result.error)
        assert said.startswith(f"2 rows (10.00 %) were rejected, more than {named}. They are in ")
        assert said.count("rejects-") == 1


@pytest.mark.parametrize("limit", ["max_rejected_rows", "max_rejected_percent"])
def test_rows_rejected_before_for_the_same_reason_pass_no_limit(
    config: Record, run: RunTarget, limit: str
) -> None:
    """A row that is wrong at its source fails one run, and not every one."""
    for new, fails in (("first", True), ("first", False), ("second", True)):
        records = [*people(2), {"firstName": new}]
        result = run(singer_lines(records), {**config, limit: 0})
        assert (result.error is not None) == fails


@pytest.mark.parametrize(
    "body",
    [
        "firstName,Import Failure Reason,email\nName 1,Bad,p1@load.test\n",
        '"email","firstName","Import Failure Reason"\n"p1@load.test","Name 1","Bad"\n',
        " Email , FIRSTNAME ,Import Failure Reason\n p1@load.test , Name 1 , Bad\n",
        "email\tfirstName\tImport Failure Reason\np1@load.test\tName 1\tBad\n",
        "email,Import Failure Reason\nP1@LOAD.test,Bad\n",
        "firstName,Import Failure Reason\r\nName 1,Bad\r\n",
        "\ufeffemail,firstName,Import Failure Reason\np1@load.test,N. One,Bad\n",
        "email,firstName,extra,Import Failure Reason\np1@load.test,Name 1,x,Bad\n",
    ],
)
@pytest.mark.fault(
    "I11",
    "the failures file has other columns, quotes, blanks or case",
    "finds the record by header and values",
)
def test_i11_failed_row_is_found_however_it_is_written(
    emulator: Emulator, config: Record, run: RunTarget, body: str
) -> None:
    """Columns reordered or missing, cells quoted or padded anew: the row sent is found."""
    failing(emulator, body, 1)
    result = run(singer_lines(people(20)), config)
    assert [(entry["record"], entry["reason"]) for entry in result.rejects] == [
        (people(2)[1], "Bad")
    ]


@pytest.mark.fault("I12", "a failed row fits several rows sent", "counts them one to one")
def test_i12_failed_rows_that_are_alike_are_counted(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """Two rows alike in the columns reported, one of them failed: one reject, not two."""
    records = [{"email": f"p{number}@load.test", "firstName": "Same"} for number in range(20)]
    failing(emulator, "firstName,Import Failure Reason\nSame,Bad\nSame,Worse\n", 2)
    result = run(singer_lines(records), {**config, "max_rejected_percent": 100})
    assert [entry["reason"] for entry in result.rejects] == ["Bad", "Worse"]
    assert [entry["record"] for entry in result.rejects] == records[:2]
    assert result.summary["imported"] == "18"


@pytest.mark.fault("I12", "… or none", "reports it as it is, and does not count it as imported")
def test_i12_failed_row_that_matches_nothing_is_reported_and_counted(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """A failure that is no row sent is kept as reported, and is not counted as imported."""
    failing(emulator, FAILURES_HEADER + "who@load.test,Who,Bad\n", 1)
    result = run(singer_lines(people(20)), config)
    (entry,) = result.rejects
    assert entry["record"] is None
    assert entry["reported_row"] == {"email": "who@load.test", "firstName": "Who"}
    assert (result.summary["imported"], result.summary["rejected"]) == ("19", "1")


@pytest.mark.fault("I13", "the failures file is 404 although rows failed", "asks again")
def test_i13_missing_failures_file_is_asked_for_again(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """404 although rows failed: asked for again, and reported when it is there."""
    records = people(20, leadScore=1)
    records[7]["leadScore"] = "many"
    emulator.faults.add(Fault(operation="import.failures", status=404, times=2))
    result = run(singer_lines(records, schema={"properties": {}}), config)
    assert [entry["record"]["email"] for entry in result.rejects] == ["p7@load.test"]


@pytest.mark.fault("I13", "… for good", "reports the number of rows")
def test_i13_failures_nobody_names_are_a_count(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """404 for good: the number of failed rows is reported without them."""
    emulator.faults.add(Fault(operation="import.job", put={"numOfRowsFailed": 2}))
    result = run(singer_lines(people(20)), config)
    assert [(entry["record"], entry["rows"]) for entry in result.rejects] == [(None, 2)]
    assert (result.summary["imported"], result.summary["rejected"]) == ("18", "2")


@pytest.mark.fault("I13", "… and its status has no count of them", "counts those not processed")
@pytest.mark.parametrize("put", [{"numOfRowsFailed": "n/a"}, {"numOfRowsFailed": None}])
@pytest.mark.parametrize("times", [2, 9])
def test_i13_rows_that_were_not_processed_have_failed(
    emulator: Emulator, config: Record, run: RunTarget, put: Record, times: int
) -> None:
    """No count of failed rows, and 404 in place of their file: what was processed tells of them."""
    records = people(20, leadScore=1)
    records[7]["leadScore"] = "many"
    emulator.faults.add(
        Fault(operation="import.job", put=put, times=None),
        Fault(operation="import.failures", status=404, body="not yet", times=times),
    )
    result = run(singer_lines(records, schema={"properties": {}}), config)
    (entry,) = result.rejects
    assert (entry["record"] is None) is (times == 9)
    assert (result.summary["imported"], result.summary["rejected"]) == ("19", "1")


@pytest.mark.fault(
    "T8.9", "the failures file names a row twice", "counts it once, and keeps a second reason"
)
def test_row_that_the_failures_file_names_twice_counts_once(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """The number of rejects is that of the rows; the other reason is told as reported."""
    line = "p1@load.test,Name 1,Bad\n"
    body = f"{FAILURES_HEADER}{line}{line}P1@load.test,Name 1,Worse\n"
    failing(emulator, body, 1)
    result = run(singer_lines(people(20)), config)
    assert result.error is None
    assert (result.summary["imported"], result.summary["rejected"]) == ("19", "1")
    assert [entry["reason"] for entry in result.rejects] == ["Bad", "Worse"]
    assert "are reported once more" in result.log


@pytest.mark.fault(
    "I14", "a JSON error with status 200 in place of the failures file", "is not read as rows"
)
def test_i14_json_error_is_not_read_as_rows(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """An error envelope in place of the failures file is no list of rows."""
    emulator.faults.add(
        Fault(operation="import.job", put={"numOfRowsFailed": 1}),
        Fault(operation="import.failures", code="1003", message="Nope", times=None),
    )
    result = run(singer_lines(people(20)), config)
    assert [(entry["record"], entry["rows"]) for entry in result.rejects] == [(None, 1)]


@pytest.mark.fault("I15", "rows were imported with a warning", "reports them as warnings")
def test_i15_warning_is_not_a_failure(emulator: Emulator, config: Record, run: RunTarget) -> None:
    """A row with a warning is a lead, reported among the warnings and nowhere else."""
    records = [*people(19), {"email": "odd @load.test", "firstName": "Odd"}]
    result = run(singer_lines(records), config)
    assert result.error is None
    assert result.rejects == []
    assert [(entry["record"], entry["reason"]) for entry in result.warnings] == [
        (records[-1], "Invalid email address")
    ]
    assert len(leads(emulator)) == 20
    assert (result.summary["imported"], result.summary["with_warnings"]) == ("20", "1")


@pytest.mark.fault("I16", "the counters are missing", "asks for the failures file, and believes it")
def test_i16_missing_counters_are_tolerated(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """Without counters the failures file is asked for, and what it says counts."""
    records = people(20, leadScore=1)
    records[7]["leadScore"] = "many"
    names = ("numOfLeadsProcessed", "numOfRowsFailed", "numOfRowsWithWarning")
    emulator.faults.add(Fault(operation="import.job", drop=names))
    result = run(singer_lines(records, schema={"properties": {}}), config)
    assert [entry["record"]["email"] for entry in result.rejects] == ["p7@load.test"]
    assert result.states == [{"records": 20}]


@pytest.mark.fault(
    "I16",
    "… and an error comes in place of the failures file",
    "asks 3 times, then fails without STATE",
)
@pytest.mark.parametrize("times", [2, None])
def test_i16_rows_neither_counted_nor_named_are_not_taken_for_imported(
    emulator: Emulator, config: Record, run: RunTarget, times: int | None
) -> None:
    """No counters, and an error in place of the file: it is asked for again, never passed over."""
    records = people(20, leadScore=1)
    records[7]["leadScore"] = "many"
    emulator.faults.add(
        Fault(operation="import.job", drop=("numOfRowsFailed",)),
        Fault(operation="import.failures", code="1003", message="Nope", times=times),
    )
    result = run(singer_lines(records, schema={"properties": {}}), config)
    assert isinstance(result.error, JobError) == (times is None)
    assert result.states == ([{"records": 20}] if times else [])
    assert len(result.rejects) == (1 if times else 0)


WARNINGS_HIDDEN = [
    pytest.param({}, {"code": "1003", "message": "Nope"}, None, True, id="left out, an error"),
    pytest.param({"put": "n/a"}, {"code": "1013"}, None, True, id="odd, an error"),
    pytest.param({}, {"code": "1003", "message": "Nope"}, 2, False, id="an error that passes"),
    pytest.param({}, {"status": 404, "body": ""}, None, False, id="left out, no file"),
    pytest.param({"put": 1}, {"code": "1003", "message": "Nope"}, None, False, id="counted"),
]


@pytest.mark.fault(
    "I16",
    "… and an error in place of the warnings file",
    "asks 3 times, then says among the warnings that they are not known; the rows are imported",
)
@pytest.mark.parametrize(("counted", "report", "times", "is_unknown"), WARNINGS_HIDDEN)
def test_i16_warnings_neither_counted_nor_named_are_said(
    emulator: Emulator,
    config: Record,
    run: RunTarget,
    counted: dict[str, Any],
    report: dict[str, Any],
    times: int | None,
    *,
    is_unknown: bool,
) -> None:
    """One entry for the import, and none where Marketo counts them or says that there are none."""
    records = [*people(19), {"email": "odd @load.test", "firstName": "Odd"}]
    name = "result.0.numOfRowsWithWarning"
    how = {"put": {name: counted["put"]}} if counted else {"drop": (name,)}
    emulator.faults.add(
        Fault(operation="import.status", **how, times=None, takes_effect=True),
        Fault(operation="import.warnings", **report, times=times),
    )
    result = run(singer_lines(records), config)
    assert result.error is None
    assert result.states == [{"records": 20}]
    unknown = [entry for entry in result.warnings if entry["reason"] == WARNINGS_UNKNOWN]
    assert [(entry["batch_id"], entry["record"], entry["rows"]) for entry in unknown] == (
        [("3401", None, None)] if is_unknown else []
    )


@pytest.mark.parametrize(("kept", "dropped"), [("batchId", "importId"), ("importId", "batchId")])
@pytest.mark.fault(
    "I17",
    "the id is a number in `batchId`, text in `importId`, and one of them is missing",
    "takes either",
)
def test_i17_either_id_will_do(
    emulator: Emulator, config: Record, run: RunTarget, kept: str, dropped: str
) -> None:
    """The id is a number in one key and text in the other; either alone is enough."""
    emulator.faults.add(
        Fault(operation="import.*", drop=(f"result.0.{dropped}",), times=None, takes_effect=True)
    )
    result = run(singer_lines(people(3)), config)
    assert result.error is None
    assert len(leads(emulator)) == 3


@pytest.mark.fault(
    "I18",
    "an import never ends",
    "fails after `import_timeout_seconds`; the next run waits for it before it sends anything",
)
def test_i18_stuck_import_times_out_and_the_next_run_waits_for_it(
    emulator: Emulator, config: Record, run: RunTarget, tmp_path: Path
) -> None:
    """The run fails without STATE and leaves the id; the next run polls it before it sends."""
    emulator.faults.add(Fault(operation="import.job", job_seconds=3_600))
    result = run(singer_lines(people(3)), {**config, "import_timeout_seconds": 0.1})
    assert isinstance(result.error, JobTimeoutError)
    assert "3401" in str(result.error)
    assert result.states == []
    journal = read_json_lines(tmp_path / "rejects", "imports-*.jsonl")
    assert [(entry["event"], entry["batch_id"]) for entry in journal] == [
        ("sending", None),
        ("accepted", "3401"),
    ]
    before = len(emulator.requests)
    emulator.advance(3_600)
    again = run(singer_lines(people(3)), config)
    assert again.error is None
    seen = [each.operation for each in emulator.requests][before:]
    assert seen.index("import.status") < seen.index("import.create")
    assert [str(job.status.value) for job in emulator.imports] == ["Complete", "Complete"]
    assert list((tmp_path / "rejects").glob("imports-*")) == []


@pytest.mark.fault(
    "I19",
    "Marketo no longer knows an import (610, 1013)",
    "reports its outcome as unknown, fails without STATE",
)
def test_i19_expired_id_is_an_unknown_outcome(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """An import Marketo no longer knows is reported as unknown: an error, and no STATE."""
    emulator.faults.add(Fault(operation="import.status", code="1013", times=None))
    result = run(singer_lines(people(3)), config)
    assert isinstance(result.error, JobError)
    assert "unknown" in str(result.error)
    assert result.summary["unknown"] == "3"
    assert result.states == []


@pytest.mark.fault("I20", "two records of one lead in one file", "sends the last")
def test_i20_last_record_of_a_lead_wins(emulator: Emulator, config: Record, run: RunTarget) -> None:
    """Two records of one lead are one row, with the later values."""
    records = [*people(3), {"email": "p1@load.test", "firstName": "Later"}]
    result = run(singer_lines(records), config)
    assert leads(emulator)["p1@load.test"]["firstName"] == "Later"
    assert [job.rows_imported for job in emulator.imports] == [3]
    assert result.summary["replaced"] == "1"


NASTY = (
    "a,b",
    'say "hi"',
    "two\nlines",
    "lone\rreturn",
    "windows\r\nline",
    " leading and trailing ",
    "null",
    "NULL",
    "tab\there; semicolon",
    "=1+1",
    "line\u2028separator",
    "emoji 🦩 and 中文",
    '"',
    "\\n",
)


@pytest.mark.parametrize("name", ["csv", "tsv", "ssv"])
@pytest.mark.fault(
    "I21", "commas, quotes, line ends, blanks and `null` in values", "arrive as they were sent"
)
def test_i21_nasty_text_makes_the_round_trip(
    emulator: Emulator, config: Record, run: RunTarget, name: str
) -> None:
    """Separators, quotes, line ends, blanks and words that look like nothing arrive as sent."""
    records = people(len(NASTY))
    for record, text in zip(records, NASTY, strict=True):
        record["company"] = text
    result = run(singer_lines(records), {**config, "format": name})
    assert result.error is None
    assert [lead["company"] for lead in leads(emulator).values()] == list(NASTY)


@pytest.mark.fault("I22", "a blank in the header would fail every row", "is never sent")
def test_i22_header_has_no_blanks(emulator: Emulator, config: Record, run: RunTarget) -> None:
    """The header is the fields' API names, whatever the case of the properties."""
    records = [{"EMAIL": "p1@load.test", "firstname": "Ann"}]
    result = run(singer_lines(records, schema={"properties": {}}), config)
    assert result.error is None
    assert [list(job.header) for job in emulator.imports] == [["email", "firstName"]]


@pytest.mark.fault("I23", "an e-mail address that is not ASCII", "is a reject, and is not sent")
def test_i23_address_with_other_characters_is_a_reject(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """Marketo takes ASCII addresses only: the others are not sent."""
    records = [*people(20), {"email": "jürgen@load.test", "firstName": "Jürgen"}]
    result = run(singer_lines(records), config)
    assert [entry["record"] for entry in result.rejects] == records[-1:]
    assert "ASCII" in result.rejects[0]["reason"]
    assert len(leads(emulator)) == 20


@pytest.mark.parametrize("code", ["601", "602"])
@pytest.mark.fault("I24", "the token expires during an upload", "renews it, sends again")
def test_i24_token_that_expires_during_an_upload_is_renewed(
    emulator: Emulator, config: Record, run: RunTarget, code: str
) -> None:
    """The upload is repeated with a new token, and nothing is imported twice."""
    emulator.faults.add(Fault(operation="import.create", code=code))
    result = run(singer_lines(people(3)), config)
    assert result.error is None
    assert creates(emulator) == [code, ""]


@pytest.mark.fault("I25", "rows processed and failed are not the rows sent", "warns")
def test_i25_counts_that_do_not_add_up_are_a_warning(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """Processed and failed rows that are not the rows sent are said, and stop nothing."""
    emulator.faults.add(Fault(operation="import.job", put={"numOfLeadsProcessed": 2}))
    result = run(singer_lines(people(3)), config)
    assert result.error is None
    assert "import 3401: 3 rows were sent, Marketo counts 2 processed and 0 failed" in result.log


def test_unknown_status_is_polled_on(emulator: Emulator, config: Record, run: RunTarget) -> None:
    """A status nobody knows is said once and waited out."""
    emulator.faults.add(
        Fault(operation="import.status", put={"result.0.status": "Pondering"}, times=3)
    )
    result = run(singer_lines(people(3)), config)
    assert result.error is None
    assert result.log.count("has a status this version does not know") == 1


def test_files_that_share_a_lead_are_never_under_way_together(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """An import starts only after all earlier ones with one of its leads have ended."""
    ticks = count(1)
    emulator.faults.add(
        *(Fault(operation="import.job", nth=n, job_seconds=0.05 / n) for n in (1, 3, 5))
    )
    records: list[Record] = []
    for _ in range(6):
        which = next(ticks)
        records.append({"email": "same@load.test", "firstName": f"v{which}"})
        records.append({"email": "same@load.test", "lastName": f"v{which}", "firstName": "-"})
        # Others fill the files, or the later rows would take the place of the earlier.
        filling = people(4, lastName="x" * 200, firstName="-")
        records += [{**each, "email": f"{which}{each['email']}"} for each in filling]
    settings = {"max_queued_imports": 5, "max_file_size_bytes": 1_000}
    result = run(singer_lines(records), {**config, **settings})
    assert result.error is None
    jobs = [job for job in emulator.imports if b"same@load.test" in job.request.content]
    assert len(jobs) >= 6
    for earlier, later in pairwise(jobs):
        assert earlier.finished_at is not None
        assert later.queued_at is not None
        assert earlier.finished_at <= later.queued_at
    lead = leads(emulator)["same@load.test"]
    assert (lead["firstName"], lead["lastName"]) == ("-", "v6")


def test_imports_are_under_way_together_up_to_the_limit(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """Files without a common lead do not wait for each other."""
    emulator.faults.add(Fault(operation="import.job", job_seconds=0.1, times=None))
    config |= {"max_file_size_bytes": 1_000, "max_queued_imports": 2}
    result = run(singer_lines(people(60)), config)
    assert result.error is None
    jobs = emulator.imports
    assert jobs[1].queued_at is not None
    assert jobs[0].finished_at is not None
    assert jobs[1].queued_at < jobs[0].finished_at


@pytest.mark.slow
def test_rejects_of_fifty_thousand_rows_are_exact(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """1 % failing for three reasons, with leads repeated: exactly those are rejects."""
    records: list[Record] = []
    expected: dict[str, str] = {}
    for number in range(50_000):
        record: Record = {
            "email": f"p{number % 49_000}@load.test",
            "leadScore": number,
            "firstName": f"Name, {number % 7}",
            "unsubscribed": False,
        }
        fault = (number % 300) // 100 if number % 100 == 0 else None
        if fault == 0:
            record["leadScore"] = "14.1"
        elif fault == 1:
            record["unsubscribed"] = "other"
        elif fault == 2:
            record["firstName"] = "x" * 300
        expected.pop(record["email"], None)
        if fault is not None:
            expected[record["email"]] = [
                "Invalid data type in field Lead Score",
                "Invalid data type in field Unsubscribed",
                "Value too long in field First Name",
            ][fault]
        records.append(record)
    lines = singer_lines(records, schema={"properties": {}}, state_every=10_000)
    result = run(lines, {**config, "max_file_size_bytes": 500_000})
    assert result.error is None
    # A lead may be in two files; only then can an earlier record of it fail, too.
    last = {entry["record"]["email"]: entry["reason"] for entry in result.rejects}
    assert {email: last.get(email) for email in expected} == expected
    sent = sum(job.rows_imported + len(job.failures) for job in emulator.imports)
    assert len(result.rejects) == sum(len(job.failures) for job in emulator.imports)
    assert sent + int(result.summary["replaced"]) == 50_000
    assert int(result.summary["imported"]) + len(result.rejects) == sent
    assert result.states[-1] == {"records": 50_000}


def test_every_upload_is_a_file_below_the_limit(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """Each file stays below `max_file_size_bytes`, has a header, and is full but for the last."""
    run(singer_lines(people(400)), {**config, "max_file_size_bytes": 2_000})
    contents = [job.request.content for job in emulator.imports]
    assert all(1_960 < len(content) < 2_000 for content in contents[:-1])
    rows = [list(csv.reader(io.StringIO(content.decode()))) for content in contents]
    assert all(each[0] == ["email", "firstName"] for each in rows)
    assert sum(len(each) - 1 for each in rows) == 400


def test_refused_list_ends_the_run(emulator: Emulator, config: Record, run: RunTarget) -> None:
    """A static list that does not exist is an error that names it, and nothing is claimed."""
    result = run(singer_lines(people(3)), {**config, "list_id": 999_999})
    assert isinstance(result.error, NotFoundError)
    assert "Static list not found" in str(result.error)
    assert result.states == []


def test_imports_into_one_list_follow_each_other(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """Marketo refuses a second import into a list: none is uploaded to be refused."""
    emulator.faults.add(Fault(operation="import.job", job_seconds=0.03, times=None))
    list_id = next(iter(emulator.store.static_lists))
    config |= {"max_file_size_bytes": 1_000, "max_queued_imports": 5, "list_id": list_id}
    result = run(singer_lines(people(100)), config)
    assert result.error is None
    assert creates(emulator) == ["", "", ""]


def test_full_queue_is_tried_again_when_an_import_of_ones_own_ends(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """The pause after 1016 ends with the first import that ends: its place is free."""
    emulator.faults.add(
        Fault(operation="import.job", job_seconds=0.05),
        Fault(operation="import.create", nth=2, code="1016"),
    )
    config |= {"max_file_size_bytes": 1_000, "poll_interval_seconds": 0.1}
    result = run(singer_lines(people(60)), config)
    assert result.error is None
    assert creates(emulator) == ["", "1016", ""]


BLANKS = ["{} ", " {}", " {} ", "\t{}", "{}\n"]


@pytest.mark.parametrize("form", BLANKS, ids=repr)
@pytest.mark.parametrize("is_first", [True, False], ids=["spelled first", "spelled last"])
def test_a_value_with_outer_blanks_is_sent_after_the_older_one(
    emulator: Emulator, config: Record, run: RunTarget, form: str, *, is_first: bool
) -> None:
    """Whether Marketo takes both for one lead or two, the newer row of them is imported last."""
    email = "p4@load.test"
    spellings = [form.format(email), email] if is_first else [email, form.format(email)]
    records = [{"email": each, "firstName": f"v{n}"} for n, each in enumerate(spellings)]
    result = run(singer_lines(records), {**config, "max_queued_imports": 5})
    assert result.error is None
    earlier, later = emulator.imports
    assert [b"v0" in earlier.request.content, b"v1" in later.request.content] == [True, True]
    assert earlier.finished_at is not None
    assert later.queued_at is not None
    assert earlier.finished_at <= later.queued_at
