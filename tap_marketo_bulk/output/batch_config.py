"""Batch config: the SDK's setting for BATCH messages, as this tap follows it."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from singer_marketo.locations import fault_of
from singer_marketo.settings import folded_instance, instance_of

if TYPE_CHECKING:
    from collections.abc import Mapping

JSONL = "jsonl"
PARQUET = "parquet"

COMPRESSIONS: Mapping[str, tuple[str, ...]] = {
    JSONL: ("gzip", "none"),
    PARQUET: ("zstd", "gzip", "none"),
}
"""What each format may be compressed with, its default first."""

KNOWN: Mapping[str, tuple[str, ...]] = {
    "encoding": ("format", "compression"),
    "storage": ("root", "prefix", "params"),
}
LIMITS = ("batch_size", "batch_size_bytes")

ADVICE = 'Set it to such as {"encoding": {"format": "jsonl"}, "storage": {"root": "batches"}}'


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """Where batch files go, in which form, and when the next one begins.

    Units: `max_rows` rows and `max_bytes` bytes a file; None for no limit.
    """

    format: str
    compression: str
    root: str
    prefix: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    max_rows: int | None = None
    max_bytes: int | None = None
    nulls_misfits: bool = False
    """Whether a value beyond its Parquet type becomes null, as `on_bad_value` says."""
    origin: tuple[str, ...] = ()
    """Which instance the records are of, and who read them there; empty for those of an archive."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> BatchConfig | None:
        """Return what a config without `faults` says; None if records are to be RECORD messages."""
        given = config.get("batch_config")
        if given is None or not is_set(given):
            return None
        encoding, storage = given["encoding"], given["storage"]
        return cls(
            encoding["format"],
            encoding.get("compression") or COMPRESSIONS[encoding["format"]][0],
            storage["root"],
            (storage.get("prefix") or "").lstrip("/"),  # below the root, as the SDK has it
            storage.get("params") or {},
            given.get("batch_size"),
            given.get("batch_size_bytes"),
            # The text, or null itself, as in the settings.
            nulls_misfits=config.get("on_bad_value", "fail") in {"null", None},
            # Users of one instance may see different parts of it.
            origin=()
            if config.get("replay_url")
            else (folded_instance(instance_of(config)), config.get("client_id") or ""),
        )

    @property
    def suffix(self) -> str:
        """How the names of the files end."""
        if self.format == PARQUET:
            return ".parquet"
        return ".jsonl.gz" if self.compression == "gzip" else ".jsonl"

    def encoding(self) -> dict[str, str]:
        """Return the encoding as a BATCH message names it."""
        return {"format": self.format, "compression": self.compression}


def is_set(setting: object) -> bool:
    """Return whether a setting says anything: Meltano passes on those nobody has set as nulls."""
    if isinstance(setting, dict):
        return any(map(is_set, setting.values()))
    return setting is not None


def faults(given: object) -> list[str]:
    """Return, as sentences, what is wrong with a `batch_config`; null means none."""
    if not is_set(given):
        return []
    if not isinstance(given, dict):
        return [f"batch_config is no object. {ADVICE}"]
    found = [
        f"batch_config.{name} is no part of it. Remove it"
        for name in given
        if name not in {*KNOWN, *LIMITS}
    ]
    for part, names in KNOWN.items():
        inner = given.get(part)
        if not isinstance(inner, dict):
            found.append(f"batch_config.{part} must be an object. {ADVICE}")
            continue
        found += [
            f"batch_config.{part}.{name} is no part of it. Remove it"
            for name in inner
            if name not in names
        ]
    if found:
        return found
    return [*_faults_of_encoding(given["encoding"]), *_faults_of_storage(given["storage"])] + [
        f"batch_config.{name} must be a whole number from 1 on"
        for name in LIMITS
        if (limit := given.get(name)) is not None
        and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1)
    ]


def _faults_of_encoding(encoding: Mapping[str, Any]) -> list[str]:
    format_, compression = str(encoding.get("format")), encoding.get("compression")
    if format_ not in COMPRESSIONS:
        return [f"batch_config.encoding.format must be one of {', '.join(COMPRESSIONS)}"]
    if compression not in {None, *COMPRESSIONS[format_]}:
        allowed = ", ".join(COMPRESSIONS[format_])
        return [f"batch_config.encoding.compression must be one of {allowed} for {format_}"]
    if format_ == PARQUET and importlib.util.find_spec("pyarrow") is None:
        return ["batch_config.encoding.format parquet needs pyarrow. Install the extra [parquet]"]
    return []


def _faults_of_storage(storage: Mapping[str, Any]) -> list[str]:
    root, prefix, params = (storage.get(name) for name in KNOWN["storage"])
    found = []
    if not isinstance(root, str) or not root.strip():
        found.append("batch_config.storage.root must name a directory or a bucket")
    if prefix is not None and not isinstance(prefix, str):
        found.append("batch_config.storage.prefix must be text")
    if params is not None and not isinstance(params, dict):
        found.append("batch_config.storage.params must be an object of the driver's options")
    if ".." in str(prefix).split("/"):
        found.append("batch_config.storage.prefix must not leave the root: remove its `..`")
    found += [
        f"batch_config.storage.{name} holds a NUL character: remove it"
        for name in ("root", "prefix")
        if "\0" in str(storage.get(name))
    ]
    return found or fault_of("batch_config.storage.root", root, params)
