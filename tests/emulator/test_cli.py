"""The command line, as a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from marketo_emulator.__main__ import main
from marketo_emulator.cli import _Relay

COMMAND = (sys.executable, "-m", "marketo_emulator")
SMALL = ("--programs", "2", "--members", "9")
SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


def shown(capfd: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return the environment that `exec` gives its command."""
    assert main(["exec", *SMALL, "--", sys.executable, "-c", SHOW]) == 0
    return dict(json.loads(capfd.readouterr().out))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_one_line_and_serves_until_stopped(number: signal.Signals) -> None:
    """The line says where and with which credentials; either signal ends it well."""
    with subprocess.Popen(
        (*COMMAND, "serve", *SMALL, "--lifetime-seconds", "20"), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        with urllib.request.urlopen(f"{told['base_url']}/_emulator") as reply:
            summary = json.load(reply)
        process.send_signal(number)
        rest = process.stdout.read()
        code = process.wait(60)
    assert set(told) == {"base_url", "client_id", "client_secret"}
    assert (summary["programs"], summary["members"]) == (2, 9)
    assert (code, rest) == (0, "")


def test_serve_ends_with_its_lifetime(capsys: pytest.CaptureFixture[str]) -> None:
    """A server that nobody stops stops by itself."""
    assert main(["serve", *SMALL, "--lifetime-seconds", "0.01"]) == 0
    assert json.loads(capsys.readouterr().out)["client_id"] == "emulator"


def test_exec_tells_the_command_where_the_emulator_is(capfd: pytest.CaptureFixture[str]) -> None:
    """Address and credentials for tap and target, and a polling interval that suits."""
    environment = shown(capfd)
    for prefix in ("TAP_MARKETO_BULK", "TARGET_MARKETO_BULK"):
        assert environment[f"{prefix}_BASE_URL"] == environment["MARKETO_EMULATOR_URL"]
        assert environment[f"{prefix}_CLIENT_ID"] == "emulator"
        assert environment[f"{prefix}_CLIENT_SECRET"] == "emulator-secret"
        assert environment[f"{prefix}_POLL_INTERVAL_SECONDS"] == "0.2"


def test_exec_leaves_other_settings_alone(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the user has set stays set; credentials and address do not."""
    monkeypatch.setenv("TAP_MARKETO_BULK_POLL_INTERVAL_SECONDS", "7")
    monkeypatch.setenv("TAP_MARKETO_BULK_WINDOW_DAYS", "3")
    monkeypatch.setenv("TAP_MARKETO_BULK_CLIENT_ID", "real")
    environment = shown(capfd)
    assert environment["TAP_MARKETO_BULK_POLL_INTERVAL_SECONDS"] == "7"
    assert environment["TAP_MARKETO_BULK_WINDOW_DAYS"] == "3"
    assert environment["TAP_MARKETO_BULK_CLIENT_ID"] == "emulator"


@pytest.mark.parametrize(
    ("script", "code"), [("exit 7", 7), ("kill -TERM $$", 128 + signal.SIGTERM), ("true", 0)]
)
def test_exec_passes_the_exit_code_on(script: str, code: int) -> None:
    """That of the command; one ended by a signal as a shell has it."""
    assert main(["exec", *SMALL, "--", "sh", "-c", script]) == code


def test_exec_makes_the_history_that_was_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    """An option of the command line reaches the seed."""
    script = (
        "import os, urllib.request as web;"
        "print(web.urlopen(os.environ['MARKETO_EMULATOR_URL'] + '/_emulator/options').read())"
    )
    assert main(["exec", "--history-days=31", "--", sys.executable, "-c", script]) == 0
    assert '"history_days":31' in capfd.readouterr().out


def test_exec_without_a_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to run is a mistake."""
    assert main(["exec", *SMALL, "--"]) == 2
    assert "no command given" in capsys.readouterr().err


def test_exec_of_an_unknown_command_is_127(capsys: pytest.CaptureFixture[str]) -> None:
    """As in a shell."""
    assert main(["exec", *SMALL, "--", "no-such-command-anywhere"]) == 127
    assert "no-such-command-anywhere" in capsys.readouterr().err


def test_exec_forwards_signals() -> None:
    """The command decides what to do with them, however early they come."""
    script = "trap 'echo got it; exit 3' TERM; kill -TERM $PPID; while :; do sleep 0.02; done"
    command = (*COMMAND, "exec", *SMALL, "--lifetime-seconds", "20", "--", "sh", "-c", script)
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (result.returncode, result.stdout) == (3, "got it\n")


def test_exec_keeps_a_signal_for_a_command_that_has_not_started() -> None:
    """None is lost, and none ends the emulator alone."""
    relay = _Relay()
    relay.receive(signal.SIGTERM, None)
    with subprocess.Popen(("sleep", "20")) as child:
        relay.connect(child)
        assert child.wait(60) == -signal.SIGTERM


def test_exec_ends_a_command_whose_time_is_over() -> None:
    """After the lifetime it is asked to stop."""
    code = main(["exec", *SMALL, "--lifetime-seconds", "0.05", "--", "sleep", "20"])
    assert code == 128 + signal.SIGTERM


def test_port_in_use_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It says which."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", *SMALL, "--port", str(port), "--lifetime-seconds", "1"]) == 1
    assert capsys.readouterr().err == f"marketo-emulator: port {port}: Address already in use\n"


def test_missing_werkzeug_is_one_line() -> None:
    """The line names what to install."""
    script = (
        "import sys; from importlib import util; real = util.find_spec;"
        "util.find_spec = lambda name, *a: None if name == 'werkzeug' else real(name, *a);"
        "from marketo_emulator.__main__ import main; sys.exit(main(['serve']))"
    )
    result = subprocess.run(
        (sys.executable, "-c", script), capture_output=True, text=True, check=False, timeout=120
    )
    assert result.returncode == 1
    assert result.stderr == (
        "marketo-emulator needs Werkzeug: install tap-target-marketo-bulk[emulator]\n"
    )
