"""What the pages say of jobs taken over, where Meltano stands in between."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.fault(
    "T3.9",
    "`meltano run` is stopped, and keeps no STATE",
    "the pages say that the job journal has the jobs under way",
)
@pytest.mark.parametrize("page", ["DESIGN.md", "docs/scaling.md", "docs/operating.md"])
def test_t3_9_where_meltano_keeps_no_state_the_journal_is_named(page: str) -> None:
    """In one paragraph: what Meltano does not keep, and what the next run reads in its place."""
    paragraphs = (ROOT / page).read_text().split("\n\n")
    (about,) = [text for text in paragraphs if re.search(r"Meltano keeps no STATE", text)]
    assert re.search(r"job journal|`jobs\.json`", about)
