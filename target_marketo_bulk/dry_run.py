"""Dry run: import files written to a folder, and nothing sent."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from target_marketo_bulk.rejects import make_private_directory
from target_marketo_bulk.row_format import DELIMITERS

if TYPE_CHECKING:
    from target_marketo_bulk.import_file import ImportFile
    from target_marketo_bulk.tally import Tally

logger = logging.getLogger(__name__)


class DryRun:
    """Takes the place of Marketo: keeps each file, as `leads-0001.csv` and so on."""

    def __init__(self, directory: str, tally: Tally) -> None:
        self._directory = Path(directory)
        self._tally = tally
        make_private_directory(self._directory)
        for name in DELIMITERS:
            # What an earlier dry run left would be taken for this one's.
            for path in self._directory.glob(f"leads-[0-9][0-9][0-9][0-9].{name}"):
                path.unlink()

    def take(self, file: ImportFile) -> None:
        """Write a file."""
        self._tally.files += 1
        name = f"leads-{self._tally.files:04d}.{file.layout.row_format.name}"
        path = self._directory / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as copy:
            file.handle.seek(0)
            shutil.copyfileobj(file.handle, copy)
        self._tally.bytes += file.size_bytes
        self._tally.imported += file.rows
        logger.info(
            "dry_run_file path=%s rows=%d bytes=%d columns=%d",
            path,
            file.rows,
            file.size_bytes,
            len(file.layout.columns),
        )
        file.close()
