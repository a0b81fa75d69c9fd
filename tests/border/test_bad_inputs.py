"""Bad inputs: a table of them, each with the words of the one line it gets, and its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Emulator
from tests.border.commands import MODES, TAP, TARGET, config_file
from tests.tap_runs import NO_RATE_LIMIT, settings_for
from tests.target.runs import people, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.border.commands import Ended

LONG = "x" * 300

JOURNALS = [
    ("{folder}/file", "File exists"),
    ("{folder}/file/below", "Not a directory"),
    ("/proc/nowhere", "No such file or directory"),
    (LONG, "File name too long"),
    ("a\0b", "NUL"),
    ("foo://x/y", "foo:// is no protocol"),
    ("gs://bucket/x", "driver"),
    ("az://container/x", "driver"),
    ("s3://", "it names no place"),
    ("://", "it names no place"),
    ("http://127.0.0.1:9/x", "nothing can be written there"),
    ("ftp://127.0.0.1:9/x", "Connection refused"),
    ("~nobody-of-this-name/x", "there is no such user"),
]
ADDRESSES = [
    ("ftp://x", "base_url must be an address"),
    ("not a url", "base_url must be an address"),
    ("//127.0.0.1:9", "base_url must be an address"),
    ("https://", "base_url must be an address"),
    ("https://[::1", "base_url is not an address"),
    ("https://x:99999", "base_url is not an address"),
    ("http://example.com", "base_url must start with https://"),
    ("https://me:pass@host.invalid", "base_url must hold no user name"),
    ("https://ho st", "is no address"),
    ("https://a..b", "is no address"),
    ("http://127.0.0.1:1", "no answer from 127.0.0.1:1"),
    ("http://localhost:0", "no answer from localhost"),
    (f"https://{'a' * 300}.com", "ask for an access token"),
]
MAPS = [
    ("x", "stream_maps is"),
    ([], "stream_maps is"),
    ({"programs": 5}, "['stream_maps']['programs']"),
    ({"*": 5}, "['stream_maps']['*']"),
    ({"leads": {"a": []}}, "['stream_maps']['leads']"),
    ({"leads": {"__alias__": 5}}, "['stream_maps']['leads']"),
    ({"leads": {"__key_properties__": 5}}, "['stream_maps']['leads']"),
    ({"__else__": "x"}, "`__else__`"),
]
SETTINGS_OF_TAP: list[tuple[dict[str, Any], str]] = [
    *(({"job_journal": value}, words) for value, words in JOURNALS),
    ({"archive_url": "http://127.0.0.1:9/"}, "archive_url"),
    ({"archive_url": "s3://"}, "it names no place"),
    ({"archive_url": "foo://x/y"}, "foo:// is no protocol"),
    ({"archive_url": "~nobody-of-this-name/x"}, "archive_url '~nobody-of-this-name/x' cannot"),
    ({"replay_url": "~nobody-of-this-name/x"}, "there is no such user"),
    ({"download_dir": "~nobody-of-this-name/x"}, "download_dir '~nobody-of-this-name/x' cannot"),
    ({"archive_url": "http://[::1/x"}, "archive_url"),
    ({"replay_url": "s3://"}, "it names no place"),
    ({"replay_url": "{folder}/nowhere"}, "replay_url"),
    ({"download_dir": "{folder}/file"}, "is not a directory"),
    ({"download_dir": "s3://bucket"}, "is not a directory"),
    ({"faker_config": 5}, "faker_config is 5: give a JSON object"),
    ({"batch_config": 5}, "batch_config is 5: give a JSON object"),
    ({"batch_config": {"encoding": {"format": "x"}, "storage": {"root": "b"}}}, "'x' is not one"),
    (
        {
            "batch_config": {
                "encoding": {"format": "jsonl"},
                "storage": {"root": "b", "prefix": "\0"},
            }
        },
        "batch_config.storage.prefix holds a NUL character",
    ),
    (
        {
            "batch_config": {
                "encoding": {"format": "jsonl"},
                "storage": {"root": "b", "prefix": "a/../../x"},
            }
        },
        "batch_config.storage.prefix must not leave the root",
    ),
    (
        {"batch_config": {"encoding": {"format": "jsonl"}, "storage": {"root": "memory://b"}}},
        "its files are gone when the run ends",
    ),
    (
        {"batch_config": {"encoding": {"format": "jsonl"}, "storage": {"root": 5}}},
        "5 is not of type",
    ),
    ({"stream_maps": {"nothing": {"a": "1"}}}, "stream_maps: there is no stream 'nothing'"),
    ({"stream_maps": {"programs": {"__filter__": "("}}}, "stream_maps cannot be followed"),
    ({"start_date": "0001-01-01T00:00:00+14:00"}, "start_date"),
    ({"start_date": "2999-01-01"}, "start_date"),
    ({"program_ids": "1,,2"}, "program_ids"),
    ({"program_ids": [[1]]}, "program_ids"),
]
SETTINGS_OF_TARGET: list[tuple[dict[str, Any], str]] = [
    ({"rejects_path": "{folder}/file"}, "rejects_path"),
    ({"rejects_path": LONG}, "rejects_path"),
    ({"rejects_path": "s3://bucket/rejects"}, "rejects_path is an address"),
    ({"rejects_path": "~nobody-of-this-name/x"}, "rejects_path '~nobody-of-this-name/x' cannot"),
    ({"dry_run_path": "~nobody-of-this-name/x"}, "there is no such user"),
    ({"dry_run_path": "s3://bucket/dry"}, "dry_run_path is an address"),
    ({"dry_run_path": "/proc/x"}, "dry_run_path"),
    ({"max_rejected_rows": "some"}, "max_rejected_rows"),
    ({"max_rejected_rows": True}, "max_rejected_rows"),
    ({"list_id": 10**400}, "list_id"),
    ({"lookup_field": "nope"}, "lookup_field 'nope' is no lead field"),
]
BOTH: list[tuple[dict[str, Any], str]] = [
    *(({"base_url": value}, words) for value, words in ADDRESSES),
    *(({"stream_maps": value}, words) for value, words in MAPS),
    ({"identity_url": "ftp://x"}, "identity_url"),
    ({"stream_map_config": 5}, "stream_map_config is 5"),
    ({"flattening_enabled": True}, "flattening_max_depth"),
    ({"flattening_enabled": "maybe"}, "flattening_enabled"),
]
TABLE = [
    *((TAP, config, words) for config, words in [*BOTH, *SETTINGS_OF_TAP]),
    *((TARGET, config, words) for config, words in [*BOTH, *SETTINGS_OF_TARGET]),
]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """A small emulator that is not changed."""
    with Emulator(programs=1, members=5, options=NO_RATE_LIMIT) as running:
        yield running


@pytest.fixture
def run(
    here: Callable[..., Ended], emulator: Emulator, tmp_path: Path
) -> Callable[[str, Mapping[str, Any], tuple[str, ...]], Ended]:
    """A function that runs a command with what is wrong in its config."""
    (tmp_path / "file").write_text("")

    def command(plugin: str, wrong: Mapping[str, Any], arguments: tuple[str, ...]) -> Ended:
        of_target = {"rejects_path": str(tmp_path / "rejects")} if plugin == TARGET else {}
        config = {**of_target, "max_retry_seconds": 0.1, **_placed(wrong, tmp_path)}
        path = config_file(tmp_path, settings_for(emulator, config))
        return here(plugin, "--config", path, *arguments, lines=singer_lines(people(2)))

    return command


def _placed(wrong: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    return {
        name: value.replace("{folder}", str(folder)) if isinstance(value, str) else value
        for name, value in wrong.items()
    }


@pytest.mark.fault(
    "T5.12",
    "settings of every kind that cannot be: folders, addresses, maps, numbers",
    "one line that says which, and why; exit code 1, in `--test` and `--discover` too",
)
@pytest.mark.parametrize(("plugin", "wrong", "words"), TABLE)
def test_each_is_one_line(
    run: Callable[..., Ended], plugin: str, wrong: dict[str, Any], words: str
) -> None:
    """No traceback, no line of the SDK's before it, and none about the outcome after it."""
    ended = run(plugin, wrong, ())
    ended.assert_one_error(words)
    assert ended.out == b"" or plugin == TAP


@pytest.mark.parametrize(
    ("plugin", "wrong", "mode"),
    [(plugin, wrong, mode) for plugin, wrong, _ in TABLE for mode in MODES[plugin]],
)
def test_other_commands_say_the_same_or_nothing(
    run: Callable[..., Ended], plugin: str, wrong: dict[str, Any], mode: tuple[str, ...]
) -> None:
    """What a command does without is no error of it."""
    ended = run(plugin, wrong, mode)
    if ended.code:
        ended.assert_one_error()
    else:
        assert not ended.errors
        ended.assert_nothing_unhandled()
