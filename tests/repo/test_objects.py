"""Objects are described in one place each; everything else works for all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

IMPORTED = re.compile(
    r"(?<![a-zA-Z])(?i:leads?)(?![a-z])(?! (?:to|back|nowhere|there)\b)(?!\()"
    r"|(?i:program.?members?|custom.?objects?|describe2)"
)
"""What an object that is imported is called; the verb is another word."""

DESCRIBING = {
    "marketo_bulk/imports/objects.py",
    "target_marketo_bulk/destinations.py",
    "target_marketo_bulk/check.py",
    "target_marketo_bulk/settings.py",
    "target_marketo_bulk/sdk_settings.py",
}
"""Where objects are described: to the client, to the target, and to its users."""


@pytest.mark.parametrize("package", ["target_marketo_bulk", "marketo_bulk/imports"])
def test_no_other_module_names_an_object(package: str) -> None:
    """Another object to import is another description, and no edit of the machinery."""
    naming = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if str(path.relative_to(ROOT)) not in DESCRIBING and IMPORTED.search(line)
    ]
    assert naming == []


@pytest.mark.parametrize(
    ("line", "names_one"),
    [
        ("bulk import cannot delete leads", True),
        ("class LeadSink(Sink):", True),
        ("plan_of_lead = {}", True),
        ('target="/bulk/v1/leads.json"', True),
        ("ProgramMembers", True),
        ("custom_object", True),
        ("a reference that leads nowhere", False),
        ("a misleading name", False),
    ],
)
def test_words_are_told_from_others(line: str, names_one: bool) -> None:  # noqa: FBT001
    """The verb and longer words are no objects."""
    assert bool(IMPORTED.search(line)) is names_one
