"""Program choice: the programs that settings let through, of those that Marketo lists."""

from __future__ import annotations

import logging
import re
import unicodedata
from fnmatch import fnmatchcase, translate
from functools import cache
from typing import TYPE_CHECKING, Any

from marketo_bulk import ConfigurationError, DecodeError
from singer_marketo.names import nearest
from tap_marketo_bulk.program_settings import FOLDERS, TAGS
from tap_marketo_bulk.streams.program_list import moment_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tap_marketo_bulk.program_settings import ProgramWishes
    from tap_marketo_bulk.streams.program_tags import ProgramTags

    Asset = Mapping[str, Any]

logger = logging.getLogger(__name__)

FOLDER = "folder"
"""The type of a folder, in small letters. A program may lie in a program, whose id may be that of
some folder."""


def chosen(
    listed: Sequence[dict[str, Any]], wishes: ProgramWishes, tags: ProgramTags
) -> list[dict[str, Any]]:
    """Return the programs that are wanted, in their order, and say how many.

    Tags are asked for last, and only of programs that all other settings let through.
    Raises: ConfigurationError if no program is left.
    """
    if not wishes:
        return list(listed)
    for sentence in _unmatched(listed, wishes):
        logger.warning("%s", sentence)
    left = [asset for asset in listed if _is_wanted(asset, wishes)]
    for tag_values in _by_type(wishes.only.get(TAGS, ())).values():
        tagged = _tagged(tags, "program_tags", tag_values, left)
        left = [asset for asset in left if asset["id"] in tagged]
    if TAGS in wishes.without:
        tagged = _tagged(tags, "exclude_program_tags", wishes.without[TAGS], left)
        left = [asset for asset in left if asset["id"] not in tagged]
    said = f"{len(left):,} of {len(listed):,} programs chosen: {wishes.terms()}"
    if listed and not left:
        raise ConfigurationError(f"{said}. Correct the settings that choose programs")
    logger.info("%s", said)
    return left


def _is_wanted(asset: Asset, wishes: ProgramWishes) -> bool:
    """Return whether a program passes all settings but those of tags."""
    return (
        asset["id"] not in wishes.excluded_ids
        and all(_has(asset, kind, values) for kind, values in wishes.only.items())
        and not any(
            _has(asset, kind, values) for kind, values in wishes.without.items() if kind != TAGS
        )
        and _is_recent(asset, wishes)
    )


def _is_recent(asset: Asset, wishes: ProgramWishes) -> bool:
    """Return whether a program was changed late enough; one that does not say when was."""
    if wishes.updated_since is None:
        return True
    try:
        moment = moment_of(asset, "updatedAt")
    except DecodeError:
        return True
    return moment is None or moment >= wishes.updated_since


def _has(asset: Asset, kind: str, values: Collection[str]) -> bool:
    if kind == TAGS:
        return True  # the list does not tell
    return any(_fits(text, value, kind) for text in _texts_of(asset, kind) for value in values)


def _fits(text: str, value: str, kind: str) -> bool:
    """Return whether a value means a text, whatever the case and the way accents are written."""
    text, value = (unicodedata.normalize("NFC", each) for each in (text, value))
    if kind != "names":
        return text.casefold() == value.casefold()
    # Folded, ß is two letters, and of one alone `?` and `[...]` mean one.
    return fnmatchcase(text.casefold(), value.casefold()) or bool(_unfolded(value).match(text))


@cache
def _unfolded(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern), re.IGNORECASE)


def _texts_of(asset: Asset, kind: str) -> list[str]:
    """Return what a program is chosen by: a name, or also an id."""
    if kind == FOLDERS:
        folder = asset.get("folder")
        if not isinstance(folder, dict) or str(folder.get("type")).casefold() != FOLDER:
            return []
        # The OpenAPI file calls the id so, samples have `value`.
        keys = ("folderName", "value", "id")
        return [str(folder[key]) for key in keys if folder.get(key) is not None]
    text = asset.get(kind.removesuffix("s"))
    return [text] if isinstance(text, str) and text else []


def _unmatched(listed: Sequence[Asset], wishes: ProgramWishes) -> Iterator[str]:
    """Yield a sentence for each value that no program has."""
    for prefix, wanted in (("program_", wishes.only), ("exclude_program_", wishes.without)):
        for kind, values in wanted.items():
            if kind == TAGS:
                continue
            known = [text for asset in listed for text in _texts_of(asset, kind)]
            for value in values:
                if not any(_fits(text, value, kind) for text in set(known)):
                    near = nearest(value, known)
                    yield f"{prefix}{kind}: no program has {value!r}{near}"
    unknown = wishes.excluded_ids - {asset["id"] for asset in listed}
    if unknown:
        yield f"exclude_program_ids: there are no programs {', '.join(map(str, sorted(unknown)))}"


def _tagged(
    tags: ProgramTags, setting: str, values: Collection[str], left: Sequence[Asset]
) -> set[int]:
    """Return the ids of programs with one of some tags, and say of tags that no program has."""
    candidates = [int(asset["id"]) for asset in left]
    found: set[int] = set()
    for tag in values if candidates else ():
        having = tags.programs_with(tag, candidates)
        found.update(having)
        if not having:
            logger.warning("%s: no program has %r%s", setting, tag, tags.nearest_to(tag))
    return found


def _by_type(tag_values: Collection[str]) -> dict[str, list[str]]:
    """Return tags by their type: a program is to have one of each."""
    grouped: dict[str, list[str]] = {}
    for tag in tag_values:
        grouped.setdefault(tag.partition("=")[0].casefold(), []).append(tag)
    return grouped
