"""The end of a command: which line an error becomes, and what it does not say."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

import pytest
from singer_sdk.exceptions import ConfigValidationError, StreamMapConfigError
from singer_sdk.singerlib.exceptions import InvalidInputLine

from marketo_bulk import ConfigurationError
from marketo_bulk.errors import DailyQuotaExceededError
from singer_marketo.exits import errors_on_one_line
from tests.border.commands import TAP, TARGET, config_file, run_script
from tests.tap_runs import settings_for
from tests.target.runs import people, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_emulator import Emulator
    from tests.border.commands import Ended

LOGGER = logging.getLogger("a-plugin")
PERSON = "jane.doe@example.com"


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (ConfigurationError("two\nlines"), "two lines", 1),
        (DailyQuotaExceededError("over"), "over", 75),
        (InvalidInputLine("line 3"), "line 3", 1),
        (ConfigValidationError("all", errors=["x is 5"]), "x is 5", 1),
        (StreamMapConfigError("odd"), "stream_maps: odd", 1),
        (OSError(28, "No space left", "/tmp/file"), "/tmp/file: No space left", 1),
        (OSError("odd"), "odd", 1),
        (PermissionError(), "PermissionError", 1),
        (BrokenPipeError(), "the reader of stdout has gone", 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_error_is_one_line(
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    line: str,
    code: int,
) -> None:
    """The SDK's, the system's and ours, in both plugins."""
    monkeypatch.setattr(sys, "stdout", None)  # an error of the system silences the real one
    with pytest.raises(SystemExit) as ended, errors_on_one_line(LOGGER):
        raise error
    (record,) = [r for r in caplog.records if r.levelno >= logging.INFO]
    assert record.getMessage().startswith(line)
    assert "\n" not in record.getMessage()
    assert ended.value.code == code


def test_an_error_nobody_has_foreseen_shows_no_value(caplog: pytest.LogCaptureFixture) -> None:
    """Its kind and its place, and how to see the rest."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SystemExit), errors_on_one_line(LOGGER):
        raise KeyError(PERSON)
    line, origin = caplog.records
    assert "unexpected KeyError at border/test_exits.py:" in line.getMessage()
    assert "LOGLEVEL=DEBUG" in line.getMessage()
    assert PERSON not in line.getMessage()
    assert (origin.levelno, origin.exc_info is not None) == (logging.DEBUG, True)


@pytest.mark.parametrize("expression", ["int(email)", "email.nothing", "1/0", "email[99]"])
@pytest.mark.parametrize("plugin", [TAP, TARGET])
def test_an_expression_that_fails_names_the_setting(
    here: Callable[..., Ended],
    emulator: Emulator,
    tmp_path: Path,
    plugin: str,
    expression: str,
) -> None:
    """The value that does not fit is a person's; it stays out of the log."""
    stream = "programs" if plugin == TAP else "leads"
    expression = expression.replace("email", "name") if plugin == TAP else expression
    maps = {"stream_maps": {stream: {"added": expression}}, "rejects_path": str(tmp_path / "r")}
    if plugin == TAP:
        del maps["rejects_path"]
    config = config_file(tmp_path, settings_for(emulator, maps))
    ended = here(plugin, "--config", config, lines=singer_lines(people(3)))
    ended.assert_one_error("stream_maps")
    assert "@load.test" not in ended.errors[0]


@pytest.mark.slow
@pytest.mark.parametrize("plugin", [TAP, TARGET])
@pytest.mark.parametrize("descriptor", [0, 2])
def test_closed_stdin_or_stderr_hides_no_exit_code(
    tmp_path: Path, plugin: str, descriptor: int
) -> None:
    """Where there is no log, the exit code is all there is."""
    ended = run_script(plugin, directory=tmp_path, before=lambda: os.close(descriptor))
    assert ended.code == 1
