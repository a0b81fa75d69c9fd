"""Destinations: which rows may be about the same object, and what is one lookup value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from marketo_bulk.imports.objects import LEADS, ImportObject
from target_marketo_bulk.files.open_file import OpenFile
from target_marketo_bulk.records.lookup_keys import Key
from tests.target.layouts import destination_of, layout_of

if TYPE_CHECKING:
    from target_marketo_bulk.records.destination import Destination

CARS: ImportObject = replace(LEADS, name="cars", noun="car", plural="cars", space="cars")
PEOPLE = replace(LEADS, name="people")


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        pytest.param(destination_of(), destination_of(), True, id="same value"),
        pytest.param(destination_of(), destination_of(import_object=PEOPLE), True, id="one space"),
        pytest.param(destination_of(), destination_of("id"), True, id="cannot be compared"),
        pytest.param(destination_of("email"), destination_of("Email"), True, id="letter case"),
        pytest.param(destination_of(), destination_of(import_object=CARS), False, id="two spaces"),
        pytest.param(
            destination_of("id"), destination_of(import_object=CARS), False, id="two spaces, fields"
        ),
    ],
)
def test_lookup_values_are_compared_within_a_space(
    one: Destination, other: Destination, *, meets: bool
) -> None:
    """Files whose rows may be about the same object are never under way together."""
    files = []
    for number, destination in enumerate((one, other)):
        layout = layout_of(*destination.lookup_fields, "note", destination=destination)
        file = OpenFile(number, layout, opened_at=0)
        row = ["same", "x"]
        file.put(Key(layout.lookup_value(row)), layout.row_format.encode(row))
        files.append(file.finish()[0])
    assert files[0].may_meet(files[1]) is meets
    assert files[1].may_meet(files[0]) is meets
    for each in files:
        each.close()


def test_value_of_several_fields_is_told_apart() -> None:
    """Two fields do not run into each other, in rows as in columns."""
    layout = layout_of("a", "note", "b", destination=destination_of("a", "b", import_object=CARS))
    rows = [("x", "-", "yz"), ("xy", "-", "z"), ("", "-", "xyz")]
    values = [layout.lookup_value(row) for row in rows]
    assert len(set(values)) == len(rows)
    assert layout.lookup_values(list(zip(*rows, strict=True))) == values
