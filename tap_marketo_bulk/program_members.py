"""Program members: the stream, and which of its fields a run asks Marketo for."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import StateMessage
from typing_extensions import override

from tap_marketo_bulk.bookmarks import REPLICATION_KEY
from tap_marketo_bulk.discovery import LEAD_ID, PROGRAM_ID, MemberFields, column_of
from tap_marketo_bulk.member_sync import MemberSelection, MemberSync
from tap_marketo_bulk.record_loop import BulkStream, Extract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.singerlib import MetadataMapping

    from tap_marketo_bulk.run_tally import RunTally
    from tap_marketo_bulk.tap import TapMarketoBulk


class ProgramMembers(BulkStream):
    """Memberships of leads in programs, incremental by `updatedAt`."""

    name = "program_members"
    primary_keys = (LEAD_ID, PROGRAM_ID)
    replication_key = REPLICATION_KEY

    def __init__(self, tap: TapMarketoBulk, fields: MemberFields) -> None:
        super().__init__(tap, schema=fields.schema())
        self._fields = fields
        self._marketo_tap = tap
        self._sync: MemberSync | None = None
        self._is_leaving = False

    @property
    @override
    def metadata(self) -> MetadataMapping:
        """Return the catalog metadata: lead fields are there, but not selected by default."""
        fresh = self._metadata is None
        metadata = super().metadata
        if fresh and self._tap_input_catalog is None:
            for field in self._fields.lead:
                metadata["properties", field.name].selected_by_default = False
        return metadata

    @override
    def extracts(self) -> Iterator[Extract]:
        limited = self.ABORT_AT_RECORD_COUNT is not None
        incremental = self.replication_method == "INCREMENTAL"
        tap = self._marketo_tap
        self._sync = sync = MemberSync(
            tap.client,
            tap.settings,
            MemberSelection(self._columns(), incremental=incremental),
            self.stream_state,
            self._save_state,
            tap.timing,
        )
        directory = tap.settings.download_dir or Path(tempfile.gettempdir())
        with sync.tally.waiting():
            programs = tap.members_programs()
        yield from sync.extracts(programs, directory, keep_jobs=incremental and not limited)
        self._sync = None
        self._report(sync.tally)

    def _report(self, tally: RunTally) -> None:
        calls = self._marketo_tap.client.calls_made
        self.logger.info("%s", tally.line(calls))
        for point in tally.points(calls, self.name):
            self._log_metric(point)

    @override
    def leave(self) -> None:
        if self._sync is None:
            return
        self._is_leaving = True
        self._sync.leave()
        if not self.state_manager.is_flushed:
            # Past the SDK's writer, which keeps back a STATE that has been said before, even
            # though records have come since.
            self._tap.message_writer.write_message(StateMessage(value=self.tap_state))
            self.state_manager.is_flushed = True
        self._report(self._sync.tally)

    def _columns(self) -> tuple[Any, ...]:
        """Return the columns of the record: the selected properties the catalog still has.

        A field that discovery finds but the given catalog does not know has no place in SCHEMA.
        """
        labels = self._fields.labels()
        known = self.effective_schema["properties"]
        gone = sorted(set(known) - set(self.schema["properties"]))
        if gone:
            self.logger.warning(
                "The catalog has fields this Marketo instance does not list; records come without: "
                "%s",
                ", ".join(gone),
            )
        wanted = [n for n in self.schema["properties"] if n in known and self.mask["properties", n]]
        left_out = [field.name for field in self._fields.member if field.name not in wanted]
        if left_out:
            self.logger.info("Member fields not selected: %s", ", ".join(left_out))
        return tuple(column_of(name, known[name], labels[name]) for name in wanted)

    def _save_state(self, state: dict[str, Any]) -> None:
        with self._marketo_tap.uninterrupted():
            current = self.stream_state
            current.clear()
            current.update(state)
            self.state_manager.is_flushed = False
            if not self._is_leaving:
                self._write_state_message()
