"""Columns: kinds of data types, and where a header has them."""

from __future__ import annotations

import pytest

from marketo_bulk.reader.columns import Column, Kind, Placement, kind_of, place_columns

KINDS = {
    Kind.INTEGER: ("integer", "score", "Integer", "SCORE"),
    Kind.NUMBER: ("percent", "float", "currency", "Percent"),
    Kind.BOOLEAN: ("boolean", "Boolean"),
    Kind.DATE: ("date",),
    Kind.DATETIME: ("datetime", "dateTime"),
    Kind.STRING: (
        "string", "text", "textarea", "email", "phone", "url", "reference", "formula",
        "lead_function", "array", "link", "something new", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("data_type", "kind"), [(name, kind) for kind, names in KINDS.items() for name in names]
)
def test_kind_of_data_type_ignores_case_and_defaults_to_string(data_type: str, kind: Kind) -> None:
    """Every Marketo data type has the kind of C§13, an unknown one is text."""
    assert kind_of(data_type) is kind


def wanted(*columns: tuple[str, ...]) -> list[Column]:
    """Return string columns of (name, label, ...)."""
    return [Column(name, Kind.STRING, tuple(labels)) for name, *labels in columns]


@pytest.mark.parametrize(
    ("columns", "header", "placement"),
    [
        pytest.param(
            wanted(("leadId",), ("status",)),
            ["status", "leadId"],
            Placement((1, 0), (), ()),
            id="C1-reordered",
        ),
        pytest.param(
            wanted(("membershipDate", "Member Date"), ("leadId",)),
            ["Member Date", "Lead Id"],
            Placement((0, 1), (), ()),
            id="C2-labels",
        ),
        pytest.param(
            wanted(("leadId",), ("membershipDate", "Member Date")),
            ["LeadID", "MEMBER DATE"],
            Placement((0, 1), (), ()),
            id="C3-case",
        ),
        pytest.param(
            wanted(("leadId",), ("status",), ("isExhausted",)),
            ["leadId"],
            Placement((0,), ("status", "isExhausted"), ()),
            id="C4-missing",
        ),
        pytest.param(
            wanted(("b",)), ["a", "b", "c"], Placement((1,), (), ("a", "c")), id="C5-extra"
        ),
        pytest.param(
            wanted(("programId",), ("updatedAt",)),
            ["programId", "updatedAt", "programId", "updatedAt"],
            Placement((0, 1), (), ("programId", "updatedAt")),
            id="C6-first-of-duplicates",
        ),
        pytest.param(
            wanted(("leadId",), ("programId",)),
            ["programId", "leadId"],
            Placement((1, 0), (), ()),
            id="C7-leading-programId",
        ),
        pytest.param(
            wanted(("a", "b"), ("b",)),
            ["b", "A"],
            Placement((1, 0), (), ()),
            id="a-name-beats-another-column's-label",
        ),
        pytest.param(
            wanted(("foo",), ("Foo",)),
            ["Foo", "foo"],
            Placement((1, 0), (), ()),
            id="exact-case-beats-any-case",
        ),
        pytest.param(
            wanted(("a", "Created At"), ("b", "Created At")),
            ["Created At", "Created At"],
            Placement((0,), ("b",), ("Created At",)),
            id="no-cell-serves-two",
        ),
    ],
)
def test_place_columns_finds_each_by_the_most_trusted_spelling(
    columns: list[Column], header: list[str], placement: Placement
) -> None:
    """Columns are found by name, label and either in any case, never by position."""
    assert place_columns(columns, header) == placement
