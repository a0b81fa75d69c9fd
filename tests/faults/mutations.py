"""Mutations: ways to break the code, and the tests that notice.

    python tests/faults/mutations.py            apply each to a copy and run its tests
    python tests/faults/mutations.py --only 3   one of them

Each is a change a hurried hand might make. The copy lies in a temporary directory; the work tree
is never touched. Exit code 0 only if every mutation was caught.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("marketo_bulk", "marketo_emulator", "tap_marketo_bulk", "target_marketo_bulk", "tests")
TEST_SECONDS_MAX = 60
"""Some mutations are waited for without end: a test that hangs has seen it."""

SECONDS_MAX = 300


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change of one file, and the test that must fail after it."""

    what: str
    path: str
    old: str
    new: str
    test: str


MUTATIONS = (
    Mutation(
        "skip the checksum",
        "marketo_bulk/download.py",
        "            return self._part.sha256 != self._job.file_checksum\n",
        "            return False\n",
        "tests/client/test_download.py",
    ),
    Mutation(
        "go on where a ranged request is answered 200",
        "marketo_bulk/download.py",
        '            self._restart("range ignored")\n',
        "            pass\n",
        "tests/client/test_download.py",
    ),
    Mutation(
        "advance the bookmark before the records are written",
        "tap_marketo_bulk/record_loop.py",
        "                for rows in chunks:\n",
        "                extract.written()\n                for rows in chunks:\n",
        "tests/end_to_end/test_incremental_sync.py",
    ),
    Mutation(
        "drop the check for short rows",
        "marketo_bulk/delimited.py",
        "        if set(map(len, rows)) - {self._width}:\n",
        "        if False:\n",
        "tests/client/test_delimited.py",
    ),
    Mutation(
        "read `1` as false",
        "marketo_bulk/values.py",
        '    "true": True, "1": True, ',
        '    "true": True, "1": False, ',
        "tests/client/test_values.py",
    ),
    Mutation(
        "treat a failed job as pending",
        "marketo_bulk/job_runner.py",
        "            case ExportStatus.FAILED:\n",
        "            case ExportStatus.FAILED if False:\n",
        "tests/end_to_end/test_refusals.py",
    ),
    Mutation(
        "begin each window a second after the last",
        "tap_marketo_bulk/windows.py",
        "        start = border\n",
        "        start = border + ONE_SECOND\n",
        "tests/tap/test_windows.py",
    ),
    Mutation(
        "end the last window at Marketo's present second",
        "tap_marketo_bulk/member_sync.py",
        "SETTLING = timedelta(seconds=60)\n",
        "SETTLING = timedelta(seconds=0)\n",
        "tests/end_to_end/test_incremental_sync.py",
    ),
    Mutation(
        "take over a job that leaves a gap behind the bookmark",
        "tap_marketo_bulk/adoption.py",
        "job.window.start <= s < end",
        "s < end",
        "tests/tap/test_adoption.py",
    ),
    Mutation(
        "write windows of a program in any order",
        "tap_marketo_bulk/plan.py",
        "return other.sequence < self.sequence and",
        "return False and",
        "tests/tap/test_plan.py",
    ),
    Mutation(
        "skip the whole batch when one program of it is gone",
        "tap_marketo_bulk/member_exports.py",
        "        if len(work.program_ids) > 1:\n",
        "        if False:\n",
        "tests/end_to_end/test_refusals.py",
    ),
    Mutation(
        "take a full queue for the daily quota",
        "marketo_bulk/codes.py",
        r'    (re.compile(r"daily\s+quota", re.IGNORECASE), _QUOTA),',
        r'    (re.compile(""), _QUOTA),',
        "tests/client/test_codes.py",
    ),
    Mutation(
        "leave with exit code 0 on a signal",
        "tap_marketo_bulk/tap.py",
        "        exit_code = 128 + signum\n",
        "        exit_code = 0\n",
        "tests/end_to_end/test_command_line.py",
    ),
    Mutation(
        "pass STATE on before its imports are complete",
        "target_marketo_bulk/state_gate.py",
        "        while self._held and self._held[0][1] < first_unsettled:\n",
        "        while self._held:\n",
        "tests/target/test_state_gate.py",
    ),
    Mutation(
        "renew the token for ever",
        "marketo_bulk/caller.py",
        "                if refused:\n                    raise\n",
        "",
        "tests/client/test_caller.py",
    ),
    Mutation(
        "let a STATE out that only its predecessors' imports vouch for",
        "target_marketo_bulk/state_gate.py",
        "self._held[0][1] < first_unsettled:\n",
        "self._held[0][1] <= first_unsettled:\n",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "send a file although another with one of its leads is under way",
        "target_marketo_bulk/imports.py",
        "each.upload is not None and each.upload.file.keys.isdisjoint(keys)",
        "each.upload is not None",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "count a reject as imported",
        "target_marketo_bulk/outcomes.py",
        "max(0, file.rows - rejected)",
        "file.rows",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "begin without waiting for what a killed run left",
        "target_marketo_bulk/imports.py",
        "        for batch_id in journal.take_over():\n",
        "        for batch_id in ():\n",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "keep no journal",
        "target_marketo_bulk/imports.py",
        "        self._journal.accepted(job.batch_id, rows=upload.file.rows)\n",
        "",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "let a bookmark pass an older job still to be written",
        "tap_marketo_bulk/member_sync.py",
        "        return None if reached is None else min((reached, *known))\n",
        "        return reached\n",
        "tests/simulation/test_findings.py",
    ),
    Mutation(
        "make a row of a deletion that comes among other records",
        "target_marketo_bulk/sinks.py",
        "        if DELETED_AT in names and any(",
        "        if any(False and ",
        "tests/target/test_target.py",
    ),
    Mutation(
        "let STATE go before the rejects are on disk",
        "target_marketo_bulk/load.py",
        "            self.log.sync()\n            self._gate.release()\n",
        "            self._gate.release()\n",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "take a lost reply for success",
        "target_marketo_bulk/imports.py",
        "self._pending.appendleft(upload)\n            self._send_again(upload, error)\n",
        "self._end_part(upload.file)\n",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "settle a file when the first of its halves is imported",
        "target_marketo_bulk/imports.py",
        "        self._parts[file.unit] += 1\n        self._pending.extendleft",
        "        self._pending.extendleft",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "hand a newer file over before an older one with the same lead",
        "target_marketo_bulk/spool.py",
        "            if not older.folded_keys.isdisjoint(file.folded_keys):\n",
        "            if False:\n",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "compare lookup values with their case and blanks",
        "target_marketo_bulk/keys.py",
        "    return text.strip().casefold()\n",
        "    return text\n",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "send one file too many at once",
        "target_marketo_bulk/imports.py",
        "len(self._running) >= self._most_running:",
        "len(self._running) > self._most_running:",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "drop the rows of an import that failed twice",
        "target_marketo_bulk/imports.py",
        """        self._outcomes.reject_all(
            upload.file, f"the import failed: {message}", batch_id=job.batch_id
        )
""",
        "",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "send a file whose import failed after the one behind it",
        "target_marketo_bulk/imports.py",
        "        if upload.failures < FAILED_MAX:\n            self._pending.appendleft(upload)\n",
        "        if upload.failures < FAILED_MAX:\n            self._pending.append(upload)\n",
        "tests/target_simulation/test_target_schedules.py",
    ),
)


def apply(mutation: Mutation, directory: Path) -> None:
    """Change the file of a copy.

    Raises: ValueError if the code is not (only) where the mutation looks for it.
    """
    path = directory / mutation.path
    text = path.read_text()
    if text.count(mutation.old) != 1:
        raise ValueError(f"{mutation.what}: {mutation.path} has moved on; adapt the mutation")
    path.write_text(text.replace(mutation.old, mutation.new))


def is_caught(mutation: Mutation) -> bool:
    """Return whether the mutation's tests fail on a copy that has it."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        directory = Path(name)
        for folder in COPIED:
            shutil.copytree(
                ROOT / folder, directory / folder, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copy(ROOT / "pyproject.toml", directory)
        apply(mutation, directory)
        limit = f"--timeout={TEST_SECONDS_MAX}"
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", limit]
        done = subprocess.run(  # our own tests
            [*command, mutation.test],
            check=False,
            cwd=directory,
            capture_output=True,
            timeout=SECONDS_MAX,
        )
        return done.returncode == 1


def table() -> str:
    """Return the mutations as a Markdown table."""
    lines = ["| Broken on purpose | In | Caught by |", "| --- | --- | --- |"]
    lines += [f"| {m.what} | `{m.path}` | `{m.test}` |" for m in MUTATIONS]
    return "\n".join(lines)


def main() -> int:
    """Apply the mutations one by one and say which were caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=int, help="number of one mutation, counted from 1")
    only = parser.parse_args().only
    missed = 0
    for number, mutation in enumerate(MUTATIONS, 1):
        if only not in {None, number}:
            continue
        caught = is_caught(mutation)
        missed += not caught
        sys.stdout.write(f"{number:>2} {'caught' if caught else 'MISSED'}  {mutation.what}\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
