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
        ),
        port=parsed.port,
    )
    if parsed.action == "serve":
        return _serve(emulator, parsed.lifetime_seconds)
    command = parsed.command[1:] if parsed.command[:1] == ["--"] else parsed.command
    if not command:
        sys.stderr.write("marketo-emulator exec: no command given after --\n")
        return 2
    return _execute(emulator, command, parsed.lifetime_seconds, parsed.job_seconds)


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


def _execute(
    emulator: Emulator, command: list[str], lifetime_seconds: float | None, job_seconds: float
) -> int:
    children: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        early.append(number)
        for child in children:
            child.send_signal(number)

    # Before the command starts, so that no signal finds the emulator gone and the command alone.
    before = [(number, signal.signal(number, forward)) for number in _SIGNALS]
    try:
        with emulator:
            try:
                child = subprocess.Popen(command, env=_environment(emulator, job_seconds))  # noqa: S603 - running it is the point
            except OSError as error:
                sys.stderr.write(f"marketo-emulator exec: {command[0]}: {error.strerror}\n")
                return _NOT_FOUND
            children.append(child)
            for number in early:
                child.send_signal(number)
            try:
                code = child.wait(lifetime_seconds)
            except subprocess.TimeoutExpired:
                child.terminate()
                code = child.wait()
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    # A command ended by a signal is reported as a shell would.
    return code if code >= 0 else 128 - code


def _environment(emulator: Emulator, job_seconds: float) -> dict[str, str]:
    environment = {**os.environ, "MARKETO_EMULATOR_URL": emulator.base_url}
    for prefix in _PREFIXES:
        environment[f"{prefix}_BASE_URL"] = emulator.base_url
        environment[f"{prefix}_CLIENT_ID"] = emulator.client_id
        environment[f"{prefix}_CLIENT_SECRET"] = emulator.client_secret
        environment.setdefault(f"{prefix}_POLL_INTERVAL_SECONDS", f"{max(job_seconds, 0.05):g}")
    return environment
