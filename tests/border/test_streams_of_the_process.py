"""Stdin, stdout, disk and environment of the process: whatever they are, one line and a code."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Fault
from tests.border.commands import (
    CREDENTIALS,
    PLAIN,
    TAP,
    TARGET,
    WAIT_SECONDS,
    config_file,
    run_script,
)
from tests.tap_runs import TapRun, members_of, parse, settings_for
from tests.target.runs import people, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marketo_emulator import Emulator
    from tests.border.commands import Ended

FULL = Path("/dev/full")


@pytest.fixture
def tap_config(emulator: Emulator, tmp_path: Path) -> str:
    """The path of a config for a small emulator."""
    return config_file(tmp_path, settings_for(emulator, {"calls_per_20_seconds": 100}))


@pytest.fixture
def dry(tmp_path: Path) -> Callable[..., str]:
    """A function that writes the config of a dry run and returns its path."""

    def write(**more: Any) -> str:
        config = {
            "dry_run_path": str(tmp_path / "dry"),
            "rejects_path": str(tmp_path / "rejects"),
            **more,
        }
        return config_file(tmp_path, config)

    return write


@contextlib.contextmanager
def full_disk() -> Iterator[int]:
    """Give a stdout on which there is never any space."""
    descriptor = os.open(FULL, os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


@pytest.mark.fault(
    "T5.3",
    "stdout that is closed, full, does not block, or whose reader has gone",
    "one line that names stdout, exit code 1; what does not block is waited for, nothing is lost",
)
@pytest.mark.parametrize("arguments", [[], ["--discover"], ["--test=schema"]])
def test_a_full_stdout_of_the_tap_is_one_line(tap_config: str, arguments: list[str]) -> None:
    """Also where the SDK prints, and Python writes on the way out."""
    with full_disk() as stdout:
        ended = run_script(TAP, "--config", tap_config, *arguments, stdout=stdout)
    ended.assert_one_error("stdout", "No space left on device")


@pytest.mark.parametrize("plugin", [TAP, TARGET])
@pytest.mark.parametrize("arguments", [["--about"], ["--about", "--format=json"], ["--version"]])
def test_a_full_stdout_of_what_is_printed_is_one_line(plugin: str, arguments: list[str]) -> None:
    """Nothing needs a config."""
    with full_disk() as stdout:
        ended = run_script(plugin, *arguments, stdout=stdout)
    ended.assert_one_error("stdout", "No space left on device")


@pytest.mark.parametrize("plugin", [TAP, TARGET])
def test_a_closed_stdout_is_one_line(tmp_path: Path, plugin: str) -> None:
    """Python has no object for it, and its number would be some other file's."""
    ended = run_script(
        plugin, "--config", config_file(tmp_path, CREDENTIALS), before=lambda: os.close(1)
    )
    ended.assert_one_error("stdout", "closed")


def test_a_full_stdout_of_the_target_is_one_line(emulator: Emulator, tmp_path: Path) -> None:
    """Its only lines are STATE."""
    config = settings_for(emulator, {"rejects_path": str(tmp_path / "rejects")})
    with full_disk() as stdout:
        ended = run_script(
            TARGET,
            *("--config", config_file(tmp_path, config)),
            lines=singer_lines(people(3)),
            stdout=stdout,
        )
    ended.assert_one_error("stdout", "No space left on device")


@pytest.mark.parametrize("arguments", [[], ["--discover"]])
def test_a_reader_that_has_gone_is_one_line(tap_config: str, arguments: list[str]) -> None:
    """A pipe without its other end."""
    reader, writer = os.pipe()
    os.close(reader)
    ended = run_script(TAP, "--config", tap_config, *arguments, stdout=writer)
    os.close(writer)
    ended.assert_one_error("reader of stdout has gone")


def _pipe() -> tuple[Any, int]:
    reader, writer = os.pipe()
    return os.fdopen(reader, "rb"), writer


def _socket_pair() -> tuple[Any, int]:
    reader, writer = socket.socketpair()
    with reader:
        return reader.makefile("rb"), writer.detach()


@pytest.mark.parametrize("pair", [_pipe, _socket_pair])
@pytest.mark.parametrize("arguments", [[], ["--discover"]])
def test_a_stdout_that_does_not_block_loses_nothing(
    make_emulator: Callable[..., Emulator],
    tmp_path: Path,
    pair: Callable[[], tuple[Any, int]],
    arguments: list[str],
) -> None:
    """A reader that is slow to begin, and a pipe some parent has set not to block."""
    emulator = make_emulator(programs=3, members=3_000)
    source, writer = pair()
    os.set_blocking(writer, False)
    path = config_file(tmp_path, settings_for(emulator, {"calls_per_20_seconds": 100}))
    script = str(Path(sys.executable).with_name(TAP))
    process = subprocess.Popen(
        [script, "--config", path, *arguments], stdout=writer, stderr=subprocess.PIPE, env=PLAIN
    )
    os.close(writer)
    time.sleep(2)
    written = source.read()
    source.close()
    _, errors = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 0, errors.decode()
    if arguments:
        streams = [entry["tap_stream_id"] for entry in json.loads(written)["streams"]]
        assert {"program_members", "leads", "programs"} <= set(streams)
    else:
        assert TapRun(parse(written)).table() == members_of(emulator)


@pytest.mark.fault(
    "T5.4",
    "stdin that is closed, or cannot be read",
    "one line that names stdin, exit code 1; `--input` does without it",
)
def test_a_closed_stdin_of_the_target_is_one_line(dry: Callable[..., str]) -> None:
    """Nothing was to be loaded, so nothing is claimed."""
    ended = run_script(
        TARGET, "--config", dry(), lines=subprocess.DEVNULL, before=lambda: os.close(0)
    )
    ended.assert_one_error("stdin is closed", "--input")


def test_a_stdin_that_is_only_written_to_is_one_line(
    dry: Callable[..., str], tmp_path: Path
) -> None:
    """The other end of what it should be."""
    descriptor = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    ended = run_script(TARGET, "--config", dry(), lines=descriptor)
    os.close(descriptor)
    ended.assert_one_error("stdin", "Bad file descriptor")


def test_a_closed_stdin_does_not_matter_to_input(dry: Callable[..., str], tmp_path: Path) -> None:
    """`--input` names a file, whatever stdin is."""
    messages = tmp_path / "messages.jsonl"
    messages.write_bytes(singer_lines(people(3)))
    ended = run_script(
        TARGET,
        *("--config", dry(), "--input", str(messages)),
        lines=subprocess.DEVNULL,
        before=lambda: os.close(0),
    )
    assert (ended.code, ended.errors) == (0, [])


def test_a_stdin_that_does_not_block_loses_nothing(dry: Callable[..., str], tmp_path: Path) -> None:
    """A slow tap, and a pipe some parent has set not to block."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)

    def feed() -> None:
        for line in singer_lines(people(5)).splitlines(keepends=True):
            time.sleep(0.1)
            os.write(writer, line)
        os.close(writer)

    feeding = threading.Thread(target=feed)
    feeding.start()
    ended = run_script(TARGET, "--config", dry(), lines=reader)
    feeding.join()
    os.close(reader)
    assert (ended.code, ended.errors) == (0, [])
    assert (tmp_path / "dry" / "leads-0001.csv").read_bytes().count(b"@load.test") == 5


def files_of_at_most(size_bytes: int) -> Callable[[], None]:
    """Return what makes the system refuse larger files, as a full disk refuses any."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))


@pytest.mark.fault(
    "T5.9",
    "no space for a file of ours: spool, rejects, journal, dry run, download",
    "one line that names the path, the reason and the setting",
)
def test_no_space_for_the_spool_names_its_folder(dry: Callable[..., str], tmp_path: Path) -> None:
    """A file without a name: the folder it is in, and what decides on that."""
    spool = tmp_path / "spool"
    spool.mkdir()
    ended = run_script(
        TARGET,
        *("--config", dry()),
        lines=singer_lines(people(20_000)),
        before=files_of_at_most(10_000),
        environment={"TMPDIR": str(spool)},
    )
    ended.assert_one_error(str(spool), "File too large", "TMPDIR")


def test_no_space_for_the_rejects_names_their_file(dry: Callable[..., str], tmp_path: Path) -> None:
    """Rows that could not be reported are not claimed to be."""
    records = [{"email": "jürgen@load.test", "firstName": "x" * 200}] * 300
    ended = run_script(
        TARGET,
        *("--config", dry()),
        lines=singer_lines(records),
        before=files_of_at_most(10_000),
    )
    ended.assert_one_error(str(tmp_path / "rejects"), "File too large", "rejects_path")


def test_no_space_for_a_dry_run_names_its_folder(dry: Callable[..., str], tmp_path: Path) -> None:
    """A folder that nobody may write to, not even root: it is a file."""
    (tmp_path / "dry").write_text("")
    ended = run_script(TARGET, "--config", dry(), lines=singer_lines(people(3)))
    ended.assert_one_error(str(tmp_path / "dry"), "File exists", "dry_run_path")


def test_no_space_for_the_journal_names_its_file(emulator: Emulator, tmp_path: Path) -> None:
    """Without it no import is begun: its id would be lost with the process."""
    config = settings_for(emulator, {"rejects_path": str(tmp_path / "rejects")})
    ended = run_script(
        TARGET,
        *("--config", config_file(tmp_path, config)),
        lines=singer_lines(people(3)),
        before=files_of_at_most(100),
    )
    ended.assert_one_error(str(tmp_path / "rejects" / "imports-"), "File too large", "rejects_path")
    assert ended.out == b""


def test_no_space_for_a_download_names_its_folder(emulator: Emulator, tmp_path: Path) -> None:
    """And the setting that leads there."""
    config = {"download_dir": str(tmp_path), "calls_per_20_seconds": 100}
    ended = run_script(
        TAP,
        *("--config", config_file(tmp_path, settings_for(emulator, config))),
        before=files_of_at_most(5_000),
    )
    ended.assert_one_error(str(tmp_path), "File too large", "download_dir")


@pytest.mark.parametrize("setting", ["rejects_path", "dry_run_path"])
def test_a_folder_that_cannot_be_made_is_named(
    dry: Callable[..., str], tmp_path: Path, setting: str
) -> None:
    """Below a file, where there is no folder."""
    (tmp_path / "file").write_text("")
    config = dry(**{setting: str(tmp_path / "file" / "below")})
    records = [*people(3), {"email": "jürgen@load.test"}]
    ended = run_script(TARGET, "--config", config, lines=singer_lines(records))
    ended.assert_one_error(str(tmp_path / "file"), "Not a directory", setting)


@pytest.mark.fault(
    "T4.6",
    "no credentials, with or without `--discover`",
    "one line with all that is missing, exit code 1; Marketo is not asked",
)
@pytest.mark.parametrize(
    ("plugin", "arguments"),
    [(TAP, []), (TAP, ["--discover"]), (TAP, ["--test"]), (TAP, ["--test=schema"]), (TARGET, [])],
)
def test_without_credentials_one_line_says_what_is_missing(
    tmp_path: Path, plugin: str, arguments: list[str]
) -> None:
    """What `meltano run` shows of it is short, too."""
    ended = run_script(plugin, *arguments, directory=tmp_path)
    ended.assert_one_error("client_id, client_secret, munchkin_id (or base_url) must be set")
    assert len(ended.err.splitlines()) < 5


@pytest.mark.parametrize("plugin", [TAP, TARGET])
def test_a_log_level_that_is_none_is_one_line(tmp_path: Path, plugin: str) -> None:
    """LOGLEVEL is part of the environment, too."""
    ended = run_script(plugin, "--version", environment={"LOGLEVEL": "loud"})
    ended.assert_one_error("LOGLEVEL", "'LOUD'")


@pytest.mark.parametrize("content", ["version: 1\nformatters: 5", "a: [", "", "just text"])
def test_a_log_config_that_is_none_is_one_line(tmp_path: Path, content: str) -> None:
    """So is the file of the SDK's log config."""
    path = tmp_path / "log.yaml"
    path.write_text(content)
    ended = run_script(TAP, "--version", environment={"SINGER_SDK_LOG_CONFIG": str(path)})
    ended.assert_one_error("SINGER_SDK_LOG_CONFIG", str(path))


@pytest.mark.fault(
    "T5.10",
    '"An unhandled error occurred" before errors that are handled, and in `--test` with exit 0',
    "one line that says what has happened; exit code 1 where something has, 0 where nothing has",
)
def test_an_error_in_a_stream_is_one_line(emulator: Emulator, tap_config: str) -> None:
    """The SDK's line about it is left out; ours stands alone."""
    emulator.faults.add(Fault(operation="export.create", code="1003", message="no way", times=None))
    for arguments in ([], ["--test"]):
        ended = run_script(TAP, "--config", tap_config, *arguments)
        ended.assert_one_error("create export", "1003")


def test_a_record_limit_is_no_error(tap_config: str) -> None:
    """`--test` ends each stream after one record, which is what was asked for."""
    ended = run_script(TAP, "--config", tap_config, "--test")
    assert (ended.code, ended.errors) == (0, [])
    assert "nhandled" not in ended.err


@pytest.mark.parametrize("operation", ["describe.members", "describe.leads"])
@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        "[]",
        "{}",
        '{"success": true}',
        '{"success": true, "result": null}',
        '{"success": true, "result": []}',
        '{"success": true, "result": [null]}',
        '{"success": true, "result": [{"fields": null}]}',
        '{"success": true, "result": [{"fields": [null]}]}',
    ],
)
def test_a_describe_that_says_nothing_is_one_line(
    here: Callable[..., Ended], emulator: Emulator, tmp_path: Path, operation: str, body: str
) -> None:
    """Whatever is in its place, after the retries that are due."""
    path = config_file(tmp_path, settings_for(emulator, {"max_retry_seconds": 0.1}))
    emulator.faults.add(Fault(operation=operation, times=None, status=200, body=body))
    here(TAP, "--config", path, "--discover").assert_one_error()
