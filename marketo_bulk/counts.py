"""The counts of one reading: what was in the file, and what had to be changed to read it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """What a reading met so far.

    Shape: `rows` are the rows of the file, whether or not `filtered_rows` of them were dropped;
    `empty_values` are the empty cells of typed columns, which became None.
    """

    had_header: bool = False
    rows: int = 0
    filtered_rows: int = 0
    lenient_rows: int = 0
    nul_bytes: int = 0
    replaced_bytes: int = 0
    empty_values: int = 0
    bad_values: dict[str, int] = field(default_factory=dict)
