"""Locations: addresses that universal-pathlib opens, and in which words one is refused."""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from marketo_bulk.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEME = "://"
LOCAL_SCHEMES = frozenset({"file", "local"})
S3_SCHEMES = frozenset({"s3", "s3a"})
WORDS_SHOWN = 200
END_OF_ADDRESS = re.compile("[?#]")

DRIVERS = frozenset({"aiobotocore", "aiohttp", "botocore"})
"""Packages whose errors are those of a location, and no OSError."""

DRIVER_CODE = DRIVERS | {"adlfs", "fsspec", "gcsfs", "s3fs", "upath"}
"""Packages in which anything that is raised comes of a location or of the options for it."""

FLEETING = "memory"
"""A protocol whose files are gone when the process ends."""

WRONG_OPTIONS = "its driver takes no such options"


class UnusableLocationError(Exception):
    """A location that cannot be opened: why, in words that do not name it."""


def own_path(text: str) -> Path:
    """Return a path on this machine; `~` at its beginning is a user's home.

    Raises: UnusableLocationError if there is no such user.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UnusableLocationError("there is no such user") from error


def local_path(location: str) -> Path | None:
    """Return the path of a location on this machine; None of any other.

    Raises: UnusableLocationError as `own_path` does.
    """
    scheme, mark, place = location.partition(SCHEME)
    if not mark:
        return own_path(location)
    return Path(unquote(place)) if scheme in LOCAL_SCHEMES else None


def opened(location: str, options: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401  # UPath has no types
    """Return the path of an address that is not local; `options` are for its driver.

    Raises: UnusableLocationError if there is no such protocol or driver, or no place is named.
    """
    scheme, _, place = location.partition(SCHEME)
    if not (scheme and place.strip("/")):
        raise UnusableLocationError("it names no place")
    try:
        # Here, because drivers are dear to load and few need one.
        from upath import UPath  # noqa: PLC0415

        path = UPath(location, **(options or {}))
        _ = path.fs  # a driver that is missing is missed now
    except Exception as error:
        raise UnusableLocationError(why_not_opened(error, location)) from error
    return path


def why_not_opened(error: Exception, location: str) -> str:
    """Return, in words, what an error says that came of opening an address."""
    scheme = location.partition(SCHEME)[0]
    if isinstance(error, ImportError):
        cause = error.__cause__
        name = error.name or (cause.name if isinstance(cause, ImportError) else None)
        remedy = "the extra [s3]" if scheme in S3_SCHEMES else "it beside this plugin"
        return f"its driver {name or ''} is not installed. Install {remedy}".replace("  ", " ")
    if isinstance(error, ValueError):
        return f"{scheme}:// is no protocol that is known here"
    if isinstance(error, TypeError):
        return WRONG_OPTIONS
    return why(error)


def is_of_location(error: Exception) -> bool:
    """Return whether an error is the system's or a driver's, and not of whoever used the file."""
    # A driver that can only read raises the latter.
    is_plain = isinstance(error, OSError | NotImplementedError)
    is_drivers = type(error).__module__.partition(".")[0] in DRIVERS
    return is_plain or is_drivers or _is_raised_by_driver(error)


def _is_raised_by_driver(error: Exception) -> bool:
    """Return whether a driver was called: some try their options only then."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    modules = (str(frame.f_globals.get("__name__")) for frame in frames)
    return any(module.partition(".")[0] in DRIVER_CODE for module in modules)


def why(error: Exception) -> str:
    """Return what to say of an error of a location."""
    if isinstance(error, OSError) and error.strerror:
        return one_line(error.strerror)[:WORDS_SHOWN]
    if isinstance(error, TypeError):
        return WRONG_OPTIONS
    words = one_line(str(error))[:WORDS_SHOWN] if isinstance(error, OSError) else ""
    return words or type(error).__name__


def without_secrets(address: str) -> str:
    """Return an address without user, password and query, which may be secrets."""
    scheme, mark, rest = address.partition(SCHEME)
    if not mark:
        return one_line(address)
    place, slash, path = END_OF_ADDRESS.split(rest, maxsplit=1)[0].partition("/")
    return one_line(f"{scheme}{SCHEME}{place.rpartition('@')[2]}{slash}{path}")


def fault_of(setting: str, location: object, options: Mapping[str, Any] | None = None) -> list[str]:
    """Return, as sentences, why the location that a setting names cannot be opened.

    Nothing is made there, and nobody is asked.
    """
    if not isinstance(location, str):
        return []
    if location.startswith(f"{FLEETING}{SCHEME}"):
        return [cannot_be_used(setting, location, "its files are gone when the run ends")]
    try:
        if local_path(location) is None:
            opened(location, options)
    except UnusableLocationError as error:
        return [cannot_be_used(setting, location, str(error))]
    return []


def cannot_be_used(setting: str, location: str, reason: str) -> str:
    """Return the sentence about a location that is refused."""
    return f"{setting} {without_secrets(location)!r} cannot be used: {reason}"
