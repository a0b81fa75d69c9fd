"""Messages of a tap that the target cannot use, or whose check breaks: one line each."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from target_marketo_bulk.records import check_faults, time_limit, validator
from target_marketo_bulk.records.time_limit import CheckTooSlowError
from tests.border.commands import TARGET, config_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.border.commands import Ended

EMAIL = {"type": ["string", "null"]}


@pytest.fixture
def load(here: Callable[..., Ended], tmp_path: Path) -> Callable[..., Ended]:
    """A function that has a dry run of the target read messages, given as objects or text."""

    def run(*messages: dict[str, Any] | str, **config: Any) -> Ended:
        given = {"dry_run_path": str(tmp_path / "dry"), "rejects_path": str(tmp_path / "r")}
        path = config_file(tmp_path, {**given, "max_rejected_percent": 100, **config})
        lines = [m if isinstance(m, str) else json.dumps(m) for m in messages]
        return here(TARGET, "--config", path, lines="\n".join(lines).encode())

    return run


def schema(**properties: Any) -> dict[str, Any]:
    """Return the SCHEMA message of a stream of leads with these properties beside `email`."""
    declared = {"type": "object", "properties": {"email": EMAIL, **properties}}
    return {"type": "SCHEMA", "stream": "leads", "schema": declared, "key_properties": []}


def record(**values: Any) -> dict[str, Any]:
    """Return the RECORD message of a lead."""
    return {"type": "RECORD", "stream": "leads", "record": {"email": "p@load.test", **values}}


def sent(tmp_path: Path) -> str:
    """Return the rows a dry run has written."""
    return "".join(path.read_text() for path in sorted((tmp_path / "dry").glob("leads-*")))


def odd(**changes: Any) -> dict[str, Any]:
    """Return a SCHEMA message with parts of it changed."""
    return {**schema(), **changes}


NESTED = json.loads('{"a": ' * 400 + "{}" + "}" * 400)

UNUSABLE = [
    pytest.param(schema(x={"$ref": "#/nowhere"}), ["leads", "properties/x", "#/nowhere"], id="ref"),
    pytest.param(schema(x={"$ref": "#/definitions/a/b"}), ["properties/x"], id="deep ref"),
    pytest.param(schema(x={"$ref": "other.json"}), ["other.json"], id="ref to a file"),
    pytest.param(schema(x={"$ref": "http://127.0.0.1:9/x"}), ["127.0.0.1"], id="ref to a host"),
    pytest.param(schema(x={"$ref": "#anchor"}), ["#anchor"], id="ref to no anchor"),
    pytest.param(schema(x={"anyOf": [{"$ref": "#/no"}]}), ["anyOf/0"], id="ref in anyOf"),
    pytest.param(schema(default={"$ref": "#/no"}), ["properties/default"], id="ref of a name"),
    pytest.param(odd(schema={"properties": None}), ["leads", "properties"], id="properties null"),
    pytest.param(odd(schema={"properties": []}), ["leads", "properties"], id="properties list"),
    pytest.param(odd(schema={}), ["leads", "properties"], id="no properties"),
    pytest.param(odd(schema=None), ["leads", "no object"], id="schema null"),
    pytest.param(odd(schema=[]), ["leads", "no object"], id="schema list"),
    pytest.param(odd(schema="x"), ["leads", "no object"], id="schema text"),
    pytest.param(odd(schema=True), ["leads", "no object"], id="schema true"),
    pytest.param(schema(x=None), ["leads", "properties/x"], id="property null"),
    pytest.param(schema(x=5), ["leads", "properties/x"], id="property number"),
    pytest.param(schema(x=["string"]), ["leads", "properties/x"], id="property list"),
    pytest.param(schema(x={"type": "strnig"}), ["properties/x/type"], id="type misspelled"),
    pytest.param(schema(x={"type": 5}), ["properties/x/type"], id="type number"),
    pytest.param(schema(x={"anyOf": None}), ["properties/x/anyOf"], id="anyOf null"),
    pytest.param(schema(x={"pattern": "("}), ["properties/x/pattern"], id="pattern"),
    pytest.param(schema(x={"multipleOf": 0}), ["properties/x/multipleOf"], id="multipleOf 0"),
    pytest.param(odd(schema={"properties": {}, "required": 5}), ["required"], id="required"),
    pytest.param(odd(stream=None), ["SCHEMA", "no stream"], id="stream null"),
    pytest.param(odd(stream=""), ["SCHEMA", "no stream"], id="stream empty"),
    pytest.param(odd(stream=["leads"]), ["SCHEMA", "no stream"], id="stream list"),
    pytest.param(odd(stream=5), ["SCHEMA", "no stream"], id="stream number"),
    pytest.param({"type": "SCHEMA"}, ["schema", "stream"], id="nothing"),
    pytest.param(odd(key_properties="email"), ["leads", "key_properties"], id="keys text"),
    pytest.param(odd(key_properties=[None]), ["leads", "key_properties"], id="keys null"),
    pytest.param(odd(key_properties={"a": 1}), ["leads", "key_properties"], id="keys object"),
    pytest.param(odd(key_properties=5), ["leads", "key_properties"], id="keys number"),
    pytest.param({**record(), "stream": None}, ["RECORD", "no stream"], id="record of null"),
    pytest.param({**record(), "stream": ["a"]}, ["RECORD", "no stream"], id="record of a list"),
    pytest.param(record(), ["leads", "schema"], id="record without SCHEMA"),
    pytest.param({"type": "RECORD", "stream": "leads"}, ["record"], id="record missing"),
    pytest.param({"type": "STATE"}, ["value"], id="state without value"),
    pytest.param({"type": "OTHER"}, ["line 1"], id="unknown type"),
    pytest.param({"type": None}, ["line 1"], id="type null"),
    pytest.param({"type": ["RECORD"]}, ["line 1"], id="type list"),
    pytest.param("[]", ["line 1"], id="list"),
    pytest.param("{", ["line 1"], id="cut short"),
    pytest.param("null", ["line 1"], id="null"),
]


@pytest.mark.fault(
    "T5.6",
    "a SCHEMA that cannot be used: `$ref` to nowhere, `properties: null`, no stream, odd keys",
    "one line with the stream and the place in its schema, exit code 1; nothing is fetched",
)
@pytest.mark.parametrize(("message", "words"), UNUSABLE)
@pytest.mark.parametrize("more", [{}, {"stream_maps": {"leads": {"added": "'x'"}}}], ids=str)
def test_a_message_that_cannot_be_used_is_one_line(
    load: Callable[..., Ended], message: Any, words: list[str], more: dict[str, Any]
) -> None:
    """With or without the SDK's maps between."""
    ended = load(message, **more)
    ended.assert_one_error(*words)
    assert len(ended.errors[0]) < 500


@pytest.mark.parametrize("maps", [{"__else__": "x"}, {"leads": {"__else__": 5}}], ids=str)
def test_an_else_that_is_none_is_one_line(load: Callable[..., Ended], maps: Any) -> None:
    """What it was to take away would be sent."""
    load(schema(), record(), stream_maps=maps).assert_one_error("stream_maps", "__else__")


@pytest.mark.parametrize("blank", ["", " ", "\r", "\t \r"])
def test_empty_lines_are_skipped(load: Callable[..., Ended], tmp_path: Path, blank: str) -> None:
    """Before, between and after messages, whatever white space they hold."""
    state = {"type": "STATE", "value": {"a": 1}}
    ended = load(blank, schema(), blank, record(), blank, record(), blank, blank, state, blank)
    assert (ended.code, ended.errors, ended.warnings) == (0, [], [])
    assert sent(tmp_path).count("p@load.test") == 1


def test_empty_lines_count_as_lines(load: Callable[..., Ended]) -> None:
    """The number in an error is the one an editor shows."""
    load("", schema(), "", "{").assert_one_error("line 4")


@pytest.mark.parametrize("x", [True, {}, {"$ref": "#/properties/email"}, {"default": {"$ref": ""}}])
@pytest.mark.parametrize("validates", [True, False])
@pytest.mark.parametrize("more", [{}, {"flattening_enabled": True, "flattening_max_depth": 2}])
def test_a_schema_that_can_be_used_is_used(
    load: Callable[..., Ended], tmp_path: Path, x: object, validates: object, more: dict[str, Any]
) -> None:
    """`true` is a schema: whatever the value, it is valid."""
    ended = load(schema(x=x), record(x="one"), validate_records=validates, **more)
    assert (ended.code, ended.errors, ended.warnings) == (0, [], [])
    assert "one" in sent(tmp_path)


def test_a_property_that_may_not_be_is_a_reject(load: Callable[..., Ended], tmp_path: Path) -> None:
    """`false` is a schema, too: no value is valid."""
    ended = load(schema(x=False), record(x="one"), record(email="q@load.test"))
    assert (ended.code, ended.errors) == (0, [])
    assert "one" not in sent(tmp_path)
    assert "q@load.test" in sent(tmp_path)


@pytest.mark.parametrize(
    "x",
    [{"type": 5}, {"anyOf": None}, {"anyOf": [True, None]}, {"$ref": "#/no"}, {"format": 5}],
    ids=str,
)
def test_without_validation_only_the_shape_matters(
    load: Callable[..., Ended], tmp_path: Path, x: object
) -> None:
    """Who turns the check off need not mend a schema that only it reads."""
    ended = load(schema(x=x), record(x="one"), validate_records=False)
    assert (ended.code, ended.errors) == (0, [])
    assert "one" in sent(tmp_path)


BREAKING = [
    pytest.param({"multipleOf": 1e-38}, "12.34", "multipleOf", id="multipleOf 1e-38"),
    pytest.param({"multipleOf": 5}, "12345678901234567890123456789012345.5", "multipleOf", id="35"),
    pytest.param({"$ref": "#/properties/x"}, "1", "$ref", id="ref to itself"),
    pytest.param({"type": "array", "items": {"multipleOf": 1e-38}}, "[12.34]", "items", id="items"),
    pytest.param({"anyOf": [{"multipleOf": 1e-38}]}, "12.34", "anyOf", id="anyOf"),
]


@pytest.mark.fault(
    "T5.11",
    "`multipleOf: 1e-38` with 12.34, `multipleOf: 5` with 35 digits: the check itself breaks",
    "no verdict on the record: one warning with stream, property and keyword; all else is checked",
)
@pytest.mark.parametrize(("x", "value", "keyword"), BREAKING)
def test_a_fault_of_the_check_is_no_verdict(
    load: Callable[..., Ended], tmp_path: Path, x: Any, value: str, keyword: str
) -> None:
    """The record is taken; one that is wrong in another way is not."""
    taken = json.dumps(record(x=None)).replace("null", value)
    wrong = taken.replace('"p@load.test"', "5")
    ended = load(schema(x=x), taken, wrong, taken, *(6 * [taken]))
    assert (ended.code, ended.errors) == (0, [])
    (warning,) = ended.warnings
    assert f"stream leads, property x: its {keyword} cannot be checked" in warning
    assert value not in warning
    assert sent(tmp_path).count("p@load.test") == 1
    (rejects,) = (tmp_path / "r").glob("rejects-*")
    assert len(rejects.read_text().splitlines()) == 1


def test_a_keyword_of_the_record_may_break_too(load: Callable[..., Ended], tmp_path: Path) -> None:
    """One that stands beside the properties."""
    message = schema()
    message["schema"]["not"] = {"properties": {"x": {"multipleOf": 1e-38}}}
    ended = load(message, record(x=12.34))
    (warning,) = ended.warnings
    assert "property (record): its not cannot be checked" in warning
    assert "p@load.test" in sent(tmp_path)


def test_a_stream_map_for_no_stream_is_said_at_the_end(load: Callable[..., Ended]) -> None:
    """Streams are known once they have come; the nearest one is named."""
    maps = {"lead": {"x": None}, "lea*": {"added": "'x'"}, "__else__": None}
    ended = load(schema(), record(), stream_maps=maps)
    (warning,) = ended.warnings
    assert (ended.code, ended.errors) == (0, [])
    assert "no stream 'lead'" in warning
    assert "'leads'" in warning


LACKING = [
    pytest.param({"type": "RECORD", "stream": "leads"}, "lacks its record", id="record"),
    pytest.param({**record(), "record": None}, "lacks its record", id="record null"),
    pytest.param({"type": "RECORD", "record": {}}, "names no stream", id="record's stream"),
    pytest.param({**record(), "stream": ""}, "names no stream", id="stream empty"),
    pytest.param({"type": "STATE"}, "STATE message lacks value", id="state"),
    pytest.param({"type": "SCHEMA", "stream": "leads"}, "lacks schema", id="schema"),
    pytest.param(odd(stream=5), "names no stream", id="schema's stream"),
    pytest.param({"type": "BATCH", "stream": "leads"}, "lacks encoding, manifest", id="batch"),
    pytest.param(
        {"type": "BATCH", "stream": "leads", "encoding": {}, "manifest": []},
        "neither of the formats offered",
        id="batch of no format",
    ),
    pytest.param(
        {"type": "BATCH", "stream": 5, "encoding": {}, "manifest": []},
        "names no stream",
        id="batch's stream",
    ),
]


@pytest.mark.parametrize(("message", "words"), LACKING)
@pytest.mark.parametrize("more", [{}, {"stream_maps": {"leads": {"added": "'x'"}}}], ids=str)
@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_message_that_lacks_a_part_is_named_by_its_line(
    load: Callable[..., Ended],
    message: dict[str, Any],
    words: str,
    more: dict[str, Any],
    before: int,
) -> None:
    """Also in the middle of records, which are taken together, and after an empty line."""
    ended = load(schema(), "", *[record()] * before, message, record(), **more)
    ended.assert_one_error(f"line {3 + before} of the input", words)


@pytest.mark.parametrize("more", [{}, {"stream_maps": {"leads": {"added": "'x'"}}}], ids=str)
def test_a_key_that_records_lack_names_the_stream(
    load: Callable[..., Ended], more: dict[str, Any]
) -> None:
    """And the properties of the key, but not those of the record."""
    given = {**schema(x={"type": "string"}), "key_properties": ["x"]}
    ended = load(given, record(secret="s"), **more)
    ended.assert_one_error("'leads'", "lacks x", "key_properties")
    assert "secret" not in ended.errors[0]


SLOW = [
    pytest.param({"type": "string", "pattern": "^(a+)+$"}, "pattern", id="pattern"),
    pytest.param({"anyOf": [{"pattern": "^(a|a)*$"}, {"type": "null"}]}, "anyOf", id="branch"),
]


@pytest.mark.parametrize(("x", "keyword"), SLOW)
def test_a_pattern_that_would_take_for_ever_is_given_up(
    load: Callable[..., Ended],
    tmp_path: Path,
    x: Any,
    keyword: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For this keyword, once; all other checks go on, and the records are sent."""
    for module in (check_faults, validator):
        monkeypatch.setattr(module, "CHECK_SECONDS_MAX", 0.3)
    ends = count()

    def end(*_: object) -> NoReturn:
        next(ends)
        raise CheckTooSlowError

    monkeypatch.setattr(time_limit, "_end", end)
    rows = [record(x="a" * 60 + "!") for _ in range(50)]
    ended = load(schema(x=x, y={"type": "integer"}), *rows, record(x="aaa", y="no integer"))
    assert ended.code == 0
    # Once for all checks of the record together, and once for the keyword alone.
    assert next(ends) == 2
    (warning,) = [line for line in ended.warnings if "cannot be checked" in line]
    assert f"property x: its {keyword} cannot be checked" in warning
    assert "CheckTooSlowError" in warning
    assert sent(tmp_path).count("aaa!") == 1
    assert len((next((tmp_path / "r").glob("*.jsonl"))).read_text().splitlines()) == 1
