"""Summary: the run in one line for machines and one for people."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from singer_sdk.metrics import Point

if TYPE_CHECKING:
    from target_marketo_bulk.rejects import RejectLog
    from target_marketo_bulk.tally import Tally

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
    REJECTED_PERCENT = "import_rejected_percent"
    CALLS = "import_calls"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did; made when it is over."""

    tally: Tally
    rejected: int
    with_warnings: int
    calls: int
    top_reasons: list[tuple[str, int]]
    is_dry_run: bool

    @classmethod
    def of(cls, tally: Tally, log: RejectLog, *, calls: int, is_dry_run: bool) -> Summary:
        """Return the summary of what was counted."""
        return cls(
            tally,
            log.rejected_rows,
            log.warned_rows,
            calls,
            log.top_reasons(TOP_REASONS),
            is_dry_run,
        )

    @property
    def rejected_percent(self) -> float:
        """Share of the rejected among all rows whose outcome is known; 0 if there are none."""
        rows = self.tally.imported + self.rejected
        return 100 * self.rejected / rows if rows else 0.0

    def counts(self) -> dict[str, float]:
        """Return every figure."""
        return {
            **asdict(self.tally),
            "with_warnings": self.with_warnings,
            "rejected": self.rejected,
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
            parts.append(f"{self.rejected:,} rejected ({self._reasons()})")
        if tally.replaced:
            parts.append(f"{tally.replaced:,} replaced by a later record of the same lead")
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
