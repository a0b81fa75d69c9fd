"""State folder: where a pipeline keeps, outside STATE, what its next run or an operator reads."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit

from marketo_bulk.errors import ConfigurationError
from singer_marketo.locations import UnusableLocationError, cannot_be_used, local_path, opened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

STATE_HOME = "XDG_STATE_HOME"
OF_PIPELINE = ("MELTANO_PROJECT_ROOT", "MELTANO_ENVIRONMENT")
"""Variables that tell pipelines of the same settings apart."""

KEY_CHARACTERS = 8
HOST_CHARACTERS = 100


class Folder(Protocol):
    """What is used of a path, local or not."""

    def __truediv__(self, name: str, /) -> Self:
        """Return a path inside."""

    def mkdir(self, *, parents: bool = ..., exist_ok: bool = ...) -> None:
        """Make it."""

    def read_text(self, encoding: str = ...) -> str:
        """Return its content."""

    def write_text(self, data: str, encoding: str = ...) -> int:
        """Replace its content."""


def folder_at(location: str, setting: str) -> Folder:
    """Return the folder at a path, or at an address such as `s3://bucket/folder`.

    Raises: ConfigurationError naming the setting if there can be no such folder.
    """
    try:
        return cast("Folder", local_path(location) or opened(location))
    except UnusableLocationError as error:
        raise ConfigurationError(cannot_be_used(setting, location, str(error))) from error


def default_folder(plugin: str, identity: Mapping[str, Any]) -> Path:
    """Return the folder of a pipeline in the user's state directory.

    `identity` is what tells this pipeline from others of the same plugin; no secret.
    Raises: RuntimeError if the user has no home.
    """
    home = os.environ.get(STATE_HOME)
    base = Path(home) if home else Path.home() / ".local" / "state"
    known = {**identity, **{name: os.environ.get(name) for name in OF_PIPELINE}}
    digest = hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()
    return base / plugin / f"{_host_of(identity)}-{digest[:KEY_CHARACTERS]}"


def _host_of(identity: Mapping[str, Any]) -> str:
    """Return what a folder is called for a person; what tells it from others is the digest."""
    try:
        host = urlsplit(str(identity.get("base_url") or "")).hostname
    except ValueError:
        host = None  # it will be refused
    return (host or "marketo")[:HOST_CHARACTERS]


def write_whole(path: Folder, text: str) -> None:
    """Replace a file at once, so that nobody reads half of it; readable by its owner only.

    Raises: OSError
    """
    if not isinstance(path, Path):
        path.write_text(text, encoding="utf-8")
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def append_line(path: Path, line: str) -> None:
    """Add a line to a file that is there; a process that is killed meanwhile leaves part of it.

    Raises: OSError
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{line}\n")
