"""Files that are handed over: each that cannot be used is one line, which never quotes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from singer_sdk.configuration import _dict_config

from marketo_bulk import ConfigurationError
from tap_marketo_bulk.tap import TapMarketoBulk
from tests.border.commands import CREDENTIALS, MODES, TAP, TARGET, config_file
from tests.tap_runs import settings_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_emulator import Emulator
    from tests.border.commands import Ended

SECRET = "hush-hush-secret"

NOT_JSON = [
    pytest.param(b"", "is empty", id="empty"),
    pytest.param(b" \n\n", "is empty", id="blank"),
    pytest.param(b"\xef\xbb\xbf", "is empty", id="only a byte order mark"),
    pytest.param(b'{"a": 1}\n{"a": 2}\n', "one JSON object", id="several lines"),
    pytest.param(b'{"client_secret": "%s"' % SECRET.encode(), "not JSON", id="cut short"),
    pytest.param(b'{"client_secret": %s}' % SECRET.encode(), "not JSON", id="malformed"),
    pytest.param(b"client_secret: " + SECRET.encode(), "not JSON", id="YAML"),
    pytest.param(b'{"a": "\xff"}', "not UTF-8", id="not UTF-8"),
    pytest.param('{"a": 1}'.encode("utf-16"), "not UTF-8", id="UTF-16"),
    pytest.param(b"\x1f\x8b\x08\x00", "not UTF-8", id="gzip"),
    pytest.param(b'{"a": "\\ud800"}', "surrogate", id="half a surrogate pair"),
    pytest.param(b"[]", "a list", id="list"),
    pytest.param(b"null", "null", id="null"),
    pytest.param(b"5", "a number", id="number"),
    pytest.param(b"1.5", "a number", id="fraction"),
    pytest.param(b'"text"', "text", id="text"),
    pytest.param(b"true", "true or false", id="boolean"),
    pytest.param(b'{"a": ' + b"9" * 5_000 + b"}", "too long", id="number of 5 000 digits"),
    pytest.param(b'{"a": 1e99999999999999999999}', "too long", id="exponent beyond all"),
    pytest.param(b'{"a": ' + b"[" * 100_000, "too deeply", id="nested too deeply"),
]
"""Contents that are no JSON object, and words of the line that says so."""


@pytest.mark.fault(
    "T5.2",
    "a config or catalog file that is missing, empty, malformed, a folder, not UTF-8, no object",
    "one line with the path and what is wrong, which quotes nothing of it; exit code 1",
)
@pytest.mark.parametrize(("content", "word"), NOT_JSON)
@pytest.mark.parametrize("plugin", [TAP, TARGET])
def test_a_config_that_is_no_object_is_one_line(
    here: Callable[..., Ended], tmp_path: Path, plugin: str, content: bytes, word: str
) -> None:
    """Before anything is asked of Marketo."""
    path = tmp_path / "config.json"
    path.write_bytes(content)
    for mode in ((), *MODES[plugin]):
        ended = here(plugin, "--config", str(path), *mode)
        ended.assert_one_error("config", str(path), word)
        assert SECRET not in ended.errors[0]


@pytest.mark.fault(
    "T5.1",
    "a state file that is empty, of several lines, bad JSON, a list, null inside, no UTF-8",
    "one line that names the file or the part, exit code 1; never a silent new beginning",
)
@pytest.mark.parametrize(("content", "word"), NOT_JSON)
@pytest.mark.parametrize("option", ["state", "catalog"])
def test_a_state_or_catalog_that_is_no_object_is_one_line(
    here: Callable[..., Ended], tmp_path: Path, option: str, content: bytes, word: str
) -> None:
    """Read by the same reader as a config."""
    path = tmp_path / f"{option}.json"
    path.write_bytes(content)
    config = config_file(tmp_path, CREDENTIALS)
    for mode in ((), *MODES[TAP]):
        ended = here(TAP, "--config", config, f"--{option}", str(path), *mode)
        ended.assert_one_error(option, str(path), word)


@pytest.mark.parametrize(("content", "word"), NOT_JSON)
def test_a_catalog_by_path_is_read_as_strictly(tmp_path: Path, content: bytes, word: str) -> None:
    """A program that uses the tap as a class may give a path: null is not taken for none."""
    path = tmp_path / "catalog.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=word) as caught:
        TapMarketoBulk(config=CREDENTIALS, catalog=str(path))
    assert str(path) in str(caught.value)


REPEATS = [
    pytest.param('{"client_id": "a", "client_id": "b"}', '"client_id" twice', id="outer"),
    pytest.param('{"x": {"a": 1, "b": 2, "a": 1}}', '"a" twice', id="inner, alike"),
    pytest.param('{"x": [{"": null, "": 1}]}', '"" twice', id="in a list, empty"),
    pytest.param('{"a": 1, "\\u0061": 2}', '"a" twice', id="escaped"),
    pytest.param('{"\\n": 1, "\\n": 2}', "twice", id="control character"),
]


@pytest.mark.parametrize(("content", "word"), REPEATS)
@pytest.mark.parametrize("option", ["config", "state", "catalog"])
def test_a_key_that_is_given_twice_is_named(
    here: Callable[..., Ended], tmp_path: Path, option: str, content: str, word: str
) -> None:
    """Which of the two values counts would be a guess."""
    path = tmp_path / f"{option}.json"
    path.write_text(content)
    config = [] if option == "config" else ["--config", config_file(tmp_path, CREDENTIALS)]
    here(TAP, *config, f"--{option}", str(path)).assert_one_error(option, str(path), word)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("option", ["state", "catalog"])
def test_what_json_does_not_have_is_refused(
    here: Callable[..., Ended], tmp_path: Path, option: str, word: str
) -> None:
    """In a config a number that is none is named by its setting."""
    path = tmp_path / f"{option}.json"
    path.write_text(f'{{"bookmarks": {{"programs": {{"id": {word}}}}}}}')
    ended = here(TAP, "--config", config_file(tmp_path, CREDENTIALS), f"--{option}", str(path))
    ended.assert_one_error(option, word)


@pytest.mark.parametrize("option", ["config", "state", "catalog", "input"])
@pytest.mark.parametrize("kind", ["missing", "folder", "unreadable name", "broken link"])
def test_a_path_that_leads_to_no_file_is_one_line(
    here: Callable[..., Ended], tmp_path: Path, option: str, kind: str
) -> None:
    """Whichever option it is given to."""
    path = tmp_path / "there"
    if kind == "folder":
        path.mkdir()
    if kind == "broken link":
        path.symlink_to("nowhere")
    text = "x" * 5_000 if kind == "unreadable name" else str(path)
    plugin = TARGET if option == "input" else TAP
    config = [] if option == "config" else ["--config", config_file(tmp_path, CREDENTIALS)]
    here(plugin, *config, f"--{option}", text).assert_one_error(option, text[:500])


@pytest.mark.parametrize("plugin", [TAP, TARGET])
def test_a_byte_order_mark_is_skipped(
    here: Callable[..., Ended], tmp_path: Path, plugin: str
) -> None:
    """Some editors write one; the config is read."""
    path = tmp_path / "config.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"client_id": "x"}).encode())
    here(plugin, "--config", str(path)).assert_one_error("client_secret", "must be set")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"bookmarks": None}, ["bookmarks", "null"]),
        ({"bookmarks": []}, ["bookmarks", "list"]),
        ({"bookmarks": 5}, ["bookmarks", "int"]),
        ({"bookmarks": {"program_members": None}}, ["program_members", "null"]),
        ({"bookmarks": {"program_members": []}}, ["program_members", "list"]),
        ({"bookmarks": {"programs": "2026-01-01"}}, ["programs", "str"]),
        ({"bookmarks": {"programs": {"partitions": None}}}, ["partitions", "programs", "null"]),
        ({"bookmarks": {"programs": {"partitions": [None]}}}, ["partition", "programs", "null"]),
        ({"bookmarks": {"programs": {"progress_markers": 5}}}, ["progress_markers", "programs"]),
        ({"type": "STATE", "value": {"bookmarks": {}}}, ["no bookmarks", "STATE message"]),
        ({"singer_state": {"bookmarks": {}}}, ["no bookmarks", "singer_state"]),
        ({"program_members": {}}, ["no bookmarks", "program_members"]),
    ],
)
def test_a_state_of_another_shape_is_one_line(
    here: Callable[..., Ended],
    emulator: Emulator,
    tmp_path: Path,
    state: object,
    words: list[str],
) -> None:
    """It is never taken for a state without bookmarks: that would begin anew in silence."""
    path = config_file(tmp_path, {"s": 1}, "state.json")
    (tmp_path / "state.json").write_text(json.dumps(state))
    config = config_file(tmp_path, settings_for(emulator))
    ended = here(TAP, "--config", config, "--state", path)
    ended.assert_one_error(*words)
    assert b"RECORD" not in ended.out


@pytest.mark.parametrize("state", [{}, {"bookmarks": {}}, {"bookmarks": {"gone": {}}}])
def test_a_state_without_bookmarks_is_a_beginning(
    here: Callable[..., Ended], emulator: Emulator, tmp_path: Path, state: object
) -> None:
    """What an orchestrator gives the first run."""
    (tmp_path / "state.json").write_text(json.dumps(state))
    config = config_file(tmp_path, settings_for(emulator))
    ended = here(TAP, "--config", config, "--state", str(tmp_path / "state.json"))
    assert (ended.code, ended.errors) == (0, [])
    assert ended.out.count(b'"RECORD"') > 60


def test_dotenv_that_cannot_be_read_is_one_line(
    here: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK reads it where settings come from the environment."""
    path = tmp_path / ".env"
    path.write_bytes(b"TAP_MARKETO_BULK_CLIENT_ID=\xff\xfe\n")
    # It is looked for from where the SDK is installed upwards.
    monkeypatch.setattr(_dict_config, "find_dotenv", lambda: str(path))
    here(TAP, "--config", "ENV").assert_one_error(".env")


MAPS = [
    pytest.param({"program_member": {"a": "b"}}, ["program_member'", "program_members"], id="near"),
    pytest.param({"nothing*": None}, ["nothing*"], id="pattern"),
    pytest.param({"mine": {"__source__": "program"}}, ["'program'", "programs"], id="source"),
    pytest.param({"programs": {"id": "lower("}}, ["stream_maps", "lower("], id="syntax"),
    pytest.param({"programs": {"id": None}}, ["stream_maps", "id"], id="key"),
    pytest.param({"programs": 5}, ["stream_maps", "programs"], id="number"),
    pytest.param({"__odd__": None}, ["stream_maps", "__odd__"], id="operator"),
    pytest.param({"__else__": "x"}, ["stream_maps", "__else__", "__NULL__"], id="else"),
    pytest.param({"programs": {"__else__": 1}}, ["stream_maps", "__else__"], id="inner else"),
]


@pytest.mark.parametrize(("maps", "words"), MAPS)
def test_a_stream_map_for_no_stream_is_one_line(
    here: Callable[..., Ended],
    emulator: Emulator,
    tmp_path: Path,
    maps: object,
    words: list[str],
) -> None:
    """What it was to mask would go out as it is, so the tap does not start."""
    config = config_file(tmp_path, settings_for(emulator, {"stream_maps": maps}))
    ended = here(TAP, "--config", config)
    ended.assert_one_error(*words)
    assert ended.out == b""


@pytest.mark.parametrize(
    "maps",
    [
        {"programs": None},
        {"prog*": {"added": "'x'"}},
        {"copy": {"__source__": "programs"}},
        {"programs": {"__alias__": "renamed"}},
        {"programs": {"description": None}, "__else__": None},
    ],
)
def test_a_stream_map_for_a_stream_says_nothing(
    here: Callable[..., Ended], emulator: Emulator, tmp_path: Path, maps: object
) -> None:
    """Names, patterns, sources, and what is to become of other streams."""
    config = config_file(tmp_path, settings_for(emulator, {"stream_maps": maps}))
    ended = here(TAP, "--config", config)
    assert (ended.code, ended.errors, ended.warnings) == (0, [], [])


def test_a_property_to_remove_that_is_not_there_is_a_warning(
    here: Callable[..., Ended], emulator: Emulator, tmp_path: Path
) -> None:
    """A misspelled name would leave the right one in the records."""
    maps = {"programs": {"descripton": "__NULL__", "status": None}}
    config = config_file(tmp_path, settings_for(emulator, {"stream_maps": maps}))
    ended = here(TAP, "--config", config)
    (warning,) = ended.warnings
    assert "'descripton' to remove" in warning
    assert "'description'" in warning
