"""`docs/emulator.md` says what the code does."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from fnmatch import fnmatchcase
from pathlib import Path

from marketo_emulator import Fault, Options
from marketo_emulator.faults.rewrites import REWRITES
from marketo_emulator.routes import OPERATIONS

PAGE = Path(__file__).parents[2].joinpath("docs/emulator.md").read_text("utf-8")
NO_CALLS = ("export.job", "import.job", "unknown")


def test_every_option_is_listed_with_its_default() -> None:
    """Name for name, in the same order."""
    listed = re.findall(r"^\| `(\w+)` \| `(.+?)` \| .+ \|$", PAGE, re.MULTILINE)
    defaults = Options()
    assert listed == [
        (option.name, repr(getattr(defaults, option.name))) for option in fields(Options)
    ]


def test_every_recipe_is_a_fault_that_can_happen() -> None:
    """Each is valid, and there is an operation it matches."""
    recipes = re.findall(r"^\| .+ \| [A-Z]\d.* \| `(\{.+\})` \|$", PAGE, re.MULTILINE)
    assert len(recipes) > 50
    for recipe in recipes:
        fault = Fault.from_json(json.loads(recipe))
        assert any(
            fnmatchcase(operation, fault.operation) for operation in (*OPERATIONS, *NO_CALLS)
        )


def test_every_operation_and_rewrite_is_named() -> None:
    """A fault can be written from the page alone."""
    named = set(re.findall(r"`([\w.]+)`", PAGE))
    assert {*OPERATIONS, *NO_CALLS, *REWRITES} <= named
