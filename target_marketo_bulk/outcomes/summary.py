"""Summary: what a run has counted, and how it is told."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from singer_sdk.metrics import Point

if TYPE_CHECKING:
    from target_marketo_bulk.outcomes.rejects import RejectLog


TOP_REASONS = 3
MEGABYTE = 1_000_000


class ImportMetric(str, enum.Enum):
    """The figures of a summary, beside the SDK's `Metric`."""

    RECORDS = "import_records"
    REPLACED = "import_replaced"
    DELETIONS = "import_deletions"
    WAITING_SECONDS = "import_waiting_seconds"
    WORKING_SECONDS = "import_working_seconds"
    FILES = "import_files"
    BYTES = "import_bytes"
    IMPORTED = "import_imported"
    SENT_AGAIN = "import_sent_again"
    HALVED = "import_halved"
    UNKNOWN = "import_unknown"
    WITH_WARNINGS = "import_with_warnings"
    REJECTED = "import_rejected"
    REJECTED_BEFORE = "import_rejected_before"
    REJECTED_PERCENT = "import_rejected_percent"
    CALLS = "import_calls"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did; made when it is over."""

    tally: Tally
    rejected: int
    rejected_before: int
    """Those of them that earlier runs rejected, too, for the same reason."""
    rejects_path: str
    with_warnings: int
    calls: int
    top_reasons: list[tuple[str, int]]
    is_dry_run: bool
    noun: str
    """What the records are, in one word."""

    @classmethod
    def of(
        cls, tally: Tally, log: RejectLog, *, calls: int, is_dry_run: bool, noun: str
    ) -> Summary:
        """Return the summary of what was counted."""
        return cls(
            tally,
            log.rejected_rows,
            log.rows_rejected_before(),
            str(log.rejects.path),
            log.warned_rows,
            calls,
            log.top_reasons(TOP_REASONS),
            is_dry_run,
            noun,
        )

    @property
    def rejected_now(self) -> int:
        """Rows that no earlier run has rejected for the same reason."""
        return self.rejected - self.rejected_before

    @property
    def rejected_percent(self) -> float:
        """Share of the rejected among all rows whose outcome is known; 0 if there are none.

        Rows that were rejected before for the same reason are left out.
        """
        rows = self.tally.imported + self.rejected_now
        return 100 * self.rejected_now / rows if rows else 0.0

    def counts(self) -> dict[str, float]:
        """Return every figure."""
        return {
            **asdict(self.tally),
            "with_warnings": self.with_warnings,
            "rejected": self.rejected,
            "rejected_before": self.rejected_before,
            "rejected_percent": self.rejected_percent,
            "calls": self.calls,
        }

    def as_pairs(self) -> str:
        """Return `key=value` pairs."""
        return " ".join(f"{name}={round(value, 2)}" for name, value in self.counts().items())

    def points(self) -> list[Point[float]]:
        """Return the same figures as metrics of the SDK's kind."""
        counts = self.counts()
        return [
            Point("counter", metric, round(counts[metric.name.lower()], 3))  # type: ignore[arg-type]  # an enum like the SDK's
            for metric in ImportMetric
        ]

    def as_sentence(self) -> str:
        """Return the same for a reader in a hurry."""
        tally = self.tally
        verb = "would be imported" if self.is_dry_run else "imported"
        parts = [f"{tally.imported:,} of {tally.records:,} records {verb} in {tally.files} files"]
        if self.with_warnings:
            parts.append(f"{self.with_warnings:,} of them with warnings")
        if self.rejected:
            parts.append(
                f"{self.rejected:,} rejected ({self._reasons()}), all in {self.rejects_path}"
            )
        if self.rejected_before:
            parts.append(
                f"{self.rejected_before:,} of them rejected before for the same reason, and not "
                f"counted in max_rejected_percent or max_rejected_rows"
            )
        if tally.replaced:
            parts.append(f"{tally.replaced:,} replaced by a later record of the same {self.noun}")
        if tally.deletions:
            parts.append(f"{tally.deletions:,} deletions ignored")
        if tally.unknown:
            parts.append(f"{tally.unknown:,} with an unknown outcome")
        parts.append(
            f"{tally.bytes / MEGABYTE:.1f} MB, {self.calls:,} API calls, "
            f"{tally.waiting_seconds:.0f} s waiting for Marketo, "
            f"{tally.working_seconds:.0f} s working"
        )
        return "; ".join(parts)

    def _reasons(self) -> str:
        return ", ".join(f"{reason}: {rows:,}" for reason, rows in self.top_reasons)


@dataclass(slots=True)
class Tally:
    """Counts of one run. The first group is the reading thread's, the second the importing one's.

    Neither thread writes the other's, so no lock is needed.
    """

    records: int = 0
    """Records read, deletions among them."""
    replaced: int = 0
    """Rows that a later record of the same lookup value replaced before they were sent."""
    deletions: int = 0
    """Records marked as deleted: bulk import cannot delete."""
    waiting_seconds: float = 0.0
    """Time in which nothing could be read because Marketo had not taken what was there."""
    working_seconds: float = 0.0
    """The rest of the run, the time for which the tap let us wait included."""

    files: int = 0
    """Files accepted by Marketo and complete (in a dry run: written)."""
    bytes: int = 0
    """Bytes of those files."""
    imported: int = 0
    """Rows in complete imports that Marketo did not report as failed."""
    sent_again: int = 0
    """Uploads repeated because the reply to the first was lost."""
    halved: int = 0
    """Files Marketo found too large, sent as two."""
    unknown: int = 0
    """Rows of imports whose outcome is not known."""
