"""Bad places: what lies where a command reads and writes, and what is not installed for it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from fsspec.registry import _registry

from marketo_emulator import Emulator, Fault
from singer_marketo.run_lock import only_run
from target_marketo_bulk.sending.journal import Journal
from tests.border.commands import MODES, TAP, TARGET, config_file
from tests.tap_runs import NO_RATE_LIMIT, settings_for
from tests.target.runs import people, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.border.commands import Ended

S3 = "s3://bucket/some/where"
NO_S3 = f"{S3!r} cannot be used: its driver s3fs is not installed. Install the extra [s3]"
NOT_READ = "job_journal {folder}/journal/jobs.json cannot be read (%s): it is taken for empty, and "
IN_USE = "another run of this pipeline is under way (process "
DEEP = b"[" * 100_000


def batches(format_: str, root: str) -> dict[str, Any]:
    """Return the config of batch files."""
    return {"batch_config": {"encoding": {"format": format_}, "storage": {"root": root}}}


def batch(*manifest: str, **encoding: object) -> bytes:
    """Return the input of a target whose records are in files."""
    given = {"format": "jsonl", "compression": "none", **encoding}
    message = {"type": "BATCH", "stream": "leads", "encoding": given, "manifest": manifest}
    return singer_lines([]) + json.dumps(message).encode() + b"\n"


def imports(*lines: bytes) -> dict[str, bytes]:
    """Return the folder of rejects with the journal of a dead run."""
    return {"rejects/imports-20260101T000000Z-1-ab.jsonl": b"".join(b"%s\n" % e for e in lines)}


ENTRY = {
    "time": "2999-01-01T00:00:00+00:00",
    "event": "accepted",
    "batch_id": "77",
    "upload": 1,
    "instance": "{address}",
}


def entry(**changes: object) -> bytes:
    """Return a line of a journal of imports, with something else in it."""
    return json.dumps({**ENTRY, **changes}).encode()


@dataclass(frozen=True)
class Case:
    """What is wrong, and the one line it gets: an error and exit code 1, or a warning and 0."""

    plugin: str
    line: str
    config: Mapping[str, Any] = field(default_factory=dict)
    lines: bytes = b""
    files: Mapping[str, bytes] = field(default_factory=dict)
    is_warning: bool = False
    modes: tuple[str, ...] = ()
    """Which other modes get the same line."""


EVERY = ("--test", "--discover")

NOT_INSTALLED = [
    Case(TAP, f"batch_config.storage.root {NO_S3}", batches("jsonl", S3), modes=EVERY),
    Case(TAP, f"archive_url {NO_S3}", {"archive_url": S3}, modes=EVERY),
    Case(TAP, f"replay_url {NO_S3}", {"replay_url": S3}, modes=EVERY),
    Case(TAP, f"job_journal {NO_S3}", {"job_journal": S3}, modes=EVERY),
    Case(
        TAP,
        "batch_config.encoding.format parquet needs pyarrow. Install the extra [parquet]",
        batches("parquet", "there"),
        modes=EVERY,
    ),
    Case(
        TARGET,
        f"the BATCH file {S3!r}: it cannot be read: its driver s3fs is not installed. "
        "Install the extra [s3]",
        lines=batch(S3),
    ),
    Case(TARGET, "needs pyarrow. Install the extra [parquet]", lines=batch(S3, format="parquet")),
]
"""Without the extras [s3] and [parquet]."""

LYING_THERE = [
    *(
        Case(
            TAP,
            NOT_READ % why,
            {"job_journal": "{folder}/journal"},
            files={"journal/jobs.json": content},
            is_warning=True,
        )
        for content, why in [
            (b"{", "JSONDecodeError"),
            (b"\xff\xfe", "UnicodeDecodeError"),
            (b"[]", "AttributeError"),
            (b'{"jobs": {"leads": [{}]}}', "KeyError"),
            (DEEP, "RecursionError"),
            (b'{"version": 2, "jobs": {}}', "its version is 2, and this one is 1"),
        ]
    ),
    *(
        Case(
            TARGET,
            "rejects_path: 1 lines of the journal ",
            lines=singer_lines(people(2)),
            files=imports(line, entry(event="settled")),
            is_warning=True,
        )
        for line in [
            b"{", b"[]", b"5", b"\xff", DEEP, b"{}", entry(time="x"), entry(time="2999-01-01"),
            entry(upload=[]), entry(batch_id="../1"), entry(time=5),
        ]
    ),
    *(
        Case(
            TAP,
            "replay_url: a/b.json is not the manifest of an archived file. Restore it, or take",
            {"replay_url": "{folder}/archive"},
            files={"archive/a/b.json": content},
            modes=EVERY,
        )
        for content in [b"", b"{", b"[]", b"null", b"{}", b"\xff", DEEP, b'{"window": 5}']
    ),
    Case(
        TAP,
        "replay_url holds no export file",
        {"replay_url": "{folder}/empty"},
        files={"empty/readme": b""},
        modes=EVERY,
    ),
    *(
        Case(
            TARGET,
            f"the BATCH file '{{folder}}/b': line {number} is no JSON object",
            lines=batch("{folder}/b"),
            files={"b": content},
        )
        for content, number in [(b"{\n", 1), (b"{}\n[]\n", 2), (b"\n\n\xff", 3), (DEEP, 1)]
    ),
    *(
        Case(
            TARGET,
            f"line 3 of the input: a BATCH message is {words}",
            lines=batch(**{part: value}),
        )
        for part, value, words in [
            ("format", "avro", "in neither of the formats offered, jsonl and parquet"),
            ("format", ["jsonl"], "in neither of the formats offered, jsonl and parquet"),
            ("compression", "zstd", "compressed by something else than gzip"),
            ("compression", ["gzip"], "compressed by something else than gzip"),
        ]
    ),
    *(
        Case(TARGET, f"{place!r}: it cannot be read: {why}", lines=batch(place))
        for place, why in [
            ("foo://x/y", "foo:// is no protocol"),
            ("gs://x/y", "its driver gcsfs is not installed. Install it beside this plugin"),
            ("s3://", "it names no place"),
            ("/nowhere/at/all", "No such file"),
        ]
    ),
    Case(
        TARGET,
        "cannot use /proc/nowhere: No such file or directory. Check rejects_path",
        {"rejects_path": "/proc/nowhere"},
        singer_lines(people(2)),
        modes=("--test",),
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def quiet() -> Iterator[Emulator]:
    """A small emulator that is not changed."""
    with Emulator(programs=1, members=5, options=NO_RATE_LIMIT) as running:
        yield running


@pytest.fixture
def run(
    here: Callable[..., Ended], quiet: Emulator, tmp_path: Path
) -> Callable[[Case, tuple[str, ...]], Ended]:
    """A function that runs the command of a case."""

    def command(case: Case, mode: tuple[str, ...]) -> Ended:
        for name, content in case.files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content.replace(b"{address}", quiet.base_url.encode()))
        of_target = {"rejects_path": "{folder}/rejects"} if case.plugin == TARGET else {}
        given = {**settings_for(quiet), "max_retry_seconds": 0.1, **of_target, **case.config}
        config = json.loads(json.dumps(given).replace("{folder}", str(tmp_path)))
        lines = case.lines.replace(b"{folder}", str(tmp_path).encode())
        return here(case.plugin, "--config", config_file(tmp_path, config), *mode, lines=lines)

    return command


def hold(case: Case, ended: Ended, folder: Path) -> None:
    """Hold that the case got its line, and no other."""
    line = case.line.replace("{folder}", str(folder))
    if case.is_warning:
        assert (ended.code, ended.errors) == (0, []), ended
        (warning,) = ended.warnings
        assert line in warning
        ended.assert_nothing_unhandled()
    else:
        ended.assert_one_error(line)
        assert not ended.warnings


@pytest.mark.fault(
    "T5.13",
    "an address of S3 without the extra [s3], Parquet without [parquet]",
    "one line that names the setting and the extra, before any call; exit code 1",
)
@pytest.mark.parametrize("case", NOT_INSTALLED)
def test_an_extra_that_is_not_installed_is_named(
    run: Callable[..., Ended],
    quiet: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: Case,
) -> None:
    """A setting is refused in every mode, before anything is asked of Marketo."""
    for name in ("s3fs", "pyarrow"):
        monkeypatch.setitem(sys.modules, name, None)
    # It keeps the drivers it has loaded.
    monkeypatch.delitem(_registry, "s3", raising=False)
    asked = len(quiet.requests)
    hold(case, run(case, ()), tmp_path)
    assert case.plugin == TARGET or len(quiet.requests) == asked
    hold_other_modes(run, case, tmp_path)


@pytest.mark.fault(
    "T5.14",
    "a journal, an archive or a BATCH file that is corrupt, of another version, or of no format",
    "one line that names the file; what a run can do without is a warning, and the run goes on",
)
@pytest.mark.parametrize("case", LYING_THERE)
def test_what_lies_there_and_is_something_else_is_one_line(
    run: Callable[..., Ended], tmp_path: Path, case: Case
) -> None:
    """Whatever is in the file, none of it is in the line."""
    hold(case, run(case, ()), tmp_path)
    hold_other_modes(run, case, tmp_path)


def hold_other_modes(run: Callable[..., Ended], case: Case, folder: Path) -> None:
    """Hold that other modes say the same, or nothing."""
    for mode in MODES[case.plugin]:
        ended = run(case, mode)
        if mode[0] in case.modes:
            hold(case, ended, folder)
        else:
            assert (ended.code, ended.errors, ended.warnings) == (0, [], []), mode


@pytest.mark.parametrize("mode", [(), *MODES[TAP]])
def test_a_lock_that_another_run_of_the_tap_holds_is_one_line(
    run: Callable[..., Ended],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: tuple[str, ...],
) -> None:
    """It is waited for, and then refused; a catalog and a test make no jobs."""
    monkeypatch.setattr("singer_marketo.run_lock.WAIT_SECONDS", 0.05)
    with only_run(tmp_path / "journal", "job_journal"):
        ended = run(Case(TAP, "", {"job_journal": "{folder}/journal"}), mode)
    if mode:
        assert (ended.code, ended.errors, ended.warnings) == (0, [], [])
    else:
        ended.assert_one_error(IN_USE, f"lock {tmp_path}/journal/lock", "its own job_journal")
        (warning,) = ended.warnings
        assert warning.startswith(IN_USE)


def test_a_journal_that_another_run_of_the_target_holds_is_left_to_it(
    run: Callable[..., Ended], quiet: Emulator, tmp_path: Path
) -> None:
    """Two loads into one folder do not disturb each other."""
    alive = Journal(tmp_path / "rejects", "alive", instance=quiet.base_url)
    alive.accepted("77")
    ended = run(Case(TARGET, "", lines=singer_lines(people(2))), ())
    assert (ended.code, ended.errors, ended.warnings) == (0, [], [])
    assert alive.path.exists()
    alive.close()


def test_a_state_directory_that_cannot_be_written_is_a_warning(
    run: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal is nothing a run cannot do without, where nobody has asked for it."""
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    ended = run(Case(TAP, ""), ())
    assert (ended.code, ended.errors) == (0, [])
    assert "jobs under way are not noted outside STATE: /proc/nowhere" in ended.warnings[0]
    ended.assert_nothing_unhandled()


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "\x00", "[" * 100_000, '{"result": 5}'])
@pytest.mark.parametrize("plugin", [TAP, TARGET])
def test_an_answer_to_describe_that_is_none_is_one_line(
    here: Callable[..., Ended], tmp_path: Path, plugin: str, body: str
) -> None:
    """In every mode that asks."""
    operation = "describe.leads" if plugin == TARGET else "describe.members"
    with Emulator(programs=1, members=5, options=NO_RATE_LIMIT) as emulator:
        emulator.faults.add(Fault(operation=operation, body=body, times=None))
        more = {"rejects_path": str(tmp_path / "r")} if plugin == TARGET else {}
        given = settings_for(emulator, {"max_retry_seconds": 0.1, **more})
        config = config_file(tmp_path, given)
        for mode in ((), *MODES[plugin]):
            ended = here(plugin, "--config", config, *mode, lines=singer_lines(people(2)))
            ended.assert_one_error("describe")
