"""Secrets, persons' data and files: where they must never be seen."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import ssl
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from typing_extensions import override

from marketo_bulk import ConfigurationError, Connection, MarketoBulk, MarketoBulkError
from marketo_bulk.clock import Clock
from marketo_bulk.exports.objects import PROGRAM_MEMBERS
from marketo_bulk.http import auth
from marketo_bulk.http import caller as caller_module
from marketo_emulator import Emulator, Fault, Options
from singer_marketo.settings import connection_from
from tap_marketo_bulk.tap import TapMarketoBulk
from tests.hostile_server import TOKEN, after_token, answer, hostile_server, raw
from tests.tap_runs import make_tap, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marketo_bulk.http.auth import AccessToken
    from tests.virtual_runs import VirtualRuns

SECRET = "s3cret&of=the+test/ä"
ESCAPED = "s3cret%26of%3Dthe%2Btest%2F%C3%A4"
COMMAND = [sys.executable, "-m", "tap_marketo_bulk"]
PLAIN = {k: v for k, v in os.environ.items() if not k.startswith("TAP_MARKETO")}
MARKER = "Zq7Personal"


@pytest.fixture(autouse=True)
def _own_journals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no run find the journal of another test, whose emulator may have had the same port."""
    monkeypatch.setitem(PLAIN, "XDG_STATE_HOME", str(tmp_path / "state-home"))


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return every token the identity service hands out from now on."""
    seen: list[str] = []
    decode = auth.decode_token

    def noted(*arguments: Any) -> AccessToken:
        token = decode(*arguments)
        seen.append(token.value)
        return token

    monkeypatch.setattr(caller_module, "decode_token", noted)
    return seen


@pytest.fixture
def loud(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every logger talk at DEBUG, whatever a command run in this process has set."""
    caplog.set_level(logging.DEBUG)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger):
            caplog.set_level(logging.DEBUG, logger=name)
            monkeypatch.setattr(logger, "disabled", False)
            monkeypatch.setattr(logger, "propagate", True)


def everything_of(error: BaseException) -> str:
    """Return what a traceback could show of an error: text and repr of its whole chain."""
    shown, waiting = [], [error]
    while waiting:
        each = waiting.pop()
        assert each.__cause__ is not each, "whoever walks along the chain comes to no end"
        shown += [str(each), repr(each), repr(getattr(each, "__dict__", ""))]
        waiting += [cause for cause in (each.__cause__, each.__context__) if cause is not None]
    return "\n".join(shown)


# --- secrets ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({}, id="success"),
        pytest.param({"operation": "export.*", "nth": 2, "code": "602"}, id="token-expires"),
        pytest.param({"operation": "export.*", "code": "601", "times": None}, id="token-refused"),
        pytest.param({"operation": "export.create", "reset": "before", "times": None}, id="reset"),
        pytest.param({"operation": "export.file", "status": 502, "times": None}, id="gateway"),
        pytest.param({"operation": "export.create", "code": "603"}, id="refused"),
        pytest.param({"operation": "identity.token", "nth": 2, "status": 500}, id="identity"),
    ],
)
def test_secrets_are_in_no_log_error_or_state(
    make_emulator: Callable[..., Emulator],
    virtual: Callable[[Emulator], VirtualRuns],
    tokens: list[str],
    caplog: pytest.LogCaptureFixture,
    loud: None,
    fault: dict[str, Any],
) -> None:
    """At DEBUG, with every library talking, neither the secret nor a token is said."""
    emulator = make_emulator(client_secret=SECRET)
    if fault:
        emulator.faults.add(Fault(**fault))
    shown = ""
    try:
        run = virtual(emulator).run()
    except MarketoBulkError as error:
        run = error.run  # type: ignore[attr-defined]
        shown = everything_of(error)
    text = caplog.text + shown + json.dumps(run.messages) + "".join(map(repr, caplog.records))
    assert "connectionpool" in caplog.text, "urllib3 talks at DEBUG"
    assert tokens
    assert [secret for secret in (SECRET, ESCAPED, *tokens) if secret in text] == []


@pytest.mark.parametrize("where", ["identity", "rest"])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            lambda said: answer({"error": "invalid_client", "error_description": said}), id="oauth"
        ),
        pytest.param(
            lambda said: answer({"success": False, "errors": [{"code": "601", "message": said}]}),
            id="token-refused",
        ),
        pytest.param(
            lambda said: answer(
                {"success": False, "requestId": said, "errors": [{"code": said, "message": said}]}
            ),
            id="everywhere",
        ),
        pytest.param(
            lambda said: [raw(f"Content-Type: text/{said}", "Content-Length: 1"), b"<"], id="type"
        ),
        pytest.param(
            lambda said: [raw(f"Location: https://{said}/{said}", "Content-Length: 0", status=302)],
            id="redirect",
        ),
    ],
)
def test_peer_that_repeats_what_it_was_sent_is_not_quoted(
    caplog: pytest.LogCaptureFixture, loud: None, make: Callable[[str], list[bytes]], where: str
) -> None:
    """A gateway that echoes the request in its error does not bring the secret into our log."""
    said = TOKEN if where == "rest" else "the-s3cret-of-the-test"
    with hostile_server() as server:
        server.reply = (
            after_token(lambda _: make(said)) if where == "rest" else lambda _: make(said)
        )
        connection = Connection(
            server.base_url, "id", "the-s3cret-of-the-test", calls_per_20_seconds=10**6
        )
        with (
            MarketoBulk.connect(
                connection, clock=Clock(sleep=lambda _: None, random=lambda: 0.0)
            ) as client,
            pytest.raises(MarketoBulkError) as caught,
        ):
            client.describe_export(PROGRAM_MEMBERS)
    assert said not in caplog.text
    assert said not in everything_of(caught.value)


def test_reprs_hide_the_secret(make_emulator: Callable[..., Emulator]) -> None:
    """Whatever holds the secret does not show it, in a debugger or a traceback."""
    tap = make_tap(make_emulator(client_secret=SECRET))
    connection = connection_from(tap.config)
    with tap.client:
        shown = repr([tap, tap.settings, tap.client, connection, vars(tap.client), *tap.streams])
    assert SECRET not in shown


def test_about_and_arguments_hold_no_secret(emulator: Emulator, tmp_path: Path) -> None:
    """`--about`, `--help`, the process list and a DEBUG log of a whole run are free of it."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings_for(emulator, {"calls_per_20_seconds": 100})))
    environment = {
        **PLAIN,
        "TAP_MARKETO_BULK_CLIENT_SECRET": emulator.client_secret,
        "TAP_MARKETO_BULK_LOGLEVEL": "DEBUG",
        "LOGLEVEL": "DEBUG",
    }
    outputs = []
    for arguments in (["--about", "--format=json"], ["--help"], ["--config", str(path)]):
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
        )
        assert emulator.client_secret not in " ".join(map(str, process.args))  # type: ignore[arg-type]
        outputs.append(process.communicate(timeout=60)[0])
        assert process.returncode == 0, outputs[-1]
    assert "DEBUG" in outputs[-1]
    assert emulator.client_secret not in "".join(outputs)


# --- persons' data ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rewrites",
    [
        (),
        ("row_short",),
        ("row_long",),
        ("quotes_unescaped",),
        ("invalid_utf8",),
        ("null_byte",),
        ("column_missing",),
        ("column_added",),
        ("row_missing",),
        ("half",),
        ("empty",),
    ],
    ids=lambda rewrites: ",".join(rewrites) or "plain",
)
@pytest.mark.parametrize("on_bad_value", ["fail", "null"])
def test_no_record_value_is_logged_at_info_or_above(
    emulator: Emulator,
    virtual: Callable[[Emulator], VirtualRuns],
    caplog: pytest.LogCaptureFixture,
    rewrites: tuple[str, ...],
    on_bad_value: str,
) -> None:
    """Not in a run that goes well, and not in the error over a file that is broken."""
    caplog.set_level(logging.INFO)
    for member in list(emulator.store.members()):
        emulator.store.change_member(
            member["programId"],  # type: ignore[arg-type]
            member["leadId"],  # type: ignore[arg-type]
            dietaryNotes=f'{MARKER} "x", y',
            trackName=MARKER,
        )
    emulator.faults.add(Fault(operation="export.job", rewrites=rewrites, times=None))
    shown = ""
    try:
        run = virtual(emulator).run({"on_bad_value": on_bad_value})
        assert run.records() == [] or MARKER in json.dumps(run.records())
    except MarketoBulkError as error:
        shown = str(error)
    assert MARKER not in caplog.text + shown


@pytest.mark.parametrize(
    ("maps", "said"),
    [
        ({"n": "int(trackName)"}, "ValueError, in the expression 'int(trackName)'"),
        ({"__filter__": "trackName > 1"}, "TypeError, in the expression 'trackName > 1'"),
        ({"n": "trackName.nothing"}, "AttributeDoesNotExist, in the expression"),
    ],
)
@pytest.mark.parametrize("stream", ["program_members", "members"])
@pytest.mark.fault(
    "T2.5",
    "… of the tap",
    "ends with one line as well, whichever stream the map makes",
)
def test_t2_5_stream_map_of_the_tap_that_fails_tells_nothing(  # fixtures
    emulator: Emulator,
    virtual: Callable[[Emulator], VirtualRuns],
    caplog: pytest.LogCaptureFixture,
    maps: dict[str, str],
    said: str,
    stream: str,
) -> None:
    """Stream, number of the record and expression, and nothing of the value."""
    for member in list(emulator.store.members()):
        emulator.store.change_member(
            member["programId"],  # type: ignore[arg-type]
            member["leadId"],  # type: ignore[arg-type]
            trackName=MARKER,
        )
    source = {} if stream == "program_members" else {"__source__": "program_members"}
    with pytest.raises(ConfigurationError) as caught:
        virtual(emulator).run({"stream_maps": {stream: {**maps, **source}}})
    assert f"stream '{stream}': the stream map failed at record 1 with {said}" in str(caught.value)
    assert MARKER not in everything_of(caught.value) + caplog.text


# --- files -----------------------------------------------------------------------------------


@pytest.fixture
def slow() -> Iterator[Emulator]:
    """Return an emulator on the machine's clock whose file comes slowly."""
    options = Options(max_calls_per_window=10**6, status_refresh_seconds=0)
    with Emulator(programs=3, members=200, job_seconds=0.0, options=options) as emulator:
        emulator.faults.add(
            Fault(operation="export.file", drip_bytes=1500, drip_seconds=0.03, times=None)
        )
        yield emulator


@pytest.fixture
def start(slow: Emulator, tmp_path: Path) -> Callable[[], subprocess.Popen[bytes]]:
    """Return a function that starts the tap with `tmp_path / "files"` for its files."""
    (tmp_path / "files").mkdir()
    config = {"download_dir": str(tmp_path / "files"), "calls_per_20_seconds": 100}
    (tmp_path / "config.json").write_text(json.dumps(settings_for(slow, config)))

    def started() -> subprocess.Popen[bytes]:
        # A mask that lets everybody read: the modes must not depend on it.
        return subprocess.Popen(
            [*COMMAND, "--config", str(tmp_path / "config.json")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=PLAIN,
            umask=0,
        )

    return started


def wait_for(condition: Callable[[], Any]) -> Any:
    """Return what the condition gives as soon as that is anything."""
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        if found := condition():
            return found
        time.sleep(0.01)
    pytest.fail("it never happened")


def modes(pid: int, folder: Path) -> list[int]:
    """Return the modes of the files with any bytes that a process has open on a disk's folder."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed in the meantime
            if str(link.readlink()).startswith(f"{folder}/") and link.stat().st_size:
                found.append(stat.S_IMODE(link.stat().st_mode))
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs to see what is open")
def test_files_are_private_while_they_are_there(
    start: Callable[[], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """Whatever the mask: no name that anybody could open, and nobody else's to read."""
    folder = tmp_path / "files"
    process = start()
    found = wait_for(lambda: modes(process.pid, folder))
    assert list(folder.rglob("*")) == []
    process.communicate(timeout=60)
    assert found == [0o600]


@pytest.mark.parametrize("ends", ["well", "in an error", "by SIGTERM", "by SIGKILL"])
def test_no_files_are_left_however_a_run_ends(
    slow: Emulator, start: Callable[[], subprocess.Popen[bytes]], tmp_path: Path, ends: str
) -> None:
    """In the middle of a download, too, and with no run after it that would clear up."""
    if ends == "in an error":
        slow.faults.add(Fault(operation="export.job", rewrites=("row_short",)))
    process = start()
    wait_for(lambda: slow.requests.of("export.file"))  # the file takes longer than that
    if ends.startswith("by "):
        process.send_signal(signal.Signals[ends.removeprefix("by ")])
    process.communicate(timeout=60)
    expected = {"well": 0, "in an error": 1, "by SIGTERM": 143, "by SIGKILL": -9}[ends]
    assert process.returncode == expected
    assert list((tmp_path / "files").rglob("*")) == []


def test_files_are_gone_when_nobody_reads_and_the_process_has_to_leave(
    start: Callable[[], subprocess.Popen[bytes]], slow: Emulator, tmp_path: Path
) -> None:
    """A pipe that never drains takes the STATE from a run, but leaves no persons' data behind."""
    slow.faults.clear()
    for _ in range(30):
        slow.store.add_program(members=60, age_days=400)
    process = start()
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    wait_for(lambda: slow.requests.of("export.file"))
    time.sleep(2)  # until the pipe is full; afterwards nothing moves
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    process.stdout.close()
    process.stderr.close()
    assert list((tmp_path / "files").rglob("*")) == []


# --- the way there ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.1",
        "http://marketo.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://[::ffff:10.0.0.1]",
        "http://0.0.0.0",
        "http://127.0.0.1@example.com",
        "http://example.com\\@127.0.0.1",
        "http://example.com#@127.0.0.1",
        "ftp://127.0.0.1",
        "//example.com",
        "file:///etc/passwd",
    ],
)
@pytest.mark.parametrize("setting", ["base_url", "identity_url"])
def test_plain_http_leaves_this_machine_under_no_spelling(setting: str, address: str) -> None:
    """A token is sent without encryption to the loopback interface alone."""
    config = {"base_url": "https://h.example", "client_id": "id", "client_secret": SECRET}
    with pytest.raises(ConfigurationError, match=setting):
        connection_from({**config, setting: address})


@pytest.fixture
def self_signed(tmp_path: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Return the address of a server nobody vouches for, and what it has been sent."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    arguments = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    arguments += ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", str(key)]
    arguments += ["-addext", "subjectAltName=DNS:localhost", "-out", str(certificate)]
    subprocess.run([openssl, *arguments], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    received: list[bytes] = []

    class Server(ThreadingMixIn, TCPServer):
        daemon_threads = True

        @override
        def process_request_thread(self, request: Any, client_address: Any) -> None:
            try:
                with context.wrap_socket(request, server_side=True) as connection:
                    received.append(connection.recv(4096))
            except OSError:
                request.close()

    with Server(("127.0.0.1", 0), None) as server:  # type: ignore[arg-type]
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True
        )
        thread.start()
        yield f"https://localhost:{server.server_address[1]}", received
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "wish",
    [{}, {"verify": False}, {"verify_ssl": False}, {"ssl_verify": False}, {"insecure": True}],
)
def test_certificates_are_checked_whatever_is_set(
    self_signed: tuple[str, list[bytes]],
    monkeypatch: pytest.MonkeyPatch,
    wish: dict[str, bool],
) -> None:
    """No setting and no variable makes the tap talk to a server nobody vouches for."""
    address, received = self_signed
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    config = {"base_url": address, "client_id": "id", "client_secret": SECRET, **wish}
    with (
        MarketoBulk.connect(connection_from(config), clock=Clock(sleep=lambda _: None)) as client,
        pytest.raises(ConfigurationError, match="certificate is not trusted"),
    ):
        client.server_now()
    assert received == []


def test_no_setting_is_about_verification() -> None:
    """There is nothing to switch off."""
    words = ("verif", "ssl", "tls", "insecure", "certificate")
    names = TapMarketoBulk.config_jsonschema["properties"]
    assert [name for name in names if any(word in name for word in words)] == []


def test_wrong_type_of_a_secret_is_named_without_being_quoted(emulator: Emulator) -> None:
    """The validator would show the value."""
    with pytest.raises(ConfigValidationError) as caught:
        TapMarketoBulk(config={**settings_for(emulator), "client_secret": [SECRET]})
    assert caught.value.errors == ["client_secret: give text"]
    assert SECRET not in everything_of(caught.value)
