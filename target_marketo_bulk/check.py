"""Check: whether an import could be made with these settings, without sending a row."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from typing import TYPE_CHECKING

from marketo_bulk.errors import ConfigurationError, NotFoundError
from singer_marketo.locations import own_path
from singer_marketo.names import nearest
from target_marketo_bulk.destinations import Destinations
from target_marketo_bulk.files.storage import REJECTS_SETTING, stored_in
from target_marketo_bulk.outcomes.reject_limits import told_reject_limits
from target_marketo_bulk.outcomes.rejects import make_private_directory

if TYPE_CHECKING:
    from marketo_bulk.client import MarketoBulk
    from marketo_bulk.imports.objects import ImportObject
    from target_marketo_bulk.settings import ImportSettings

NO_IMPORT = "1"
"""A batch id that is none today: asked for, it tells whether imports may be."""

logger = logging.getLogger(__name__)


def check(settings: ImportSettings, client: MarketoBulk) -> None:
    """Log what is in order; nothing is sent, and no import is made.

    Raises: ConfigurationError, or another MarketoBulkError, for the first thing that is not.
    """
    destination = Destinations(settings, client).of("")
    logger.info("check: credentials and Read-Only Lead are in order")
    logger.info(
        "check: lookup_field %r is one of %d fields",
        destination.lookup_fields[0],
        len(destination.catalog),
    )
    _check_permission(destination.object, client)
    if settings.list_id is not None:
        _check_list(settings.list_id, client)
    if settings.partition_name is not None:
        _check_partition(settings.partition_name, client)
    path = own_path(settings.rejects_path)
    with stored_in(path, REJECTS_SETTING):
        make_private_directory(path)
        with tempfile.TemporaryFile(dir=path):
            pass
    logger.info("check: rejects_path %s can be written", path)
    logger.info("check: a run fails above %s of rejects", told_reject_limits(settings))
    logger.info("check: all is in order; nothing was sent")


def _check_permission(import_object: ImportObject, client: MarketoBulk) -> None:
    with contextlib.suppress(NotFoundError):
        client.get_import_status(import_object, NO_IMPORT)
    logger.info("check: Read-Write Lead is in order")


def _check_list(list_id: int, client: MarketoBulk) -> None:
    if not client.has_list(list_id):
        raise ConfigurationError(
            f"list_id {list_id}: no such static list, or the API user cannot see it"
        )
    logger.info("check: list_id %d is a static list", list_id)


def _check_partition(name: str, client: MarketoBulk) -> None:
    names = client.list_partitions()
    if name not in names:
        raise ConfigurationError(
            f"partition_name {name!r}: no such lead partition, or the API user cannot see it"
            f"{nearest(name, names)}"
        )
    logger.info("check: partition_name %r is a lead partition", name)
