"""What is wrong or awkward in the content of a file, each named by its id (docs/faults.md)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk.errors import DecodeError
from marketo_emulator import Fault
from tap_marketo_bulk.sync.windows import format_timestamp
from tests.tap_runs import NO_RATE_LIMIT, created_jobs, members_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.drill import Drill
    from tests.tap_runs import TapRun

Key = tuple[int, int]


def rewritten(*names: str) -> Fault:
    """Return the fault of a file that is wrong for good, under a true size and checksum."""
    return Fault(operation="export.job", rewrites=names)


def differences(drill: Drill, run: TapRun) -> dict[tuple[Key, str], Any]:
    """Return the values that are not Marketo's, by key and field; the rows must be the same."""
    members, table = members_of(drill.emulator), run.table()
    assert table.keys() == members.keys()
    return {
        (key, name): value
        for key, record in table.items()
        for name, value in record.items()
        if members[key][name] != value
    }


def change_first(drill: Drill, **values: Any) -> Key:
    """Change a member and return its key."""
    (lead_id, program_id), _ = next(iter(members_of(drill.emulator).items()))
    moments = {"updatedAt": members_of(drill.emulator)[lead_id, program_id]["updatedAt"]}
    drill.emulator.store.change_member(program_id, lead_id, **{**moments, **values})
    return lead_id, program_id


def spoil_cell(drill: Drill, name: str, marker: Any, text: str) -> Key:
    """Have a cell hold this text in the next file; return the member's key."""
    key = change_first(drill, **{name: marker})
    old = str(marker).encode()
    drill.spoil(lambda content: content.replace(old, text.encode(), 1))
    return key


def read(drill: Drill, name: str, marker: Any, text: str) -> object:
    """Return what a record has for a cell with this text, where Marketo had `marker`."""
    key = spoil_cell(drill, name, marker, text)
    return drill.run().table()[key][name]


@pytest.mark.parametrize(
    "rewrite",
    [
        pytest.param(
            "columns_reversed",
            id="C1",
            marks=pytest.mark.fault(
                "C1", "columns in another order than asked for", "goes by the header"
            ),
        ),
        pytest.param(
            "header_ui_labels",
            id="C2",
            marks=pytest.mark.fault(
                "C2", "the header has labels of the user interface (`Member Date`)", "knows them"
            ),
        ),
        pytest.param(
            "header_upper_case",
            id="C3",
            marks=pytest.mark.fault("C3", "the header is spelt in another case", "knows it"),
        ),
        pytest.param(
            "column_repeated",
            id="C6",
            marks=pytest.mark.fault("C6", "a column stands twice in the header", "takes the first"),
        ),
        pytest.param(
            "byte_order_mark",
            id="C8",
            marks=pytest.mark.fault("C8", "the file starts with a byte order mark", "drops it"),
        ),
        pytest.param(
            "carriage_returns_and_line_feeds",
            id="C9",
            marks=pytest.mark.fault(
                "C9", "lines end with CRLF", "reads them; line ends inside quotes stay as they are"
            ),
        ),
        pytest.param(
            "everything_quoted",
            id="C10",
            marks=pytest.mark.fault("C10", "every cell is quoted", "reads them"),
        ),
        pytest.param(
            "no_final_line_feed",
            id="C19",
            marks=pytest.mark.fault("C19", "the last line has no line end", "keeps the row"),
        ),
        pytest.param(
            "booleans_as_words",
            id="C20",
            marks=pytest.mark.fault(
                "C20", "booleans are `TRUE` and `false` instead of 1 and 0", "reads both"
            ),
        ),
        pytest.param(
            "integers_as_decimals",
            id="C21",
            marks=pytest.mark.fault("C21", "integers are written as `5.0`", "reads 5"),
        ),
    ],
)
def test_c_same_rows_written_otherwise(drill: Drill, rewrite: str) -> None:
    """However the same rows are written, the records are the same."""
    drill.arm(rewritten(rewrite))
    drill.assert_whole(drill.run())
    assert drill.count("export.create") == 1


@pytest.mark.fault(
    "C4",
    "a column that was asked for is missing",
    "fails before the first record and names it; never reads nulls",
)
def test_c4_missing_column_is_an_error(drill: Drill) -> None:
    """The column and the header are in the error; the next run makes a new job."""
    drill.arm(rewritten("column_missing"))
    error, failed = drill.run_fails(DecodeError)
    assert "no column for updatedAt in the header" in str(error)
    assert failed.records() == []
    drill.assert_next_run_completes(failed)


@pytest.mark.fault("C5", "a column nobody asked for", "leaves it out, warns")
def test_c5_surplus_column_is_a_warning(drill: Drill, caplog: pytest.LogCaptureFixture) -> None:
    """Its name is in the log, its values are nowhere."""
    drill.arm(rewritten("column_added"))
    drill.assert_whole(drill.run())
    assert any("surplusColumn" in record.message for record in caplog.records)


@pytest.mark.parametrize("repeated", [True, False])
@pytest.mark.fault(
    "C7",
    "with `programIds` a file gets a leading column `programId`",
    "does not ask for it a second time, and has it in every record",
)
def test_c7_leading_program_id_is_used(make_drill: Callable[..., Drill], *, repeated: bool) -> None:
    """The key is whole, whether Marketo would repeat the column or not."""
    drill = make_drill(options=replace(NO_RATE_LIMIT, program_id_repeated=repeated))
    drill.assert_whole(drill.run())
    (job,) = created_jobs(drill.emulator)
    assert "programId" not in job["fields"]


@pytest.mark.fault(
    "C9", "lines end with a lone CR", "fails before the first record: a lone CR is data elsewhere"
)
def test_c9_lone_carriage_returns_are_refused(drill: Drill) -> None:
    """No rows are made up of a file whose lines cannot be told from its cells."""
    drill.arm(rewritten("carriage_returns"))
    _, failed = drill.run_fails(DecodeError)
    assert failed.records() == []
    drill.assert_next_run_completes(failed)


@pytest.mark.parametrize(
    "text",
    [
        "a\nb",
        "a\r\nb",
        "a\rb",
        "a\u2028b\u2029c",
        "a\x0bb\x0cc\x85d",
        '"',
        '""',
        '\n"\n,\n',
        ",;\t|",
    ],
)
@pytest.mark.fault(
    "C10",
    "line ends, U+2028, VT, FF, quotes and separators inside a cell",
    "the record has exactly this text",
)
def test_c10_text_inside_a_cell_is_untouched(drill: Drill, text: str) -> None:
    """One row stays one row."""
    change_first(drill, dietaryNotes=text)
    drill.assert_whole(drill.run())


@pytest.mark.fault("C11", "NUL bytes in a cell", "removes them, says how many")
def test_c11_nul_bytes_are_removed_and_counted(
    drill: Drill, caplog: pytest.LogCaptureFixture
) -> None:
    """Everything around them is kept."""
    drill.arm(rewritten("null_byte"))
    (_, value), *others = differences(drill, drill.run()).items()
    assert value == "nullbyte"
    assert others == []
    assert any("1 NUL bytes removed" in r.message for r in caplog.records)


@pytest.mark.fault("C12", "bytes that are no UTF-8", "fails and names the place")
def test_c12_invalid_utf8_is_an_error(drill: Drill) -> None:
    """Nothing is guessed; the next run makes a new job."""
    drill.arm(rewritten("invalid_utf8"))
    error, failed = drill.run_fails(DecodeError)
    assert "line 2" in str(error)
    drill.assert_next_run_completes(failed)


@pytest.mark.fault("C12", "… with `on_bad_value: null`", "puts U+FFFD, says how many")
def test_c12_invalid_utf8_is_replaced_and_counted(
    drill: Drill, caplog: pytest.LogCaptureFixture
) -> None:
    """Two bytes, two marks, one line in the log."""
    drill.arm(rewritten("invalid_utf8"))
    ((key, name), value), *others = differences(drill, drill.run({"on_bad_value": "null"})).items()
    assert value == f"{members_of(drill.emulator)[key][name]}\ufffd\ufffd"
    assert others == []
    assert any("no UTF-8 replaced" in record.message for record in caplog.records)


@pytest.mark.fault("C13", "a cell of 200 000 characters", "reads it")
def test_c13_huge_cell_is_read(drill: Drill) -> None:
    """No limit of a parser's cuts it."""
    drill.arm(rewritten("cell_huge"))
    assert [*differences(drill, drill.run()).values()] == ["x" * 200_000]


@pytest.mark.fault(
    "C14",
    "quotes inside quotes that are not doubled",
    "reads the row where there is only one way to, and says how many",
)
def test_c14_undoubled_quotes_are_read_and_counted(
    drill: Drill, caplog: pytest.LogCaptureFixture
) -> None:
    """No cell moves into another column."""
    drill.arm(rewritten("quotes_unescaped"))
    assert [*differences(drill, drill.run()).values()] == ['say "cheese" now']
    assert any("not doubled, read all the same" in record.message for record in caplog.records)


@pytest.mark.fault(
    "C14", "… and more than one way", "fails and names the line; no cell moves in silence"
)
def test_c14_doubtful_quotes_are_an_error(drill: Drill) -> None:
    """Where a comma might be data or not, nothing is guessed."""
    change_first(drill, dietaryNotes="@@")
    drill.spoil(lambda content: content.replace(b"@@", b'"a","b', 1))
    error, failed = drill.run_fails(DecodeError)
    assert "the row on line 2" in str(error)
    drill.assert_next_run_completes(failed)


@pytest.mark.parametrize("rewrite", ["row_short", "row_long"])
@pytest.mark.fault("C15", "a row shorter or longer than the header", "fails and names the line")
def test_c15_row_of_another_width_is_an_error(drill: Drill, rewrite: str) -> None:
    """Both widths are in the error; the next run makes a new job."""
    drill.arm(rewritten(rewrite))
    error, failed = drill.run_fails(DecodeError)
    assert "the row on line 2 has" in str(error)
    drill.assert_next_run_completes(failed)


@pytest.mark.parametrize("text", ["Null", "NULL", " null", "null ", "nullable", "", None])
@pytest.mark.fault(
    "C16", "a text is `NULL`, `Null` or ` null`", "is kept: only exactly `null` is no value"
)
def test_c16_only_null_is_null(drill: Drill, text: str | None) -> None:
    """Texts that look like nothing are texts, also the empty one."""
    change_first(drill, dietaryNotes=text)
    drill.assert_whole(drill.run())


@pytest.mark.parametrize("offset", [0, 1], ids=["none announced", "the header counted"])
@pytest.mark.fault("C17", "a header and no rows", "is no error, moves the bookmark")
def test_c17_header_alone_is_no_rows(make_drill: Callable[..., Drill], offset: int) -> None:
    """Also if Marketo counts the header, as one of its samples does."""
    options = replace(NO_RATE_LIMIT, number_of_records_offset=offset)
    drill = make_drill(members=0, options=options)
    drill.assert_whole(drill.run())


@pytest.mark.parametrize("rewrite", ["header_only", "empty"])
@pytest.mark.fault(
    "C17",
    "… although Marketo announced rows",
    "fails with the bookmark where it was; the next run makes a new job",
)
@pytest.mark.fault(
    "C18",
    "the file is empty although Marketo announced rows",
    "fails with the bookmark where it was; the next run makes a new job",
)
def test_c17_c18_no_rows_although_announced_is_an_error(drill: Drill, rewrite: str) -> None:
    """Rows that were announced are not lost under a checksum of nothing."""
    drill.arm(rewritten(rewrite))
    error, failed = drill.run_fails(DecodeError)
    assert "announced 60 records, the file has 0" in str(error)
    drill.assert_next_run_completes(failed)


@pytest.mark.fault("C18", "… and it announced none", "is no error, moves the bookmark")
def test_c18_empty_file_without_a_number_is_no_rows(make_drill: Callable[..., Drill]) -> None:
    """Not a single byte, and not a word about rows."""
    drill = make_drill(members=0, options=replace(NO_RATE_LIMIT, empty_file="nothing"))
    drill.arm(Fault(operation="export.job", drop=("numberOfRecords",)))
    drill.assert_whole(drill.run())
    assert drill.count("export.file") == 1


@pytest.mark.parametrize(
    ("name", "marker", "text", "value"),
    [
        ("guestCount", 987654, "1e3", 1000),
        ("guestCount", 987654, "-0", 0),
        ("guestCount", 987654, "98765432109876543210", 98765432109876543210),
        ("feeDiscount", 98.7654, "12.5", 12.5),
        ("feeDiscount", 98.7654, "12", 12),
    ],
)
@pytest.mark.fault(
    "C21", "an integer is `1e3`, a percent `12.5`", "reads 1000, and a percent as a number"
)
def test_c21_numbers_in_unusual_spellings_are_read(
    drill: Drill, name: str, marker: float, text: str, value: float
) -> None:
    """The value is that of the text, to the last digit."""
    assert read(drill, name, marker, text) == value


@pytest.mark.fault(
    "C21",
    "… or no number at all (`N/A`)",
    "fails and names job, line and column; the value may be a person's and is not shown",
)
def test_c21_garbage_is_an_error(drill: Drill) -> None:
    """Where to look is in the error, and which setting to change; the next run makes a new job."""
    spoil_cell(drill, "guestCount", 987654, "N/A")
    error, failed = drill.run_fails(DecodeError)
    assert f"export {drill.emulator.jobs[0].export_id}" in str(error)
    assert "line 2, column guestCount: " in str(error)
    assert "text of 3 characters is no integer. Set on_bad_value to null" in str(error)
    assert "N/A" not in str(error)
    drill.assert_next_run_completes(failed)


@pytest.mark.fault("C21", "… with `on_bad_value: null`", "writes null, logs how many of what")
def test_c21_garbage_is_nulled_and_counted(drill: Drill, caplog: pytest.LogCaptureFixture) -> None:
    """One value is null, the log counts it and does not show it."""
    spoil_cell(drill, "guestCount", 987654, "N/A")
    run = drill.run({"on_bad_value": "null"})
    assert [*differences(drill, run).values()] == [None]
    assert any("1 values do not fit its type" in r.message for r in caplog.records)
    assert "N/A" not in caplog.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [("N/A", "text of 3 characters"), ("null", "null"), ("", "an empty cell")],
)
@pytest.mark.fault(
    "C21", "… in a key column, or no value there", "fails, whatever `on_bad_value` says"
)
def test_c21_record_without_a_key_is_an_error(drill: Drill, text: str, shown: str) -> None:
    """No record goes out that a table cannot keep apart from others."""
    drill.spoil(lambda content: content.replace(b"\n1001,", f"\n{text},".encode(), 1))
    error, failed = drill.run_fails(DecodeError, {"on_bad_value": "null"})
    assert f"line 2, column programId: {shown} is no integer, and every row needs" in str(error)
    drill.assert_next_run_completes(failed)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2001-02-03T04:05:06.789Z", "2001-02-03T04:05:06.789Z"),
        ("2001-02-03T04:05:06+0100", "2001-02-03T03:05:06Z"),
        ("2001-02-03T04:05:06-05:30", "2001-02-03T09:35:06Z"),
        ("2001-02-03T04:05:06Z+0000", "2001-02-03T04:05:06Z"),
        ("2001-02-03", "2001-02-03T00:00:00Z"),
    ],
)
@pytest.mark.fault(
    "C22",
    "a moment with milliseconds, with an offset, as `Z+0000`, or as a date",
    "is the same moment in UTC",
)
def test_c22_moments_in_unusual_spellings_are_read(drill: Drill, text: str, value: str) -> None:
    """Not a millisecond is lost, and no offset is ignored."""
    moment = "2001-02-03T04:05:06Z"
    assert read(drill, "checkedInAt", moment, text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("16777217", 16777217), ("1.6777217E7", 16777217), ("0.1", 0.1), ("-12.50", -12.5)],
)
@pytest.mark.fault(
    "C23", "a currency beyond 24 bits, or with an exponent", "is a number with all its digits"
)
def test_c23_currency_keeps_its_digits(drill: Drill, text: str, value: float) -> None:
    """16777217 is not rounded to what 32 bits can hold."""
    assert read(drill, "ticketFee", 98.7654, text) == value


def borders(drill: Drill) -> tuple[dict[str, Any], Key, str]:
    """Have all members changed lately, and one of them exactly between two windows of 31 days."""
    drill.emulator.store.touch_members(60)
    drill.emulator.advance(120)
    start = drill.emulator.clock.now() - timedelta(days=62)
    border = format_timestamp(start + timedelta(days=31))
    key = change_first(drill, updatedAt=border)
    return {"start_date": start.isoformat()}, key, border


@pytest.mark.fault(
    "C24",
    "the same row is in two adjacent windows, whose border second belongs to both",
    "writes it twice under one key",
)
def test_c24_row_in_two_windows_has_one_key(drill: Drill) -> None:
    """Read twice rather than never; a table by key has it once."""
    config, key, _ = borders(drill)
    run = drill.run(config)
    drill.assert_whole(run)
    assert [(r["leadId"], r["programId"]) for r in run.records()].count(key) == 2


@pytest.mark.fault(
    "C25",
    "a row shows an older `updatedAt` than the window it is in",
    "writes it; the bookmark is the end of the window and never goes back",
)
def test_c25_older_timestamps_do_not_move_the_bookmark(make_drill: Callable[..., Drill]) -> None:
    """Rows that show their lead's dates, all older than the bookmark, are all written."""
    drill = make_drill(options=replace(NO_RATE_LIMIT, shared_timestamps="lead"))
    first = drill.run()
    drill.emulator.advance(86_400)
    changed = {(lead, program) for program, lead in drill.emulator.store.touch_members(9)}
    drill.emulator.advance(3_600)
    second = drill.run(state=first.last_state)
    assert second.table().keys() == changed
    shown = {record["updatedAt"] for record in second.records()}
    bookmarks = [run.bookmark["replication_key_value"] for run in (first, second)]
    assert max(shown) < bookmarks[0] < bookmarks[1]


@pytest.mark.parametrize("included", [True, False])
@pytest.mark.fault(
    "C26",
    "a row changed in the very second in which a window ends, which may be in the window or not",
    "is found by this window or the next: they share that second",
)
def test_c26_row_at_the_end_of_a_window_is_found(
    make_drill: Callable[..., Drill], *, included: bool
) -> None:
    """Between two windows, and between two runs."""
    drill = make_drill(options=replace(NO_RATE_LIMIT, window_end_included=included))
    config, _, _ = borders(drill)
    run_end = format_timestamp(drill.emulator.clock.now() - timedelta(seconds=60))
    *_, (lead_id, program_id) = members_of(drill.emulator)
    drill.emulator.store.change_member(program_id, lead_id, updatedAt=run_end)
    first = drill.run(config)
    drill.emulator.advance(600)
    drill.assert_whole(first, drill.run(config, state=first.last_state))


@pytest.mark.parametrize("rewrite", ["tab_separated", "semicolon_separated"])
@pytest.mark.fault(
    "C27", "tabs or semicolons although commas were asked for", "reads the file, warns"
)
def test_c27_other_delimiter_is_a_warning(
    drill: Drill, caplog: pytest.LogCaptureFixture, rewrite: str
) -> None:
    """Taken only because every wanted column is in the header then."""
    drill.arm(rewritten(rewrite))
    drill.assert_whole(drill.run())
    assert any("the delimiter is" in record.message for record in caplog.records)


@pytest.mark.fault("C28", "a `statusName` that no channel has any more", "is a text as any other")
def test_c28_unknown_status_name_is_a_text(drill: Drill) -> None:
    """Statuses are renamed; what members have stays."""
    change_first(drill, statusName="Renamed long ago")
    drill.assert_whole(drill.run())
