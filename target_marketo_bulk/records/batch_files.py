"""Batch files: the records a BATCH message refers to."""

from __future__ import annotations

import gzip
import importlib.util
import zlib
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote

from singer_sdk.singerlib.exceptions import InvalidInputLine

from singer_marketo.locations import SCHEME, UnusableLocationError, is_of_location, opened, why
from target_marketo_bulk.records.message_faults import MessageFaultError
from target_marketo_bulk.records.parquet_rows import UnusableColumnError, parquet_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PARQUET = "parquet"
FORMATS = ("jsonl", PARQUET)
COMPRESSIONS = (None, "none", "gzip")
ROWS_AT_ONCE = 500

_NO_PARQUET = "ArrowInvalid"
"""The error of pyarrow, an extra, for a file it cannot make out."""

_UNREADABLE = (EOFError, zlib.error, ValueError, UnusableLocationError)
"""What comes of a file that breaks off, and of an address nobody can open, beside what its
location raises.
"""


def batch_records(
    message: Mapping[str, Any], decode: Callable[[bytes], object]
) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of a BATCH message, some at a time; `decode` reads a line.

    Shape: lazy, file by file and line by line; empty lines are skipped. The files stay where they
        are: whoever wrote them removes them.
    Raises: InvalidInputLine naming the file, and never what is in it.
    """
    format_, compression = _checked_encoding(message)
    manifest = message["manifest"]
    if not isinstance(manifest, list) or not all(isinstance(path, str) for path in manifest):
        raise MessageFaultError("a BATCH message has a manifest that is no list of files", message)
    for path in manifest:
        if format_ == PARQUET:
            yield from _parquet(path)
            continue
        lines = _records(path, compression, decode)
        while records := list(islice(lines, ROWS_AT_ONCE)):
            yield records


def shown_files(message: Mapping[str, Any]) -> str:
    """Return the files of a BATCH message for an error, without what may be a secret in a query."""
    manifest = message["manifest"]
    paths = manifest if isinstance(manifest, list) else [manifest]
    return ", ".join(repr(str(path).partition("?")[0]) for path in paths)


def remove_file(path: str) -> None:
    """Remove a file of a manifest whose records are imported; one that is gone is no fault.

    Raises: InvalidInputLine naming the file if it cannot be removed.
    """
    try:
        local = _local_path(path)
        if local is not None:
            local.unlink(missing_ok=True)
        else:
            opened(path).unlink(missing_ok=True)
    except Exception as error:
        if not _is_of_file(error):
            raise
        raise InvalidInputLine(
            f"the BATCH file {path.partition('?')[0]!r} is imported, and cannot be removed: "
            f"{_why(error)}. Remove it, or set clean_up_batch_files to false"
        ) from None


def _checked_encoding(message: Mapping[str, Any]) -> tuple[str, str | None]:
    encoding = message["encoding"]
    format_ = encoding.get("format") if isinstance(encoding, dict) else None
    if format_ not in FORMATS:
        raise MessageFaultError(
            "a BATCH message is in neither of the formats offered, jsonl and parquet", message
        )
    if format_ == PARQUET:
        if importlib.util.find_spec("pyarrow") is None:
            raise InvalidInputLine(
                "a BATCH message of the input is in the format parquet, which needs pyarrow. "
                "Install the extra [parquet]"
            )
        return PARQUET, None
    compression = encoding.get("compression")
    if compression not in COMPRESSIONS:
        raise MessageFaultError(
            "a BATCH message is compressed by something else than gzip", message
        )
    return str(format_), str(compression) if compression else None


def _parquet(path: str) -> Iterator[list[dict[str, Any]]]:
    number = 0
    try:
        with _opened_as_it_is(path) as file:
            for records in parquet_records(file, ROWS_AT_ONCE):
                yield records
                number += len(records)
    except Exception as error:
        if not _is_of_file(error):
            raise
        raise InvalidInputLine(_fault(path, _unread(error, "record", number))) from None


def _records(
    path: str, compression: str | None, decode: Callable[[bytes], object]
) -> Iterator[dict[str, Any]]:
    number = 0
    try:
        with _opened(path, compression) as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                yield _record_of(line, number, path, decode)
    except Exception as error:
        if not _is_of_file(error):
            raise
        raise InvalidInputLine(_fault(path, _unread(error, "line", number))) from None


def _record_of(
    line: bytes, number: int, path: str, decode: Callable[[bytes], object]
) -> dict[str, Any]:
    try:
        record = decode(line)
    except InvalidInputLine:
        record = None
    if not isinstance(record, dict):
        raise InvalidInputLine(_fault(path, f"line {number} is no JSON object"))
    return record


@contextmanager
def _opened(path: str, compression: str | None) -> Iterator[IO[bytes]]:
    with _opened_as_it_is(path) as file:
        if compression != "gzip":
            yield file
            return
        if not file.read(1):
            # Python takes it for the packed form of nothing, but a packed nothing has a header.
            raise EOFError
        file.seek(0)
        with gzip.open(file) as unpacked:
            yield unpacked  # type: ignore[misc]  # reads bytes, as a file does


def _opened_as_it_is(path: str) -> AbstractContextManager[IO[bytes]]:
    local = _local_path(path)
    if local is not None:
        return local.open("rb")
    return opened(path).open("rb")  # type: ignore[no-any-return]  # UPath has no types


def _local_path(path: str) -> Path | None:
    """Return the path of an address on this machine; None of any other."""
    scheme, mark, place = path.partition(SCHEME)
    if not mark:
        # A colon alone makes no address: names of files have times.
        place = path.removeprefix("file:") if path.startswith("file:/") else path
    elif scheme.lower() != "file":
        return None
    else:
        place = place.removeprefix("localhost") if place.startswith("localhost/") else place
    # Taps write addresses both with blanks as they are and with `%20`.
    plain = Path(place)
    return plain if plain.exists() else Path(unquote(place))


def _is_of_file(error: Exception) -> bool:
    """Return whether an error is of a file or its address, and not of whoever reads it."""
    return isinstance(error, _UNREADABLE) or is_of_location(error)


def _unread(error: Exception, unit: str, number: int) -> str:
    where = f" after {unit} {number}" if number else ""
    return f"it cannot be read{where}: {_why(error)}"


def _fault(path: str, what: str) -> str:
    return f"the BATCH file {_shown(path)!r}: {what}. Have the tap write it again"


def _shown(path: str) -> str:
    # What follows the path of an address may be a signature.
    return path.partition("?")[0]


def _why(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "it breaks off"
    if isinstance(error, gzip.BadGzipFile | zlib.error):
        return "it is not whole, or not gzip"
    if isinstance(error, UnusableLocationError | UnusableColumnError):
        return str(error)
    return "it is not whole, or not Parquet" if type(error).__name__ == _NO_PARQUET else why(error)
