"""Archive: a location with every export file as Marketo sent it, and a manifest beside each."""

from __future__ import annotations

import zlib
from contextlib import suppress
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from marketo_bulk import ConfigurationError
from marketo_bulk.exports.file import PartialFile
from singer_marketo.settings import folded_instance
from singer_marketo.storage import Storage
from tap_marketo_bulk.archive.manifest import SUFFIX, Manifest

if TYPE_CHECKING:
    from pathlib import Path

    from marketo_bulk import ExportFile

PIECE_BYTES = 1 << 20
GZIP_LEVEL = 6
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class Archive:
    """The files of an archive at `url`, as the setting `setting` names it."""

    def __init__(self, setting: str, url: str) -> None:
        self._setting = setting
        self._storage = Storage(setting, url)

    def keep(self, file: ExportFile, manifest: Manifest) -> None:
        """Write a verified file, then its manifest: a file without one does not count.

        Raises: StorageError if the location refuses.
        """
        packer = zlib.compressobj(GZIP_LEVEL, wbits=_GZIP_WINDOW)
        file.content.seek(0)
        with self._storage.writing(manifest.content_name) as out:
            size = 0
            while piece := file.content.read(PIECE_BYTES):
                size += out.write(packer.compress(piece))
            size += out.write(packer.flush())
        file.content.seek(0)
        with self._storage.writing(manifest.name) as out:
            out.write(replace(manifest, compressed_bytes=size).to_json())

    def manifests(self) -> list[Manifest]:
        """Return what there is, the file with the newest row of a key last.

        Raises: StorageError; ConfigurationError if a manifest is none, or two are of different
            instances, whose ids mean different things.
        """
        found = [self._manifest(name) for name in self._storage.names(SUFFIX)]
        names = {folded_instance(manifest.instance): manifest.instance for manifest in found}
        instances = sorted(names.values())
        if len(instances) > 1:
            raise ConfigurationError(
                f"{self._setting} holds files of {len(instances)} instances: "
                f"{', '.join(instances)}. Keep an archive for each"
            )
        return sorted(found, key=lambda manifest: manifest.follows)

    def fetch(self, manifest: Manifest, directory: Path) -> ExportFile:
        """Return a file as it once came, its digest checked; whoever asked closes it.

        Raises: StorageError; ConfigurationError if it is not the one that was archived.
        """
        unpacker = zlib.decompressobj(wbits=_GZIP_WINDOW)
        with PartialFile(directory, manifest.export_id) as whole:
            with self._storage.reading(manifest.content_name) as packed, suppress(zlib.error):
                _unpack(packed, unpacker, whole)
            if whole.sha256 != manifest.sha256 or not unpacker.eof:
                raise ConfigurationError(
                    f"{self._setting}: {manifest.content_name} is torn or changed: its SHA-256 is "
                    "not the one in its manifest. Restore it, or take both away"
                )
            return whole.keep()

    def _manifest(self, name: str) -> Manifest:
        with self._storage.reading(name) as file:
            return Manifest.parse(file.read(), name)


def _unpack(packed: IO[bytes], unpacker: zlib._Decompress, whole: PartialFile) -> None:
    while piece := packed.read(PIECE_BYTES):
        while piece and not unpacker.eof:
            whole.append(unpacker.decompress(piece, PIECE_BYTES))
            piece = unpacker.unconsumed_tail
