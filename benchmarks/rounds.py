"""Rounds: contenders that take turns on one file, so that a busy moment hits all of them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from measurement import Contender, count_records, measure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Files:
    """The file to read, a short one to check the count of records on, and one of two rows.

    What the file of two rows takes is start and end of the process, and is taken off.
    """

    whole: Path
    rows: int
    short: Path
    short_rows: int
    two_rows: Path


@dataclass(slots=True)
class Score:
    """What one contender took in each round: processor seconds without start and end."""

    contender: Contender
    cpu_seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.cpu_seconds)

    def times_faster_than(self, other: Score) -> tuple[float, float, float]:
        """Return median, least and greatest of the ratios, each within a round."""
        ratios = [
            theirs / ours for ours, theirs in zip(self.cpu_seconds, other.cpu_seconds, strict=True)
        ]
        return statistics.median(ratios), min(ratios), max(ratios)


def compete(contenders: Sequence[Contender], files: Files, rounds: int) -> list[Score]:
    """Return the scores, in the order of the contenders.

    Raises: SystemExit if one of them does not write a record for each row.
    """
    for contender in contenders:
        written = count_records(contender.command(files.short))
        if written != files.short_rows:
            raise SystemExit(f"{contender.name} wrote {written} records of {files.short_rows} rows")
    scores = [Score(contender) for contender in contenders]
    for _ in range(rounds):
        for score in scores:
            start = measure(score.contender.command(files.two_rows))
            whole = measure(score.contender.command(files.whole))
            score.cpu_seconds.append(whole.cpu_seconds - start.cpu_seconds)
            score.megabytes = max(score.megabytes, whole.megabytes)
    return scores
