"""Summary: the run in one line for machines and one for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_marketo_bulk.rejects import RejectLog
    from target_marketo_bulk.tally import Tally

TOP_REASONS = 3


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

    def as_pairs(self) -> str:
        """Return `key=value` pairs."""
        counts = {
            **asdict(self.tally),
            "with_warnings": self.with_warnings,
            "rejected": self.rejected,
            "rejected_percent": f"{self.rejected_percent:.2f}",
            "calls": self.calls,
        }
        return " ".join(f"{name}={value}" for name, value in counts.items())

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
        return "; ".join(parts)

    def _reasons(self) -> str:
        return ", ".join(f"{reason}: {rows:,}" for reason, rows in self.top_reasons)
