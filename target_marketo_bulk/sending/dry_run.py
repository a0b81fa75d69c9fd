"""Dry run: import files written to a folder, and nothing sent."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from typing import TYPE_CHECKING, BinaryIO

from marketo_bulk.imports.objects import FILE_NAMES
from singer_marketo.locations import own_path
from target_marketo_bulk.files.storage import DRY_RUN_SETTING, stored_in
from target_marketo_bulk.outcomes.rejects import make_private_directory
from target_marketo_bulk.records.row_format import DELIMITERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_marketo_bulk.files.import_file import ImportFile
    from target_marketo_bulk.outcomes.summary import Tally
    from target_marketo_bulk.records.layout import Layout

LIST_NAME = ".dry-run-files.jsonl"
"""The file that says which files of the folder are a dry run's; hidden, so that `*` is those."""

_OWN_NAME = re.compile(rf"({'|'.join(FILE_NAMES)})-\d{{4,}}\.({'|'.join(DELIMITERS)})", re.ASCII)

logger = logging.getLogger(__name__)


class DryRun:
    """Takes the place of Marketo: keeps each file, numbered, under the name of its object.

    What the dry run before left would be taken for this one's, so it is deleted: the files its list
    names, unless their size has changed since. Whatever else is in the folder stays as it is, and
    its names are not used.

    Raises: StorageError where the disk refuses.
    """

    def __init__(self, directory: str, tally: Tally) -> None:
        self._directory = own_path(directory)
        self._list = self._directory / LIST_NAME
        self._tally = tally
        self._number = 0
        with stored_in(self._directory, DRY_RUN_SETTING):
            make_private_directory(self._directory)
            self._delete_own()
            self._list.unlink(missing_ok=True)

    def take(self, file: ImportFile) -> None:
        """Write a file."""
        with stored_in(self._directory, DRY_RUN_SETTING):
            path, copy = self._create(file.layout)
            with copy:
                file.handle.seek(0)
                shutil.copyfileobj(file.handle, copy)
            # Listed only once it is whole: of a killed run a file may stay that nobody deletes.
            self._note(path)
        self._tally.files += 1
        self._tally.bytes += file.size_bytes
        self._tally.imported += file.rows
        logger.info(
            "dry run: %s has %d rows, %d bytes, %d columns",
            path,
            file.rows,
            file.size_bytes,
            len(file.layout.columns),
        )
        file.close()

    def _create(self, layout: Layout) -> tuple[Path, BinaryIO]:
        """Return a new file: a name that somebody else has used is passed over."""
        while True:
            self._number += 1
            name = f"{layout.destination.object.file_name}-{self._number:04d}"
            path = self._directory / f"{name}.{layout.row_format.name}"
            if not os.path.lexists(path):
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                return path, os.fdopen(descriptor, "wb")
            logger.warning("dry run: %s was not written by a dry run: it stays", path)

    def _note(self, path: Path) -> None:
        descriptor = os.open(self._list, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w") as names:
            entry = {"file": path.name, "bytes": path.stat().st_size}
            names.write(json.dumps(entry) + "\n")

    def _delete_own(self) -> None:
        for name, size_bytes in _listed(self._list):
            path = self._directory / name
            if path.is_file() and not path.is_symlink() and path.stat().st_size == size_bytes:
                path.unlink()


def _listed(path: Path) -> Iterator[tuple[str, object]]:
    """Yield name and size of each file of a list; lines that are none, and other names, are not."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            entry = json.loads(line)
            name, size_bytes = entry["file"], entry["bytes"]
        except (ValueError, TypeError, KeyError):
            continue
        if isinstance(name, str) and _OWN_NAME.fullmatch(name):
            yield name, size_bytes
