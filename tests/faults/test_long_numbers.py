"""Numbers of more digits than a double has: as a record has them, or told, in every output."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import DecodeError
from tests.end_to_end.test_batches import batches, read_file
from tests.faults.test_csv import change_first
from tests.tap_runs import make_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.drill import Drill

FIELD = "sessionRating"
MARKER = 77.125
LONG = "0.12345678901234567890"
MAPS = {"stream_maps": {"program_members": {"more": "leadId"}}}


def landed(drill: Drill, folder: Path, config: dict[str, Any], **options: Any) -> Any:
    """Return what the batch file of a run has for the one long number."""
    lead, program = change_first(drill, **{FIELD: MARKER})
    drill.spoil(lambda content: content.replace(str(MARKER).encode(), LONG.encode(), 1))
    drill.run(config, **options)
    (path,) = (path for path in folder.iterdir() if path.name.startswith("program_members"))
    found = {(r["leadId"], r["programId"]): r[FIELD] for r in read_file(path)}
    return found[lead, program]


def as_text(drill: Drill) -> dict[str, Any]:
    """Return a catalog in which the field is text."""
    catalog = deepcopy(make_tap(drill.emulator).catalog_dict)
    for entry in catalog["streams"]:
        if entry["stream"] == "program_members":
            entry["schema"]["properties"][FIELD] = {"type": ["string", "null"]}
    return catalog


@pytest.mark.parametrize("maps", [{}, MAPS], ids=["plain", "mapped"])
@pytest.mark.fault(
    "T6.7",
    "a number has more digits than the type of a Parquet column holds",
    "ends the run with a line that names the column, or is null and counted; text keeps it",
)
def test_a_long_number_is_kept_or_told(
    make_drill: Callable[..., Drill], tmp_path: Path, maps: dict[str, Any]
) -> None:
    """Never is it the nearest number, without a word."""
    for name, expected in (("refused", None), ("nulled", None), ("text", LONG)):
        drill = make_drill()
        folder = tmp_path / name
        config = {**maps, "batch_config": batches(folder, "parquet")}
        if name == "refused":
            with pytest.raises(DecodeError, match=f"column {FIELD}: a value does not fit double"):
                landed(drill, folder, config)
            assert not list(folder.glob("program_members*"))
        elif name == "nulled":
            assert landed(drill, folder, {**config, "on_bad_value": "null"}) is expected
        else:
            assert landed(drill, folder, config, catalog=as_text(drill)) == expected
