"""Signal alarm: a signal that ends no call of the main thread is heard all the same."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.border.commands import PLAIN, WAIT_SECONDS

PROGRAM = """
import os, select, signal, socket, sys, threading, time
from singer_marketo.starting import run

def send() -> None:
    time.sleep(0.5)
    # What another thread gets ends no call of the main thread, as if it came just before it.
    signal.pthread_kill(threading.get_ident(), {number})

def full_pipe() -> None:
    _, writer = os.pipe()
    os.write(writer, bytes(1 << 30))

def silent_peer() -> None:
    one, other = socket.socketpair()
    one.settimeout(3600)
    one.recv(1)

class Plugin:
    def cli(self) -> None:
        threading.Thread(target=send, daemon=True).start()
        {call}

run(Plugin)
"""
CALLS = {
    "pipe nobody reads": "full_pipe()",
    "peer that does not answer": "silent_peer()",
    "pipe nobody writes to": "os.read(os.pipe()[0], 1)",
    "wait": "threading.Event().wait(3600)",
    "sleep": "time.sleep(3600)",
    "select": "select.select([], [], [], 3600)",
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_whatever_the_main_thread_waits_for(call: str, number: signal.Signals) -> None:
    """The process ends with the signal's code, long before the call would."""
    program = PROGRAM.format(number=int(number), call=call)
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        env=PLAIN,
        timeout=WAIT_SECONDS,
        # A shell without a terminal has what it starts ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert (done.returncode, done.stderr) == (128 + number, b"")
