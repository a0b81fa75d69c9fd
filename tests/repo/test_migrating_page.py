"""docs/migrating.md says which types fields have here."""

from __future__ import annotations

import re
from pathlib import Path

from marketo_bulk.reader.columns import Kind, kind_of

PAGE = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text("utf-8")
NAMES = {Kind.DATETIME: "date-time"}


def test_types_are_those_of_the_tap() -> None:
    """Each type of the table, and one that no table has."""
    table = PAGE.partition("| Marketo's type |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ([\w, ]+) \| [\w-]+ \| ([\w-]+) \|$", table, re.MULTILINE)
    assert len(rows) == 8
    for types, said in rows:
        for data_type in types.split(", "):
            kind = kind_of(data_type)
            assert NAMES.get(kind, kind.value) == said
