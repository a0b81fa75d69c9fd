"""Values: what a JSON value becomes in an import file, by schema and by Marketo's types."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketo_bulk.errors import ConfigurationError
from marketo_bulk.imports.objects import LEADS
from marketo_bulk.metadata.describe import FieldDescription
from target_marketo_bulk.records.cell_text import (
    TIME_OF_DAY,
    UnsendableValueError,
    converter_for,
    datetime_text,
)
from target_marketo_bulk.records.column_catalog import ColumnCatalog
from target_marketo_bulk.records.property_types import inlined, is_datetime, is_integer
from tests.target.runs import TEXT, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketo_emulator import Emulator
    from tests.target.runs import Record, Run

    RunTarget = Callable[[bytes, Record], Run]

DATETIME = {"type": "string", "format": "date-time"}
INTEGER = {"type": ["integer", "null"]}
NUMBER = {"type": ["number", "null"]}


def cell(value: object, schema: Mapping[str, Any] | None = None, data_type: str = "") -> object:
    """Return what a value becomes before `csv.writer` sees it."""
    convert = converter_for(type(value), schema or {}, data_type=data_type)
    return value if convert is None else convert(value)


# -- date-times ----------------------------------------------------------------------------------

AS_THEY_ARE = [
    "20230808120000+00:00",
    "20200507101112131",
    "20200507T101112Z",
    "20200507T1011",
    "1683558000000000000",
    "1683558000000000.5",
    "2020-W19-4T10:11:12",
    "2020-128T10:11:12+00:00",
    "2020-05-07_10:11:12",
    "2020-05-0710:11:12",
    "2020-05-07 10:11:12 UTC",
    "2020-05-07 10:11:12 +02:00",
    "2020-05-07 101112",
    "2020-05-07 10",
    "2020-02-30 10:11:12",
    "2020-05-07 25:11:12",
    "2020-05-07 10:11:12+25:00",
    "2020-05-07 10:11:12+02:00:30",
    "2020-05-07 10:11:12.",
    "2020-05-07 10:11.5",
    "2020-05-07 10:11:12\n",
    "٢٠٢٠-05-07 10:11:12",
    "12020-05-07 10:11:12",
    "05/07/2020 10:11:12",
]


@pytest.mark.parametrize("text", AS_THEY_ARE)
@pytest.mark.fault(
    "T6.1",
    "text under `format: date-time` that has another form, such as digits alone",
    "goes as it is, whatever the version of Python",
)
def test_t6_1_text_of_another_form_goes_as_it_is(text: str) -> None:
    """Marketo judges what is no date-time; nothing is guessed."""
    assert text == cell(text, DATETIME)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-05-07 10:11", "2020-05-07T10:11:00Z"),
        ("2020-05-07T10:11:12.123456789", "2020-05-07T10:11:12.123456789Z"),
        ("2020-05-07 10:11:12,5", "2020-05-07T10:11:12.5Z"),
        ("2020-05-07t10:11:12z", "2020-05-07T10:11:12Z"),
        ("2020-05-07 10:11:12Z", "2020-05-07T10:11:12Z"),
        ("2020-05-07 10:11:12+02", "2020-05-07T10:11:12+02:00"),
        ("2020-05-07T10:11:12-0230", "2020-05-07T10:11:12-02:30"),
        ("0001-01-01 00:00:00", "0001-01-01T00:00:00Z"),
    ],
)
@pytest.mark.fault(
    "T6.1", "… or that has the form", "gets a `T` and an offset, and keeps every digit"
)
def test_t6_1_date_time_keeps_its_digits(text: str, expected: str) -> None:
    """A fraction of any length, and minutes without seconds, are no reason to change the rest."""
    assert expected == cell(text, DATETIME)


@given(st.text("0123456789-:T .,Z+", max_size=30))
def test_text_is_rewritten_only_to_what_it_says(text: str) -> None:
    """The digits of a date-time are those of the text, with zeros for what was left out."""
    written = datetime_text(text)
    digits = [each for each in (text, written) for each in ["".join(filter(str.isdigit, each))]]
    assert written == text or digits[1].startswith(digits[0])


@given(st.datetimes(timezones=st.none() | st.just(dt.timezone.utc)), st.sampled_from("T "))
def test_date_time_is_the_same_moment(moment: dt.datetime, separator: str) -> None:
    """Whatever its spelling was."""
    written = datetime_text(moment.isoformat(separator))
    assert dt.datetime.fromisoformat(written.replace("Z", "+00:00")) == moment.replace(
        tzinfo=dt.timezone.utc
    )


# -- whole numbers, booleans and dates -----------------------------------------------------------


@pytest.mark.parametrize("data_type", ["integer", "score", "reference", "boolean"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("5.0"), "5"),
        (5.0, "5"),
        (Decimal("-0.0"), "0"),
        (Decimal("1E+3"), "1000"),
        (1e16, "10000000000000000"),
        (Decimal("12345678901234567890.00"), "12345678901234567890"),
        (Decimal("5.5"), "5.5"),
        (7, 7),
        (True, "true"),
        ("5.0", "5.0"),
    ],
)
@pytest.mark.fault(
    "T6.2",
    "a whole number comes as `5.0` for an integer, score, reference or boolean field",
    "is written as `5`; what has a fraction goes as it is",
)
def test_t6_2_whole_number_has_no_fraction(data_type: str, value: object, expected: object) -> None:
    """Marketo's type decides, whatever the schema says; text is left alone."""
    assert expected == cell(value, NUMBER, data_type)


@pytest.mark.parametrize("data_type", ["float", "currency", "percent", "string", ""])
def test_number_of_another_field_keeps_its_fraction(data_type: str) -> None:
    """`5.0` stays what it is where a fraction may be; an integer by the schema has none."""
    assert cell(Decimal("5.0"), NUMBER, data_type) == "5.0"
    assert cell(Decimal("5.0"), INTEGER, data_type) == "5"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2020-05-07T00:00:00Z", "2020-05-07"),
        ("2020-05-07 00:00:00.000+02:00", "2020-05-07"),
        ("2020-05-07 00:00", "2020-05-07"),
        (dt.datetime(2020, 5, 7, tzinfo=dt.timezone.utc), "2020-05-07"),
        (dt.date(2020, 5, 7), "2020-05-07"),
        ("2020-05-07", "2020-05-07"),
        ("2020-02-30T00:00:00Z", "2020-02-30T00:00:00Z"),
        ("7 May 2020", "7 May 2020"),
        ("20200507000000", "20200507000000"),
    ],
)
@pytest.mark.parametrize("schema", [DATETIME, TEXT])
@pytest.mark.fault("T6.2", "… or a midnight for a date field", "is written as the date")
def test_t6_2_midnight_is_a_date(schema: Record, value: object, expected: str) -> None:
    """The day as written: an offset says where it began."""
    assert expected == cell(value, schema, "date")


@pytest.mark.parametrize(
    "value",
    [
        "2020-05-07T00:00:00.001Z",
        "2020-05-07 12:00",
        dt.datetime(2020, 5, 7, 1, tzinfo=dt.timezone.utc),
    ],
)
@pytest.mark.fault("T6.2", "… or another time of day", "is a reject: the time would be lost")
def test_t6_2_time_of_day_is_no_date(value: object) -> None:
    """Nothing is cut off in silence."""
    with pytest.raises(UnsendableValueError, match=TIME_OF_DAY):
        cell(value, DATETIME, "date")


@pytest.mark.fault(
    "T6.2", "… in a whole load", "arrives in fields of every type, together or one by one"
)
@pytest.mark.parametrize("rows", [1, 30])
def test_t6_2_numbers_and_dates_arrive(
    emulator: Emulator, config: Record, run: RunTarget, rows: int
) -> None:
    """Validated by the schema, written by Marketo's types, and taken by it."""
    schema = {
        "properties": {
            "email": TEXT,
            "customerNumber": INTEGER,
            "leadScore": NUMBER,
            "leadPartitionId": NUMBER,
            "unsubscribed": NUMBER,
            "contractEnd": {"anyOf": [DATETIME, {"type": "null"}]},
            "satisfaction": NUMBER,
        }
    }
    record = (
        '"customerNumber":5.0,"leadScore":6.0,"leadPartitionId":1.0,"unsubscribed":1.0,'
        '"contractEnd":"2020-05-07T00:00:00Z","satisfaction":5.0'
    )
    lines = singer_lines([], schema=schema) + b"".join(
        f'{{"type":"RECORD","stream":"leads","record":{{"email":"p{n}@load.test",{record}}}}}\n'.encode()
        for n in range(rows)
    )
    result = run(lines, config)
    assert (result.error, result.rejects) == (None, [])
    (job,) = emulator.imports
    assert job.rows_imported == rows
    assert job.request.content.splitlines()[1:] == [
        f"p{n}@load.test,5,6,1,1,2020-05-07,5.0".encode() for n in range(rows)
    ]


@pytest.mark.parametrize("rows", [1, 30])
def test_time_of_day_for_a_date_field_is_a_reject(
    config: Record, run: RunTarget, rows: int
) -> None:
    """With its reason, property and record; the other rows are imported."""
    schema = {"properties": {"email": TEXT, "contractEnd": DATETIME}}
    records = [
        {"email": f"p{n}@load.test", "contractEnd": "2020-05-07T00:00:00Z"} for n in range(rows)
    ]
    records.append({"email": "odd@load.test", "contractEnd": "2020-05-07T13:30:00Z"})
    result = run(singer_lines(records, schema=schema), {**config, "max_rejected_percent": 100})
    assert [(each["record"], each["reason"]) for each in result.rejects] == [
        (records[-1], f"contractEnd: {TIME_OF_DAY}")
    ]
    assert f"contractEnd: {TIME_OF_DAY}: 1" in result.log
    assert "13:30" not in result.log


# -- schemas with branches and references --------------------------------------------------------

ROOT: Record = {
    "properties": {},
    "definitions": {"when": DATETIME, "loop": {"$ref": "#/definitions/loop"}, "a/b~c d": DATETIME},
    "$defs": {"maybe": {"anyOf": [{"type": "null"}, {"$ref": "#/definitions/when"}]}},
}


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [DATETIME, {"type": "null"}]},
        {"oneOf": [{"type": "null"}, DATETIME]},
        {"allOf": [{"type": ["string", "null"]}, {"format": "date-time"}]},
        {"anyOf": [{"oneOf": [{"allOf": [DATETIME]}]}, {"type": "null"}]},
        {"$ref": "#/definitions/when"},
        {"$ref": "#/$defs/maybe"},
        {"$ref": "#/definitions/a~1b~0c%20d", "description": "beside"},
        {"oneOf": [{"$ref": "#/$defs/maybe"}]},
        {"type": "string", "$ref": "#/nowhere", "format": "date-time"},
    ],
)
@pytest.mark.fault(
    "T6.3",
    "a date-time is announced under `oneOf`, `allOf` or `$ref`",
    "is written as one under `anyOf` is",
)
def test_t6_3_date_time_is_found_wherever_it_is_announced(schema: Record) -> None:
    """In any branch, at any depth, behind any reference."""
    assert is_datetime(inlined(schema, ROOT))


@pytest.mark.parametrize(
    "schema",
    [True, None, [], {"$ref": "#/definitions/loop"}, {"$ref": "#/nowhere"}, {"$ref": 7}, TEXT,
     {"$ref": "other.json#/when"}, {"anyOf": 7}, {"anyOf": [True, None]}, {"$ref": "#"}],
)  # fmt: skip
def test_schema_that_announces_none_is_no_date_time(schema: object) -> None:
    """Neither a loop of references nor a schema that is no object ends the run."""
    assert not is_datetime(inlined(schema, ROOT))
    assert not is_integer(inlined(schema, ROOT))


def test_integer_is_found_wherever_it_is_announced() -> None:
    """A branch that allows fractions allows them."""
    assert is_integer(inlined({"oneOf": [INTEGER, {"type": "string"}]}, ROOT))
    assert not is_integer(inlined({"oneOf": [INTEGER, NUMBER]}, ROOT))


def test_date_time_behind_a_reference_arrives(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """The schema of a whole stream, as a tap sends it."""
    schema = {
        "properties": {"email": TEXT, "lastOrderAt": {"oneOf": [{"$ref": "#/definitions/when"}]}},
        "definitions": {"when": DATETIME},
    }
    record = {"email": "p@load.test", "lastOrderAt": "2020-05-07 10:11:12"}
    assert run(singer_lines([record], schema=schema), config).error is None
    assert emulator.imports[0].request.content.endswith(b"p@load.test,2020-05-07T10:11:12Z\n")


# -- nested values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        {"a": float("nan")},
        [1, [float("inf")]],
        {"a": {"b": [Decimal("NaN")]}},
        [None, float("-inf")],
        ["\ud800", float("nan")],
        ["null", Decimal("Infinity")],
    ],
)
@pytest.mark.fault(
    "T6.3", "… or a number that is not finite is nested in a value", "is a reject, and never `null`"
)
def test_t6_3_nested_number_without_text_is_refused(value: object) -> None:
    """JSON has no form for it."""
    with pytest.raises(UnsendableValueError, match="not finite"):
        cell(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["\ud800", Decimal("1.50")], r'["\ud800",1.50]'),
        ({"\udfff": [Decimal("-1E+3"), None, True]}, r'{"\udfff":[-1E+3,null,true]}'),
        ({"a": None, "b": "NaN", "c": Decimal("1.50")}, '{"a":null,"b":"NaN","c":1.50}'),
        (["é", "\ud800", 1.5, {"a": []}], r'["\u00e9","\ud800",1.5,{"a":[]}]'),
    ],
)
@pytest.mark.fault(
    "T6.3", "… or a fraction stands beside half a surrogate pair", "stays a number, digit by digit"
)
def test_t6_3_nested_value_says_the_same(value: object, expected: str) -> None:
    """JSON that reads back as the value."""
    assert expected == cell(value)
    assert json.loads(expected, parse_float=Decimal) == json.loads(
        str(cell(value)), parse_float=Decimal
    )


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None))
    | st.decimals(allow_nan=False, allow_infinity=False, places=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
)  # fmt: skip


@given(st.lists(JSON_VALUES, max_size=4))
def test_nested_value_reads_back(value: list[object]) -> None:
    """Whatever is in it, half surrogate pairs included."""
    back = json.loads(str(cell(value)), parse_float=Decimal)
    assert back == value


# -- names in another case -----------------------------------------------------------------------


def catalog(*names: str, lookup_field: str = "email") -> ColumnCatalog:
    """Return the catalog of an instance with e-mail and these fields."""
    fields = [FieldDescription(name, name, "string", updateable=True) for name in ("email", *names)]
    return ColumnCatalog(fields, LEADS, lookup_fields=(lookup_field,))


@pytest.mark.parametrize("names", [("loyaltyTier", "LoyaltyTier"), ("LoyaltyTier", "loyaltyTier")])
@pytest.mark.fault(
    "T6.4",
    "describe lists two fields that differ by case alone",
    "takes the exact name; another spelling is an error that names both",
)
def test_t6_4_exact_name_comes_first(names: tuple[str, str]) -> None:
    """In whatever order they are listed, both can be filled in one load."""
    found = catalog(*names).resolve(names, stream="leads")
    assert found == {name: name for name in names}
    with pytest.raises(ConfigurationError) as caught:
        catalog(*names).resolve(["LOYALTYTIER"], stream="leads")
    assert "'LOYALTYTIER' may be " in str(caught.value)
    assert all(repr(name) in str(caught.value) for name in names)


@pytest.mark.fault("T6.4", "… or one field in another case", "takes it")
def test_t6_4_only_candidate_is_taken() -> None:
    """As before; two properties for one field are still an error."""
    fields = catalog("LoyaltyTier")
    assert fields.resolve(["loyaltytier"], stream="x") == {"loyaltytier": "LoyaltyTier"}
    with pytest.raises(ConfigurationError, match="second property"):
        fields.resolve(["loyaltytier", "LoyaltyTier"], stream="x")


@pytest.mark.fault("T6.4", "… and the lookup field is one of them", "does the same")
def test_t6_4_lookup_field_is_found_the_same_way() -> None:
    """The exact name, else the only one, else an error."""
    assert catalog("Code", "code", lookup_field="code").lookup_fields == ("code",)
    assert catalog("Code", lookup_field="code").lookup_fields == ("Code",)
    with pytest.raises(ConfigurationError, match="'Code' or 'code': write it as Marketo does"):
        catalog("Code", "code", lookup_field="CODE")
