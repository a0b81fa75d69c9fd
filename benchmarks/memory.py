"""Memory against file size: the tap's largest resident set, file by file."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from export_file import write_long_export_file
from measurement import Contender, Usage, measure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MEGABYTE = 1_000_000
SIZES_MEGABYTES = (100, 500, 2_000)
ROOM_LEFT_MEGABYTES = 1_000


def measure_sizes(
    contender: Contender, directory: Path, sizes: Sequence[int] = SIZES_MEGABYTES
) -> dict[int, Usage | None]:
    """Return what files of these sizes take, in MB; None where the disk has no room for one."""
    found: dict[int, Usage | None] = {}
    for size in sizes:
        room = shutil.disk_usage(directory).free / MEGABYTE
        if room < size + ROOM_LEFT_MEGABYTES:
            found[size] = None
            continue
        path = directory / f"{size}.csv"
        write_long_export_file(path, size * MEGABYTE)
        found[size] = measure(contender.command(path))
        path.unlink()
    return found
