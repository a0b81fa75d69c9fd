"""Activities: a file of ten attributes a row to records, as one stream and as one for each type.

The peers read the same file. The plain SDK tap has the same two forms; airbyte-source-marketo has
attributes as columns alone, and is compared with both forms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from activity_file import write_activity_file, write_long_activity_file
from measurement import Contender, measure
from memory import MEGABYTE
from peers import AIRBYTE, environment_of
from rounds import Files, Score, compete

if TYPE_CHECKING:
    from pathlib import Path

SHORT_ROWS = 500
SIZES_MEGABYTES = (100, 500)
FORMS = {"one": "{}", "per_type": '{"activity_streams": "per_type"}'}
"""Settings of each form."""


def measure_activities(
    directory: Path, rows: int, rounds: int, *, with_peers: bool
) -> tuple[list[tuple[str, int, list[Score]]], dict[str, dict[int, float]]]:
    """Return the scores of each form, ours first, and its peak memory in MB by size of the file."""
    paths = [directory / name for name in ("whole.csv", "short.csv", "two.csv")]
    for path, count in zip(paths, (rows, SHORT_ROWS, 2), strict=True):
        write_activity_file(path, rows=count)
    files = Files(paths[0], rows, paths[1], SHORT_ROWS, paths[2])
    compared, memory = [], {}
    for form, settings in FORMS.items():
        ours = Contender("this tap", "activities_ours.py", settings=settings)
        others = [Contender("plain SDK tap", "activities_naive.py", settings=settings)]
        if with_peers:
            python = environment_of(AIRBYTE)
            others.append(Contender(AIRBYTE, "peer_airbyte_activities.py", python))
        compared.append((form, rows, compete([ours, *others], files, rounds)))
        memory[form] = {size: _peak(ours, directory, size) for size in SIZES_MEGABYTES}
    return compared, memory


def _peak(contender: Contender, directory: Path, size: int) -> float:
    path = directory / "long.csv"
    write_long_activity_file(path, size * MEGABYTE)
    usage = measure(contender.command(path))
    path.unlink()
    return usage.megabytes
