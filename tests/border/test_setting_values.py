"""Every setting of both plugins, in a file and in the environment: read alike, or named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from singer_marketo.environment import settings_of_environment
from singer_marketo.setting_values import without_unset
from tests.border.commands import CREDENTIALS, PLUGINS, TAP, TARGET, config_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.border.commands import Ended

    Make = Callable[..., tuple[dict[str, Any], list[str]]]

NEEDED: dict[str, dict[str, Any]] = {"flattening_enabled": {"flattening_max_depth": 1}}
"""What some settings are refused without."""


def properties(plugin: str) -> dict[str, Any]:
    """Return the JSON Schema of each setting, the SDK's own among them."""
    cls = PLUGINS[plugin]
    cls.append_builtin_config(cls.config_jsonschema)
    found: dict[str, Any] = cls.config_jsonschema["properties"]
    return found


def settings(*kinds: str) -> list[Any]:
    """Return every setting of these kinds, as parameters `plugin, name`."""
    return [
        pytest.param(plugin, name, id=f"{plugin}-{name}")
        for plugin in PLUGINS
        for name, declared in properties(plugin).items()
        if set(kinds) & set(declared.get("type", ()))
    ]


@pytest.fixture(params=["file", "environment"])
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A function that gives a plugin a text for a setting; returns the config, or the errors."""

    def give(plugin: str, name: str, text: str) -> tuple[dict[str, Any], list[str]]:
        config: dict[str, Any] = {**CREDENTIALS, **NEEDED.get(name, {})}
        if request.param == "environment":
            monkeypatch.setenv(f"{plugin.upper().replace('-', '_')}_{name.upper()}", text)
        else:
            config[name] = text
        return made(plugin, config, parse_env_config=request.param == "environment")

    return give


def made(
    plugin: str, config: dict[str, Any], *, parse_env_config: bool = False
) -> tuple[dict[str, Any], list[str]]:
    """Return the config a plugin makes of a config, and what it finds wrong."""
    try:
        found = PLUGINS[plugin](
            config=config, parse_env_config=parse_env_config, setup_mapper=False
        )
    except ConfigValidationError as error:
        return {}, error.errors
    return dict(found.config), []


@pytest.mark.fault(
    "T4.1",
    "a boolean that is none: `tru`, `null`, `y`, in a file or in the environment",
    "an error that names the setting; empty text means not set, also of the SDK's own settings",
)
@pytest.mark.parametrize("text", ["tru", "null", "y", "2", "[]", "truefalse", "none", "-"])
@pytest.mark.parametrize(("plugin", "name"), settings("boolean"))
def test_what_is_no_boolean_is_an_error(make: Make, plugin: str, name: str, text: str) -> None:
    """It is never taken for false."""
    _, errors = make(plugin, name, text)
    assert [error for error in errors if name in error and "true or false" in error] == errors != []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("true", True), ("TRUE", True), (" True ", True), ("1", True), ("on", True)),
        *(("yes", True), ("false", False), ("False", False), ("0", False), ("no", False)),
        *(("off", False), ("", None), ("  ", None)),
    ],
)
@pytest.mark.parametrize(("plugin", "name"), settings("boolean"))
def test_booleans_are_read_alike(
    make: Make, plugin: str, name: str, text: str, value: object
) -> None:
    """Words in any case; nothing, or blanks, is as if the setting was not there."""
    config, errors = make(plugin, name, text)
    default = properties(plugin)[name].get("default")
    assert (config.get(name), errors) == (default if value is None else value, [])


@pytest.mark.fault(
    "T4.2",
    "`PROGRAM_IDS=1001,1002`, `PROGRAM_IDS=`, `WINDOW_DAYS=`, `LIST_ID=`, `STATUS_NAMES=`",
    "lists with commas and JSON lists are read alike; empty means not set, of any kind",
)
@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("program_ids", "1001,1002", [1001, 1002]),
        ("program_ids", " 1001 , 1002 ", [1001, 1002]),
        ("program_ids", "1001", [1001]),
        ("program_ids", "[1001, 1002]", [1001, 1002]),
        ("program_ids", '["1001", "1002"]', [1001, 1002]),
        ("program_ids", "", None),
        ("status_names", "Member, Attended", ["Member", "Attended"]),
        ("status_names", '["No, thanks", "Member"]', ["No, thanks", "Member"]),
        ("status_names", "", None),
        ("window_days", "7", 7),
        ("window_days", "", None),
        ("stream_maps", '{"programs": null}', {"programs": None}),
        ("stream_maps", "", None),
    ],
)
def test_lists_and_numbers_of_text(make: Make, name: str, text: str, value: object) -> None:
    """What is unambiguous is taken."""
    config, errors = make(TAP, name, text)
    assert (config.get(name), errors) == (value or properties(TAP)[name].get("default"), [])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("program_ids", "1001,"),
        ("program_ids", ",1001"),
        ("program_ids", "1001,,1002"),
        ("program_ids", "1001;1002"),
        ("program_ids", "one"),
        ("program_ids", "[1001"),
        ("program_ids", "[1001, null]"),
        ("program_ids", '{"a": 1}'),
        ("program_ids", "1001.5"),
        ("program_ids", "0"),
        ("program_ids", "-1001"),
        ("program_ids", "1e400"),
        ("program_ids", "9" * 5_000),
        ("status_names", "Member,"),
        ("status_names", "[Member]"),
        ("status_names", '"Member"'),
        ("status_names", '[""]'),
        ("status_names", "[1]"),
        ("stream_maps", "programs"),
        ("stream_maps", "[]"),
        ("stream_maps", '{"programs": '),
        ("window_days", "seven"),
        ("window_days", "7.5"),
        ("window_days", "0x7"),
        ("window_days", "1_0"),
    ],
)
def test_what_is_no_list_or_number_is_named(make: Make, name: str, text: str) -> None:
    """One line that names the setting."""
    _, errors = make(TAP, name, text)
    assert len(errors) == 1
    assert errors[0].startswith(f"{name} is ")
    assert len(errors[0]) < 200


@pytest.mark.parametrize(
    ("plugin", "name"), settings("string", "integer", "number", "array", "object")
)
def test_an_empty_variable_is_not_set(
    monkeypatch: pytest.MonkeyPatch, plugin: str, name: str
) -> None:
    """Of every kind: the default holds, or what the file says."""
    cls = PLUGINS[plugin]
    monkeypatch.setenv(f"{plugin.upper().replace('-', '_')}_{name.upper()}", "")
    assert settings_of_environment(properties(plugin), cls._env_var_prefix) == {}
    config, errors = made(plugin, dict(CREDENTIALS), parse_env_config=True)
    default = CREDENTIALS.get(name, properties(plugin)[name].get("default"))
    assert (config.get(name), errors) == (default, [])


@pytest.mark.parametrize(
    ("plugin", "name"), settings("boolean", "string", "integer", "number", "array", "object")
)
def test_null_is_not_set(plugin: str, name: str) -> None:
    """A null in a file is the default; only a choice called null is meant by it."""
    config, errors = made(plugin, {**CREDENTIALS, "munchkin_id": "123-ABC-456", name: None})
    if name in {"client_id", "client_secret"}:
        assert errors == [f"{name} must be set"]
        return
    default = properties(plugin)[name].get("default")
    default = "null" if name == "on_bad_value" else default
    assert (config.get(name), errors) == (default, [])


@pytest.mark.fault(
    "T4.3",
    '`"5000"` for an integer, in a file or in the environment',
    "it is the number in both; a whole number may be written `5000.0`",
)
@pytest.mark.parametrize("written", ["31", 31, 31.0, "31.0", " 31 ", "+31"], ids=repr)
def test_whole_numbers_are_read_alike(written: object) -> None:
    """From a config file, whatever has no fraction is whole."""
    config, errors = made(TAP, {**CREDENTIALS, "window_days": written})
    assert (config.get("window_days"), errors) == (31, [])
    assert type(config["window_days"]) is int


NUMBERS = ["1e400", "-1e400", "1e308", "1e300", "nan", "inf", "-1", "1e99999999999999999999"]


@pytest.mark.fault(
    "T4.4",
    "`1e400`, `1e300`, `nan` or a negative number for any setting that is a number",
    "one line with the setting, the value and the range it must be in",
)
@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize(("plugin", "name"), settings("number", "integer"))
def test_numbers_out_of_range_are_named(make: Make, plugin: str, name: str, text: str) -> None:
    """Nothing waits for ever, and no clock overflows."""
    _, errors = make(plugin, name, text)
    assert len(errors) == 1
    assert errors[0].startswith(f"{name} is ")
    assert "number" in errors[0]
    assert " up to " in errors[0]


@pytest.mark.parametrize("written", ["NaN", "Infinity", "-Infinity", "1e400", "1e300", "-1"])
@pytest.mark.parametrize(("plugin", "name"), settings("number", "integer"))
def test_numbers_of_a_file_out_of_range_are_named(
    tmp_path: Path, plugin: str, name: str, written: str
) -> None:
    """As JSON numbers, through the reader of files."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CREDENTIALS)[:-1] + f', "{name}": {written}}}')
    given = PLUGINS[plugin].cb_config(None, None, (str(path),))
    _, errors = made(plugin, given.config)
    assert len(errors) == 1
    assert errors[0].startswith(f"{name} is ")
    assert " up to " in errors[0]


@pytest.mark.fault(
    "T5.8",
    "a NUL character in `rejects_path`, or in any other setting that is text",
    "one line that names the setting",
)
@pytest.mark.parametrize("text", ["a\0b", "\0", "half \ud800"])
@pytest.mark.parametrize(("plugin", "name"), settings("string"))
def test_text_no_file_system_takes_is_named(plugin: str, name: str, text: str) -> None:
    """Also half a surrogate pair, which a variable that is not UTF-8 becomes."""
    _, errors = made(plugin, {**CREDENTIALS, name: text})
    assert [error for error in errors if error.startswith(name)] == errors != []


@pytest.mark.parametrize(("plugin", "name"), settings("string"))
def test_what_is_no_text_is_named_and_a_secret_not_shown(plugin: str, name: str) -> None:
    """A number, a list."""
    for value in (4711, [4711], True):
        _, errors = made(plugin, {**CREDENTIALS, name: value})
        assert len(errors) == 1
        assert errors[0].startswith(name)
        assert (name == "client_secret") == ("4711" not in errors[0] and "true" not in errors[0])


@pytest.mark.fault(
    "T4.5",
    "a setting that does not exist (`startdate`), or a stream map for no stream",
    "a warning that names the nearest; the tap refuses the map, the target says so at the end",
)
@pytest.mark.parametrize(
    ("plugin", "wrong", "right"),
    [
        (TAP, "startdate", "start_date"),
        (TAP, "programIds", "program_ids"),
        (TARGET, "lookupfield", "lookup_field"),
        (TARGET, "dry-run-path", "dry_run_path"),
        (TARGET, "CLIENT_ID", "client_id"),
    ],
)
def test_an_unknown_setting_is_a_warning_with_the_nearest(
    here: Callable[..., Ended], tmp_path: Path, plugin: str, wrong: str, right: str
) -> None:
    """Its value, which may be a misspelled secret, is not shown."""
    ended = here(plugin, "--config", config_file(tmp_path, {wrong: "hush-hush"}))
    (warning,) = ended.warnings
    assert f"name={wrong}" in warning
    assert f"did you mean {right!r}?" in warning
    assert "hush" not in warning
    ended.assert_one_error("client_secret", "must be set")


def test_an_unknown_variable_is_a_warning_too(
    here: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log level and Meltano's own variables are none of them."""
    for name in ("STARTDATE", "LOGLEVEL", "_SELECT"):
        monkeypatch.setenv(f"TAP_MARKETO_BULK_{name}", "info")
    ended = here(TAP, "--config", "ENV")
    (warning,) = ended.warnings
    assert "name=startdate" in warning
    assert "'start_date'" in warning


@pytest.mark.parametrize("plugin", [TAP, TARGET])
def test_a_key_given_twice_in_a_setting_is_named(make: Make, plugin: str) -> None:
    """As in a config file: which of the two counts would be a guess."""
    _, errors = make(plugin, "stream_maps", '{"a*": {"x": null, "x": "y"}}')
    (error,) = errors
    assert "stream_maps" in error
    assert '"x" twice' in error


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"batch_config": {"encoding": {"format": None, "compression": None}}}, {}),
        ({"faker_config": {"seed": None, "locale": None}}, {}),
        (
            {"batch_config": {"encoding": {"format": "jsonl", "compression": None}}},
            {"batch_config": {"encoding": {"format": "jsonl"}}},
        ),
        ({"batch_config": {}}, {"batch_config": {}}),
        ({"batch_config": "x"}, {"batch_config": "x"}),
        ({"stream_maps": {"a": None}}, {"stream_maps": {"a": None}}),
    ],
)
def test_parts_that_meltano_passes_on_as_null_are_not_set(
    given: dict[str, object], expected: dict[str, object]
) -> None:
    """Meltano passes on each part of an object; null in a stream map means something."""
    assert without_unset(given) == expected
