"""Program settings: which programs are wanted, by what the list of programs says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from marketo_bulk import ConfigurationError
from marketo_bulk.limits import ID_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

TAGS, FOLDERS = "tags", "folders"
KINDS: Mapping[str, str] = {
    "types": "types of programs, such as `Event`",
    "channels": "names of channels",
    "workspaces": "names of workspaces",
    FOLDERS: "names or ids of the folders that programs lie in directly",
    "names": "shell patterns of program names, such as `2026-*`",
    TAGS: "tags as `Type=Value`; two values of one type mean either of them. A tag costs two "
    "calls, and one more for each program if more than 200 have it",
}
"""What programs can be chosen by, and what a value of each is."""

SINCE = "programs_updated_since"
EXCLUDED_IDS = "exclude_program_ids"


_TEXT = th.StringType(min_length=1)
_ID_OR_NAME = th.CustomType({"type": ["integer", "string"]})


def _values_of(kind: str, name: str, title: str, description: str) -> th.Property[Any]:
    values = th.ArrayType(_ID_OR_NAME if kind == FOLDERS else _TEXT)
    return th.Property(name, values, title=title, description=description)


PROGRAM_CHOICE = (
    *(
        _values_of(
            kind,
            f"program_{kind}",
            f"Program {kind}",
            f"Only programs with one of these: {what}. Case does not matter.",
        )
        for kind, what in KINDS.items()
    ),
    th.Property(
        SINCE,
        th.DateTimeType,
        title="Programs updated since",
        description="Only programs that were changed themselves at this moment or later. A change "
        "of their members does not count.",
    ),
    th.Property(
        EXCLUDED_IDS,
        th.ArrayType(th.IntegerType(minimum=1, maximum=ID_MAX)),
        title="Exclude program IDs",
        description="Programs to leave out, whatever else chooses them.",
    ),
    *(
        _values_of(
            kind,
            f"exclude_program_{kind}",
            f"Exclude program {kind}",
            f"Leave out programs with one of these: see `program_{kind}`.",
        )
        for kind in KINDS
    ),
)
PROGRAM_CHOICE_NAMES = tuple(setting.name for setting in PROGRAM_CHOICE)


@dataclass(frozen=True, slots=True)
class ProgramWishes:
    """Which programs are wanted.

    Shape: `only` and `without` have the values of each of KINDS that is set.
    """

    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    excluded_ids: frozenset[int] = frozenset()
    updated_since: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.only or self.without or self.excluded_ids or self.updated_since)

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], updated_since: datetime | None
    ) -> ProgramWishes:
        """Return the wishes of a validated config.

        Raises: ConfigurationError if a tag is none.
        """
        return cls(
            _values(config, "program_"),
            _values(config, "exclude_program_"),
            frozenset(config.get(EXCLUDED_IDS) or ()),
            updated_since,
        )

    def terms(self) -> str:
        """Return the settings as one text."""
        said = [
            f"{prefix}{kind}={', '.join(values)}"
            for prefix, wishes in (("program_", self.only), ("exclude_program_", self.without))
            for kind, values in wishes.items()
        ]
        if self.updated_since is not None:
            said.append(f"{SINCE}={self.updated_since:%Y-%m-%dT%H:%M:%SZ}")
        if self.excluded_ids:
            said.append(f"{EXCLUDED_IDS}={', '.join(map(str, sorted(self.excluded_ids)))}")
        return "; ".join(said)


def _values(config: Mapping[str, Any], prefix: str) -> dict[str, tuple[str, ...]]:
    found = {
        kind: tuple(dict.fromkeys(map(str, config[f"{prefix}{kind}"])))
        for kind in KINDS
        if config.get(f"{prefix}{kind}")
    }
    for tag in found.get(TAGS, ()):
        tag_type, _, value = tag.partition("=")
        if not tag_type or not value:
            raise ConfigurationError(f"{prefix}{TAGS}: {tag!r} is not a tag such as Region=EMEA")
    return found
