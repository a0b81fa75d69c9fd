"""Journal of a pipeline: where it lies, and who may write to it."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketo_bulk.errors import ConfigurationError
from singer_marketo.run_lock import only_run
from singer_marketo.state_folder import default_folder, folder_at
from tap_marketo_bulk.settings import FILTER_SETTINGS
from tap_marketo_bulk.sync.job_journal import JobJournal, checked_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_marketo.state_folder import Folder

SETTING = "job_journal"
IDENTITY = ("munchkin_id", "base_url", "client_id", *FILTER_SETTINGS, "replay_url")
"""Settings that tell pipelines apart: an instance may be split among several."""

logger = logging.getLogger(__name__)


def journal_folder(plugin: str, config: Mapping[str, Any]) -> Folder | None:
    """Return the folder of the journal; None if none is named and the user has no home."""
    location = config.get(SETTING)
    if location:
        return folder_at(location, SETTING)
    try:
        return default_folder(plugin, {name: config.get(name) for name in IDENTITY})
    except RuntimeError:
        return None


def journal_faults(plugin: str, config: Mapping[str, Any]) -> list[str]:
    """Return, as sentences, what is wrong with the setting; nothing is made or asked for it."""
    if not isinstance(config.get(SETTING) or "", str):
        return []  # its type is wrong, and told already
    try:
        journal_folder(plugin, config)
    except ConfigurationError as error:
        return [str(error)]
    return []


@contextlib.contextmanager
def journal_of(plugin: str, config: Mapping[str, Any]) -> Iterator[JobJournal | None]:
    """Hold the journal of a pipeline; None where the default place cannot be written.

    Raises: AnotherRunError; ConfigurationError if the place that was asked for cannot be used.
    """
    folder = journal_folder(plugin, config)
    with contextlib.ExitStack() as held:
        if config.get(SETTING) and folder is not None:
            checked_folder(folder)
        try:
            if isinstance(folder, Path):
                held.enter_context(only_run(folder, SETTING))
        except OSError as error:
            logger.warning(
                "jobs under way are not noted outside STATE: %s: %s. Set job_journal to a folder "
                "that can be written",
                error.filename,
                error.strerror,
            )
            folder = None
        yield None if folder is None else JobJournal(folder)
