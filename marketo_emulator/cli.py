"""The command line: serve, or run a command against an emulator of its own."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from threading import Event
from typing import TYPE_CHECKING

from marketo_emulator.emulator import Emulator
from marketo_emulator.options import Options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

_PREFIXES = ("TAP_MARKETO_BULK", "TARGET_MARKETO_BULK")
_NOT_FOUND = 127
_LAST_SECONDS = 10
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments say and return the exit code."""
    parsed = _parser().parse_args(arguments)
    emulator = Emulator(
        programs=parsed.programs,
        members=parsed.members,
        seed=parsed.seed,
        job_seconds=parsed.job_seconds,
        options=Options(
            max_calls_per_window=parsed.calls_per_20_seconds,
            history_days=parsed.history_days,
        ),
        port=parsed.port,
    )
    try:
        if parsed.action == "serve":
            return _serve(emulator, parsed.lifetime_seconds)
        return _execute(emulator, parsed)
    except OSError as error:
        sys.stderr.write(f"marketo-emulator: port {parsed.port}: {error.strerror}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="marketo-emulator", description="A Marketo on the loopback interface, to try and test."
    )
    actions = parser.add_subparsers(dest="action", required=True)
    serve = actions.add_parser("serve", help="serve until interrupted")
    execute = actions.add_parser("exec", help="run a command against an emulator of its own")
    for action in (serve, execute):
        action.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
        action.add_argument("--programs", type=int, default=12)
        action.add_argument("--members", type=int, default=400, help="of all programs together")
        action.add_argument("--seed", type=int, default=1, help="the same seed, the same data")
        action.add_argument(
            "--job-seconds", type=float, default=0.2, help="how long a job runs (default 0.2)"
        )
        action.add_argument(
            "--calls-per-20-seconds",
            type=int,
            default=Options().max_calls_per_window,
            help="the rate limit (default 100, as Marketo has it)",
        )
        action.add_argument(
            "--history-days",
            type=int,
            default=Options().history_days,
            help="how long ago the first program was made (default 730)",
        )
        action.add_argument(
            "--lifetime-seconds", type=float, help="stop after so long (default: never)"
        )
    execute.add_argument("command", nargs=argparse.REMAINDER, help="-- COMMAND ...")
    return parser


def _serve(emulator: Emulator, lifetime_seconds: float | None) -> int:
    stopped = Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    before = [(number, signal.signal(number, stop)) for number in _SIGNALS]
    try:
        with emulator:
            sys.stdout.write(
                json.dumps(
                    {
                        "base_url": emulator.base_url,
                        "client_id": emulator.client_id,
                        "client_secret": emulator.client_secret,
                    }
                )
                + "\n"
            )
            sys.stdout.flush()
            stopped.wait(lifetime_seconds)
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    return 0


def _execute(emulator: Emulator, parsed: argparse.Namespace) -> int:
    command = parsed.command[1:] if parsed.command[:1] == ["--"] else parsed.command
    if not command:
        sys.stderr.write("marketo-emulator exec: no command given after --\n")
        return 2
    relay = _Relay()
    # Before the command starts: a signal that came in between would end the emulator alone.
    before = [(number, signal.signal(number, relay.receive)) for number in _SIGNALS]
    try:
        with emulator:
            try:
                child = subprocess.Popen(command, env=_environment(emulator, parsed.job_seconds))  # noqa: S603 - running it is the point
            except OSError as error:
                sys.stderr.write(f"marketo-emulator exec: {command[0]}: {error.strerror}\n")
                return _NOT_FOUND
            relay.connect(child)
            code = _wait(child, parsed.lifetime_seconds)
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    # A command ended by a signal is reported as a shell would.
    return code if code >= 0 else 128 - code


class _Relay:
    """Passes signals on to the command, those too that came before it had started."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._waiting: list[int] = []

    def receive(self, number: int, _frame: FrameType | None) -> None:
        if self._child is None:
            self._waiting.append(number)
        # A terminal sends its interrupt to the command as well; twice could cut its end short.
        elif number != signal.SIGINT or not os.isatty(0):
            self._child.send_signal(number)

    def connect(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        for number in self._waiting:
            child.send_signal(number)


def _wait(child: subprocess.Popen[bytes], lifetime_seconds: float | None) -> int:
    """Return the exit code of the command, which is ended when its time is over."""
    try:
        return child.wait(lifetime_seconds)
    except subprocess.TimeoutExpired:
        child.terminate()
    try:
        return child.wait(_LAST_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _environment(emulator: Emulator, job_seconds: float) -> dict[str, str]:
    environment = {**os.environ, "MARKETO_EMULATOR_URL": emulator.base_url}
    for prefix in _PREFIXES:
        environment[f"{prefix}_BASE_URL"] = emulator.base_url
        environment[f"{prefix}_CLIENT_ID"] = emulator.client_id
        environment[f"{prefix}_CLIENT_SECRET"] = emulator.client_secret
        environment.setdefault(f"{prefix}_POLL_INTERVAL_SECONDS", f"{max(job_seconds, 0.05):g}")
    return environment
