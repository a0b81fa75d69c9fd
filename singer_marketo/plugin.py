"""Plugin: what tap and target do alike on their border to the user and the system."""

from __future__ import annotations

import abc
import logging
import re
import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import click
from singer_sdk.cli import plugin_cli
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.plugin_base import PluginBase, SingerCommand, _ConfigInput
from typing_extensions import override

from singer_marketo.environment import set_up_logging, settings_of_environment
from singer_marketo.exits import errors_on_one_line
from singer_marketo.json_files import JsonObjectFile, MessageFile, read_object
from singer_marketo.names import unknown_settings
from singer_marketo.outcome import current, recorded
from singer_marketo.setting_values import as_declared, without_unset
from singer_marketo.settings import without_secrets
from singer_marketo.stdout import flush_stdout, naming_stdout, require_stdout
from singer_marketo.stream_maps import faults_of_else, with_any_else

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from singer_marketo.state_folder import Folder

ENVIRONMENT = "ENV"

FILES: Mapping[str, JsonObjectFile | MessageFile] = {
    "catalog": JsonObjectFile("catalog"),
    "state": JsonObjectFile("state"),
    "file_input": MessageFile(),
}
"""The options of the command that name a file; the SDK's own types answer with the usage."""

SETTING_IN_FAULT = re.compile(r"config\['(\w+)'\]")
"""How the SDK names a setting."""

SETTING_FIRST = re.compile(r"[^\w]")
"""What ends the name of a setting at the beginning of one of our own sentences."""

SDK_BOUNDS: Mapping[str, Mapping[str, int]] = {
    "flattening_max_depth": {"minimum": 0, "maximum": 1_000},
    "flattening_max_key_length": {"minimum": 1, "maximum": 1_000_000},
}
"""Ranges of the SDK's own numbers, which it does not declare."""


class MarketoCommand(SingerCommand):
    """A command whose every error is one line, whether it is reading its options or running."""

    log_fault = ""

    @override
    def make_context(self, *args: Any, **options: Any) -> click.Context:
        with errors_on_one_line(self.logger):
            require_stdout()
            if self.log_fault:
                raise ConfigValidationError(self.log_fault)
            try:
                return super().make_context(*args, **options)
            finally:
                flush_stdout()

    @override
    def invoke(self, ctx: click.Context) -> Any:
        logging.captureWarnings(capture=True)
        warnings.filterwarnings("once", category=DeprecationWarning)
        with recorded(self.logger.name), errors_on_one_line(self.logger):
            try:
                # Past the SDK's own way, which logs a line more and shows tracebacks.
                return click.Command.invoke(self, ctx)
            finally:
                flush_stdout()


class MarketoPlugin(PluginBase):
    """The border of a plugin: its files, its environment, its settings, and how it ends."""

    config_jsonschema: ClassVar[dict[str, Any]]

    @classmethod
    @abc.abstractmethod
    def faults_of_config(cls, config: Mapping[str, Any]) -> list[str]:
        """Return, as sentences, what is wrong with settings whose types are right."""

    @classmethod
    @abc.abstractmethod
    def state_folder(cls, config: Mapping[str, Any]) -> Folder | None:
        """Return the folder of what a run keeps outside STATE; None if there is none."""

    @classproperty
    @override
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805  # the SDK's own way of a class
        cls.append_builtin_config(cls.config_jsonschema)
        known = cls.config_jsonschema["properties"]
        found = settings_of_environment(known, cls._env_var_prefix)
        if found:
            cls.logger.info("Settings of the environment: %s", ", ".join(sorted(found)))
        return found

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        super().append_builtin_config(config_jsonschema)
        properties = config_jsonschema["properties"]
        for name in properties.keys() & SDK_BOUNDS.keys():
            properties[name] = {**properties[name], **SDK_BOUNDS[name]}
        if "stream_maps" in properties:
            properties["stream_maps"] = with_any_else(properties["stream_maps"])

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        given, properties = without_unset(self._config), schema["properties"]
        for sentence in unknown_settings(given, properties):
            self.logger.warning("%s", sentence)
        self._config, unfit = as_declared(given, properties)
        errors = list(unfit.values())
        try:
            super()._validate_config(raise_errors=True)
        except ConfigValidationError as error:
            errors += without_secrets(error.errors)
        errors += faults_of_else(self._config.get("stream_maps"))
        faults = self.faults_of_config({**given, **self._config})
        named = {*unfit, *SETTING_IN_FAULT.findall(" ".join(errors))}
        errors += [fault for fault in faults if SETTING_FIRST.split(fault, 1)[0] not in named]
        if errors and raise_errors:
            raise ConfigValidationError("The settings are wrong", errors=errors, schema=schema)
        outcome = current()
        if outcome is not None and not errors:
            outcome.place(self.state_folder(self._config))
        return errors

    @classmethod
    @override
    def print_version(cls, print_fn: Callable[[Any], None] = print) -> None:
        with naming_stdout():
            super().print_version(print_fn)

    @classmethod
    @override
    def print_about(cls, output_format: str | None = None) -> None:
        with naming_stdout():
            super().print_about(output_format)

    # Command line -----------------------------------------------------------------------

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        config: dict[str, Any] = {}
        for path in value:
            if path != ENVIRONMENT:
                config |= read_object(path, "config", takes_nan=True)
        return _ConfigInput(config=config, parse_env=ENVIRONMENT in value)

    @classmethod
    @override
    def get_singer_command(cls) -> MarketoCommand:
        plain = super().get_singer_command()
        command = MarketoCommand(
            name=plain.name,
            callback=plain.callback,
            context_settings=plain.context_settings,
            params=plain.params,
            help=plain.help,
            logger=cls.logger,
        )
        for parameter in command.params:
            parameter.type = FILES.get(parameter.name or "", parameter.type)
        return command

    @plugin_cli
    @override
    def cli(cls) -> click.Command:  # noqa: N805  # the SDK's own way of a class
        """The command."""
        fault = set_up_logging(cls._env_var_prefix)
        command = cls.get_singer_command()
        command.log_fault = fault
        return command
