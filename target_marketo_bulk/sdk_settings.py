"""SDK settings: what the SDK reads from the configuration of a target, and this one cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Limit(NamedTuple):
    """The values of a setting that change nothing here, and why no other is taken."""

    harmless: tuple[object, ...]
    why: str


SDK_SETTINGS: Mapping[str, Limit] = {
    "load_method": Limit(
        ("upsert",), "bulk import updates or creates leads, and neither appends nor overwrites"
    ),
    "add_record_metadata": Limit((False,), "properties that start with _sdc_ are never sent"),
    "batch_size_rows": Limit((), "files are cut by max_file_size_bytes and max_batch_age_seconds"),
    "batch_config": Limit((), "a BATCH message says itself where its files are"),
    "hard_delete": Limit((False,), "bulk import cannot delete leads"),
    "process_activate_version_messages": Limit((False,), "bulk import cannot delete leads"),
    "emit_activate_version_messages": Limit((False,), "this is a setting of taps"),
}
"""A null is as good as no setting."""


def settings_of(environment: Mapping[str, str]) -> dict[str, object]:
    """Return what the settings of an environment say of these, by name."""
    words: dict[str, object] = {"true": True, "false": False}
    return {
        name: words.get(text.lower(), text)
        for name, text in environment.items()
        if name in SDK_SETTINGS
    }


def refused_settings(config: Mapping[str, object]) -> list[str]:
    """Return, as sentences, which settings ask for something that would not happen."""
    return [
        f"{name} is {config[name]!r}, which is not offered: {limit.why}. Remove the setting"
        for name, limit in SDK_SETTINGS.items()
        if config.get(name) is not None
        and not any(_is_same(config[name], each) for each in limit.harmless)
    ]


def _is_same(value: object, harmless: object) -> bool:
    # For Python 0 is False, too.
    return type(value) is type(harmless) and value == harmless
