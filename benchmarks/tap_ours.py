"""Driver of this tap: `python tap_ours.py FILE [SETTINGS]` writes the Singer messages of a file.

The stream, its loop, the row reader and the writer are the tap's own. What is left out is Marketo:
discovery, jobs and downloads.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from export_file import COLUMNS
from typing_extensions import override

from marketo_bulk import RowReader
from marketo_bulk.metadata.describe import FieldDescription
from tap_marketo_bulk.output.extract import ArrowRows, Extract
from tap_marketo_bulk.streams.export_stream import ExportStream
from tap_marketo_bulk.streams.fields import Fields
from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.tap import TapMarketoBulk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk import Stream

    from marketo_bulk.reader.arrow_reader import ArrowReader

FIELDS = Fields(
    tuple(FieldDescription(name, name, kind) for name, kind in COLUMNS.items()), ProgramMembers.keys
)
CONFIG = {"base_url": "http://127.0.0.1:9", "client_id": "-", "client_secret": "-"}


class LocalExtract(Extract):
    """The rows of a file that is there already."""

    def __init__(self, reader: RowReader, path: Path) -> None:
        self._reader = reader
        self._path = path

    @override
    def chunks(self) -> Iterator[Sequence[Any]]:
        return self._reader.chunks(self._path)

    @override
    def records(self) -> Iterator[dict[str, Any]]:
        return self._reader.row_dicts(self._path)

    @override
    def written(self) -> None:
        """Note nothing: there is no job."""

    @property
    @override
    def title(self) -> Sequence[str]:
        return ("all",)

    @override
    def arrow_rows(self) -> ArrowRows:
        # pyarrow takes 60 MB and a third of a second: for those who ask for Parquet alone.
        from marketo_bulk.reader.arrow_reader import ArrowReader  # noqa: PLC0415

        reader = ArrowReader(self._reader)
        return ArrowRows(reader.schema, self._batches(reader))

    def _batches(self, reader: ArrowReader) -> Iterator[Any]:
        with self._path.open("rb") as file:
            yield from reader.record_batches(file)


class Described(ProgramMembers):
    """The members, with fields it need not ask for."""

    @override
    def fields(self) -> Fields:
        return FIELDS


class LocalMembers(ExportStream):
    """The stream, with one file to write."""

    @override
    def extracts(self) -> Iterator[Extract]:
        yield LocalExtract(RowReader(self.selection().columns), Path(sys.argv[1]))


class LocalTap(TapMarketoBulk):
    """The tap, with fields it need not ask for."""

    @override
    def discover_streams(self) -> list[Stream]:
        return [LocalMembers(self, Described(self.instance))]


if __name__ == "__main__":
    settings = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}  # noqa: PLR2004
    LocalTap(config={**CONFIG, **settings}).sync_all()
