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
COPIED = (
    *("marketo_bulk", "marketo_emulator", "singer_marketo"),
    *("tap_marketo_bulk", "target_marketo_bulk", "tests"),
)
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
        "marketo_bulk/exports/download.py",
        "            return self._part.sha256 != self._job.file_checksum\n",
        "            return False\n",
        "tests/client/test_download.py",
    ),
    Mutation(
        "go on where a ranged request is answered 200",
        "marketo_bulk/exports/download.py",
        '            self._restart("range ignored")\n',
        "            pass\n",
        "tests/client/test_download.py",
    ),
    Mutation(
        "advance the bookmark before the records are written",
        "tap_marketo_bulk/output/record_loop.py",
        "                for rows in self._chunks(extract):\n",
        "                extract.written()\n                for rows in self._chunks(extract):\n",
        "tests/end_to_end/test_incremental_sync.py",
    ),
    Mutation(
        "drop the check for short rows",
        "marketo_bulk/reader/delimited.py",
        "        if set(map(len, rows)) - {self.width}:\n",
        "        if False:\n",
        "tests/client/test_delimited.py",
    ),
    Mutation(
        "read `1` as false",
        "marketo_bulk/reader/values.py",
        '    "true": True, "1": True, ',
        '    "true": True, "1": False, ',
        "tests/client/test_values.py",
    ),
    Mutation(
        "treat a failed job as pending",
        "marketo_bulk/scheduling/runner.py",
        "            case ExportStatus.FAILED:\n",
        "            case ExportStatus.FAILED if False:\n",
        "tests/end_to_end/test_refusals.py",
    ),
    Mutation(
        "begin each window a second after the last",
        "tap_marketo_bulk/sync/windows.py",
        "        start = border\n",
        "        start = border + ONE_SECOND\n",
        "tests/tap/test_windows.py",
    ),
    Mutation(
        "end the last window at Marketo's present second",
        "tap_marketo_bulk/sync/times.py",
        "SETTLING = timedelta(seconds=60)\n",
        "SETTLING = timedelta(seconds=0)\n",
        "tests/end_to_end/test_incremental_sync.py",
    ),
    Mutation(
        "take over a job that leaves a gap behind the bookmark",
        "tap_marketo_bulk/sync/adoption.py",
        "window.start <= s < end",
        "s < end",
        "tests/tap/test_takeover.py",
    ),
    Mutation(
        "write windows of a program in any order",
        "tap_marketo_bulk/sync/plan.py",
        "return other.sequence < self.sequence and",
        "return False and",
        "tests/tap/test_plan.py",
    ),
    Mutation(
        "skip the whole batch when one program of it is gone",
        "tap_marketo_bulk/streams/program_members.py",
        "        if len(work.scope) > 1:\n",
        "        if False:\n",
        "tests/end_to_end/test_refusals.py",
    ),
    Mutation(
        "take a full queue for the daily quota",
        "marketo_bulk/http/error_codes/answers.py",
        r're.compile(r"daily\s+quota", re.IGNORECASE),',
        r're.compile(""),',
        "tests/client/test_error_codes.py",
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
        "target_marketo_bulk/outcomes/state_gate.py",
        "        while self._held and self._held[0][1] < first_unsettled:\n",
        "        while self._held:\n",
        "tests/target/test_state_gate.py",
    ),
    Mutation(
        "renew the token for ever",
        "marketo_bulk/http/caller.py",
        "                retries.wait_or_raise(refusal, request)\n                renewed = ",
        "                renewed = ",
        "tests/client/test_caller.py",
    ),
    Mutation(
        "renew the token once",
        "marketo_bulk/http/caller.py",
        "            if renewed is not None:\n",
        "            if renewed is not None:\n                raise refusal\n",
        "tests/client/test_caller.py",
    ),
    Mutation(
        "create a job again because the disk is full",
        "marketo_bulk/scheduling/runner.py",
        " or not error.job_at_fault:\n",
        ":\n",
        "tests/faults/test_local.py",
    ),
    Mutation(
        "believe a count of zero over a checksum",
        "marketo_bulk/exports/empty.py",
        "        return job.file_checksum in _digests_without_rows(request)\n",
        "        return True\n",
        "tests/client/test_empty_exports.py",
    ),
    Mutation(
        "end the run because the list of jobs fails",
        "marketo_bulk/scheduling/poller.py",
        "            self._on_failed_list(export_object, error)\n            return\n",
        "            raise error\n",
        "tests/client/test_poller.py",
    ),
    Mutation(
        "wait for a call that hangs, though told to stop",
        "marketo_bulk/http/transport.py",
        "                adapter.sockets.shut_down(for_good=for_good)\n",
        "                pass\n",
        "tests/client/test_abandoning.py",
    ),
    Mutation(
        "let a STATE out that only its predecessors' imports vouch for",
        "target_marketo_bulk/outcomes/state_gate.py",
        "self._held[0][1] < first_unsettled:\n",
        "self._held[0][1] <= first_unsettled:\n",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "send a file although another with one of its leads is under way",
        "target_marketo_bulk/sending/running_imports.py",
        "each.upload is None or each.upload.file.may_meet(file) for",
        "each.upload is None for",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "count a reject as imported",
        "target_marketo_bulk/outcomes/outcomes.py",
        "max(0, file.rows - rejected)",
        "file.rows",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "begin without waiting for what a killed run left",
        "target_marketo_bulk/sending/import_queue.py",
        "        for batch_id in batch_ids:\n",
        "        for batch_id in ():\n",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "keep no journal",
        "target_marketo_bulk/sending/import_queue.py",
        """        self._journal.accepted(
            job.batch_id,
            rows=upload.file.rows,
            upload=upload.number,
            object_name=upload.file.layout.destination.object.name,
        )
""",
        "",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "let a bookmark pass an older job still to be written",
        "tap_marketo_bulk/sync/stream_run.py",
        "        return None if reached is None else min((reached, *known))\n",
        "        return reached\n",
        "tests/simulation/test_findings.py",
    ),
    Mutation(
        "make a row of a deletion that comes among other records",
        "target_marketo_bulk/sinks.py",
        "    if DELETED_AT not in records[0]:\n",
        "    if True:\n",
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
        "send at once although an earlier run was killed in an upload",
        "target_marketo_bulk/sending/unconfirmed.py",
        "UNCONFIRMED_WAIT_POLLS = 60\n",
        "UNCONFIRMED_WAIT_POLLS = 0\n",
        "tests/target/test_unconfirmed.py",
    ),
    Mutation(
        "send later rows of a lead in the first round of files",
        "target_marketo_bulk/files/chains.py",
        "                number += rank <= last\n",
        "",
        "tests/target/test_spool.py",
    ),
    Mutation(
        "count a row that is reported twice as two",
        "target_marketo_bulk/outcomes/outcomes.py",
        "            rows += not finding.is_repeat\n            repeats",
        "            rows += 1\n            repeats",
        "tests/target/test_import_queue.py",
    ),
    Mutation(
        "take a lost reply for success",
        "target_marketo_bulk/sending/import_queue.py",
        "            self._send_again(upload, error)\n",
        "            self._end_part(self._pending.popleft().file)\n",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "settle a file when the first of its halves is imported",
        "target_marketo_bulk/sending/import_queue.py",
        "        self._units.halve(file)\n",
        "",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "hand a newer file over before an older one with the same lead",
        "target_marketo_bulk/files/chains.py",
        "                if earlier.unit not in found:\n",
        "                if False:\n",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "compare lookup values with their case and blanks",
        "target_marketo_bulk/records/lookup_keys.py",
        "    return text.strip().casefold()\n",
        "    return text\n",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "send one file too many at once",
        "target_marketo_bulk/sending/import_queue.py",
        "len(self._running) < self._settings.max_queued_imports",
        "len(self._running) <= self._settings.max_queued_imports",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "drop the rows of an import that failed twice",
        "target_marketo_bulk/sending/running_imports.py",
        """        self._outcomes.reject_all(
            upload.file,
            f"the import failed: {message}",
            batch_id=job.batch_id,
            shown=f"the import failed: {why}",
        )
""",
        "",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "send a file whose import failed after the one behind it",
        "target_marketo_bulk/sending/import_queue.py",
        "            send_again=self._pending.appendleft,\n",
        "            send_again=self._pending.append,\n",
        "tests/target_simulation/test_target_schedules.py",
    ),
    Mutation(
        "show the log what Marketo says of a row",
        "target_marketo_bulk/outcomes/rejects.py",
        "shown or reason_class(reason, record)",
        "shown or reason",
        "tests/target/test_privacy.py",
    ),
    Mutation(
        "quote a cell in an error",
        "marketo_bulk/reader/row_reader.py",
        "{_described(value)} is no",
        "{value!r} is no",
        "tests/client/test_row_reader.py",
    ),
    Mutation(
        "let a stream map's fault out as it is",
        "singer_marketo/stream_maps.py",
        "            fault = type(error.__cause__ or error).__name__\n",
        "            raise\n",
        "tests/target/test_privacy.py",
    ),
    Mutation(
        "take the records of a BATCH around the stream maps",
        "target_marketo_bulk/target.py",
        'self._take_records([{"stream": stream, "record": record} for record in records])',
        "self._sinks_active[stream].process_batch({'records': records})",
        "tests/target/test_batches.py",
    ),
    Mutation(
        "cut a time of day off for a date field",
        "target_marketo_bulk/records/cell_text.py",
        '    if time.strip("0:"):\n',
        "    if not time:\n",
        "tests/target/test_values.py",
    ),
    Mutation(
        "take what is no boolean for false",
        "singer_marketo/setting_values.py",
        '        raise UnfitValueError("give true or false")\n',
        "        return False\n",
        "tests/border/test_setting_values.py",
    ),
    Mutation(
        "take any number for a setting",
        "singer_marketo/setting_values.py",
        '        and number <= declared.get("maximum", number)\n',
        "",
        "tests/border/test_setting_values.py",
    ),
    Mutation(
        "take a state of another shape for none",
        "tap_marketo_bulk/tap.py",
        "        check_state(state)\n",
        "",
        "tests/border/test_files.py",
    ),
    Mutation(
        "take a fault of the check for a verdict",
        "target_marketo_bulk/records/validator.py",
        "            self._faulty.judge(doubtful, error)\n",
        "            raise InvalidRecord(str(error), record) from error\n",
        "tests/border/test_messages.py",
    ),
    Mutation(
        "delete every file in the folder of a dry run that looks like one of its own",
        "target_marketo_bulk/sending/dry_run.py",
        "path.is_file() and not path.is_symlink() and path.stat().st_size == size_bytes",
        "path.exists()",
        "tests/border/test_dry_run_folder.py",
    ),
    Mutation(
        "pass on STATE with NaN as null",
        "target_marketo_bulk/outcomes/state_gate.py",
        "            json.dumps(state, allow_nan=False, default=str)\n",
        "            pass\n",
        "tests/border/test_state_lines.py",
    ),
    Mutation(
        "believe a bookmark that lies ahead of Marketo's clock",
        "tap_marketo_bulk/sync/clock_check.py",
        "        return [s if s.bookmark <= end else s._replace(bookmark=end) for s in segments]\n",
        "        return list(segments)\n",
        "tests/faults/test_state.py",
    ),
    Mutation(
        "forget the bookmarks of programs a run does not list",
        "tap_marketo_bulk/sync/state.py",
        "            if kept[bookmark]:\n",
        "            if kept is None:\n",
        "tests/faults/test_state.py",
    ),
    Mutation(
        "say nothing of fields the last run did not ask for",
        "tap_marketo_bulk/sync/asked.py",
        "if _digest(name) not in known)",
        "if _digest(name) in known)",
        "tests/faults/test_state.py",
    ),
    Mutation(
        "forget in the middle that new fields are to get their history",
        "tap_marketo_bulk/sync/asked.py",
        "        return replace(self, backfill=before.backfill)\n",
        "        return replace(self, backfill=None)\n",
        "tests/end_to_end/test_backfill_new_fields.py",
    ),
    Mutation(
        "take a job that is listed twice for two",
        "tap_marketo_bulk/sync/jobs_in_flight.py",
        "jobs.setdefault(job.export_id, job)",
        'jobs.setdefault(f"{job.export_id}{len(jobs)}", job)',
        "tests/faults/test_state.py",
    ),
    Mutation(
        "plan windows before a program was created",
        "tap_marketo_bulk/sync/plan.py",
        "    return grid_start(start, earliest, rules.length)\n",
        "    return start\n",
        "tests/tap/test_plan.py",
    ),
    Mutation(
        "take a text for the number that its column says",
        "tap_marketo_bulk/streams/activity_rows.py",
        "    return not text.translate(None, numerals)\n",
        "    return True\n",
        "tests/tap/test_activity_rows.py",
    ),
    Mutation(
        "forget attributes that the type of an activity does not list",
        "tap_marketo_bulk/streams/activity_rows.py",
        "        forbid_unknown_fields=not takes_others,\n",
        "        forbid_unknown_fields=False,\n",
        "tests/tap/test_activity_rows.py",
    ),
    Mutation(
        "count cells of objects by whether any could be read",
        "marketo_bulk/reader/json_cells.py",
        "    if len(objects) == len(cells):\n",
        "    if objects:\n",
        "tests/client/test_json_cells.py",
    ),
    Mutation(
        "hand half a surrogate pair on",
        "marketo_bulk/reader/json_cells.py",
        "        return _encodable(found)\n",
        "        return found\n",
        "tests/client/test_json_cells.py",
    ),
    Mutation(
        "read activities without looking back",
        "tap_marketo_bulk/streams/activities.py",
        "        return settings.activity_overlap\n",
        "        return timedelta(0)\n",
        "tests/end_to_end/test_activities.py",
    ),
    Mutation(
        "leave an object where flattening has made its column a text",
        "tap_marketo_bulk/output/record_loop.py",
        'stream_map.transformed_schema["properties"] == stream_map.raw_schema["properties"]',
        "True",
        "tests/end_to_end/test_activities.py",
    ),
    Mutation(
        "archive activities without the names of their types",
        "tap_marketo_bulk/streams/export_stream.py",
        "            activity_types=self.description.activity_types,\n",
        "            activity_types=(),\n",
        "tests/end_to_end/test_activity_outputs.py",
    ),
    Mutation(
        "archive files without the key of their records",
        "tap_marketo_bulk/streams/export_stream.py",
        "            key=self.description.keys,\n",
        "            key=(),\n",
        "tests/end_to_end/test_archived_objects.py",
    ),
    Mutation(
        "put a null where Marketo refuses a column of activities",
        "tap_marketo_bulk/streams/activity_streams.py",
        "            base = tuple(name for name in self._base if name in columns)\n",
        "            columns = {**dict.fromkeys(self._base, objects), **columns}\n"
        "            base = tuple(self._base)\n",
        "tests/end_to_end/test_every_stream.py",
    ),
    Mutation(
        "end deletions at the first page that is empty",
        "marketo_bulk/activities/pages.py",
        "        if not page.more_result:\n",
        "        if not page.more_result or not page.activities:\n",
        "tests/client/test_activities.py",
    ),
    Mutation(
        "take the refusal of a list of leads for one of their date filter",
        "tap_marketo_bulk/streams/leads.py",
        "        if work.only is not None:\n",
        "        if False:\n",
        "tests/end_to_end/test_lead_loads.py",
    ),
    Mutation(
        "read records of a custom object from this run on",
        "tap_marketo_bulk/streams/custom_objects.py",
        "        return None if made is None else min(made, now) - CREATION_MARGIN\n",
        "        return None if made is None else now - CREATION_MARGIN\n",
        "tests/end_to_end/test_custom_objects.py",
    ),
    Mutation(
        "cut cells at quotes that stand at no border",
        "marketo_bulk/reader/block_splitter.py",
        "_DOUBLED in plain or not are_at_borders(outside, delimiter)",
        "_DOUBLED in plain",
        "tests/client/test_block_splitter.py",
    ),
    Mutation(
        "tell who is gone wherever the name of the stream stands",
        "tap_marketo_bulk/tap.py",
        "sorted(streams.items(), key=lambda item: item[1].tells_of_gone)",
        "sorted(streams.items())",
        "tests/end_to_end/test_late_deletions.py",
    ),
    Mutation(
        "forget programs that a walk has missed, without asking for them",
        "tap_marketo_bulk/streams/program_walk.py",
        "    missed = sorted(programs.keys() - seen)\n",
        "    missed: list[int] = []\n    programs = {i: programs[i] for i in seen}\n",
        "tests/tap/test_program_walk.py",
    ),
    Mutation(
        "name batch files of every run's deletions alike",
        "tap_marketo_bulk/streams/deleted_leads.py",
        "        return (format_timestamp(start),)\n",
        '        return ("all",)\n',
        "tests/end_to_end/test_batch_names.py",
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
