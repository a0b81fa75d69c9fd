"""Tap: settings, discovery, and what a run shares between its streams."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from marketo_bulk import ConfigurationError, MarketoBulk, Timing
from marketo_bulk.connection_settings import (
    connection_from,
    missing_settings,
    plugin_schema,
    with_numbers,
    without_secrets,
)
from marketo_bulk.exits import errors_on_one_line
from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from typing_extensions import override

from tap_marketo_bulk.discovery import MemberFields
from tap_marketo_bulk.patient_client import PatientClient
from tap_marketo_bulk.plan import Program, program_of
from tap_marketo_bulk.program_members import ProgramMembers
from tap_marketo_bulk.programs import Programs
from tap_marketo_bulk.settings import TAP_SETTINGS, TapSettings
from tap_marketo_bulk.writer import LineWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

TERMINATION_PATIENCE_SECONDS = 4.0
"""How long a signal waits for a write to a full pipe before the process leaves without STATE."""


class TapMarketoBulk(Tap):
    """Singer tap for Marketo program members, read from the bulk extract API."""

    name = "tap-marketo-bulk"
    package_name = "tap-target-marketo-bulk"
    message_writer_class = LineWriter
    config_jsonschema = plugin_schema(th.PropertiesList(*TAP_SETTINGS).to_dict()["properties"])
    # The SDK's BATCH ignores selection and stream maps, so it is not offered.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        c for c in Tap.capabilities if c is not PluginCapabilities.BATCH
    ]

    # What the streams share -------------------------------------------------------------

    timing = Timing()
    """How the exports know the time; a simulation puts its own here."""

    @cached_property
    def settings(self) -> TapSettings:
        """Return the tap's own settings."""
        return TapSettings.from_config(self.config)

    @cached_property
    def client(self) -> MarketoBulk:
        """Return the one client of this process."""
        return MarketoBulk.connect(connection_from(self.config))

    @property
    def patient_client(self) -> PatientClient:
        """Return the same client for what is asked before there are export jobs."""
        return PatientClient(self.client, self.timing, wait=self.settings.wait_for_daily_quota)

    @cached_property
    def _program_assets(self) -> Sequence[dict[str, Any]]:
        return self.patient_client.list_programs(self.settings.program_ids)

    def program_assets(self) -> Sequence[dict[str, Any]]:
        """Return the wanted programs as Marketo describes them; asked for once in a run."""
        return self._program_assets

    def members_programs(self) -> list[Program]:
        """Return the programs whose members are wanted.

        Raises: ConfigurationError naming the ids of `program_ids` that Marketo does not know.
        """
        found = [program_of(asset) for asset in self.program_assets()]
        unknown = set(self.settings.program_ids) - {program.program_id for program in found}
        if unknown:
            raise ConfigurationError(
                f"program_ids {sorted(unknown)}: no such program, or the API user cannot see it. "
                "Remove it from program_ids, or give the API user access to its workspace."
            )
        return found

    @override
    def discover_streams(self) -> list[Stream]:
        client = self.patient_client
        fields = MemberFields.from_describe(
            client.describe_program_members(), client.describe_leads().fields
        )
        return [ProgramMembers(self, fields), Programs(self)]

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        self._config = with_numbers(self._config, self.config_jsonschema)
        errors = without_secrets(super()._validate_config(raise_errors=False))
        errors += missing_settings(self._config)
        if errors and raise_errors:
            raise ConfigValidationError(
                "Config validation failed", errors=errors, schema=self.config_jsonschema
            )
        return errors

    # Signals ----------------------------------------------------------------------------

    def uninterrupted(self) -> contextlib.AbstractContextManager[None]:
        """Let a signal wait until STATE is whole."""
        writer = self.message_writer
        if isinstance(writer, LineWriter):
            return writer.uninterrupted()
        return contextlib.nullcontext()

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Leave with 128 + signal, once the line under way is complete.

        The stream that is interrupted writes STATE on the way out.
        """
        exit_code = 128 + signum
        timer = threading.Timer(TERMINATION_PATIENCE_SECONDS, os._exit, (exit_code,))
        timer.daemon = True
        timer.start()
        # Raised where the signal came in the middle of writing another line to a stuck log.
        with contextlib.suppress(RuntimeError):
            self.logger.info("Told to stop by signal %d", signum)
        writer = self.message_writer
        if not (isinstance(writer, LineWriter) and writer.defer(lambda: sys.exit(exit_code))):
            sys.exit(exit_code)

    # Command line -----------------------------------------------------------------------

    @classmethod
    @override
    def invoke(cls, **kwargs: Any) -> None:
        with errors_on_one_line(cls.logger):
            super().invoke(**kwargs)

    @classmethod
    @override
    def cb_discover(cls, *args: Any) -> None:
        with errors_on_one_line(cls.logger):
            super().cb_discover(*args)

    @classmethod
    @override
    def cb_test(cls, *args: Any) -> None:
        with errors_on_one_line(cls.logger):
            super().cb_test(*args)
