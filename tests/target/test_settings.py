from __future__ import annotations

import contextlib
import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from target_marketo_bulk.sdk_settings import SDK_SETTINGS
from target_marketo_bulk.settings import SCHEMA, ImportSettings
from target_marketo_bulk.target import TargetMarketoBulk
from tests.target.runs import people, singer_lines
from tests.target.test_signals import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_emulator import Emulator
    from tests.target.runs import Record, Run

# The target's own schema is amended by the SDK with settings of the SDK's.
PROPERTIES = SCHEMA["properties"]
DRY = {"dry_run_path": "dry"}


def errors(config: Record) -> list[str]:
    """Return what is wrong with a configuration."""
    try:
        TargetMarketoBulk(config=config)
    except ConfigValidationError as error:
        return error.errors
    return []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_file_size_bytes", 10_000_000),
        ("max_file_size_bytes", 0),
        ("max_queued_imports", 0),
        ("max_queued_imports", 11),
        ("calls_per_20_seconds", 101),
        ("max_concurrent_calls", 0),
        ("max_rejected_percent", -1),
        ("max_rejected_rows", -1),
        ("max_rejected_rows", 0.5),
        ("max_rejected_rows", "all"),
        ("max_rejected_percent", 101),
        ("poll_interval_seconds", -1),
        ("import_timeout_seconds", 0),
        ("max_batch_age_seconds", 0),
        ("format", "xlsx"),
        ("lookup_field", ""),
        ("list_id", "seven"),
        ("max_rejected_percent", "many"),
        ("max_rejected_percent", "101.5"),
        ("poll_interval_seconds", "-1.5"),
    ],
)
def test_value_out_of_range_is_refused_by_name(name: str, value: object) -> None:
    """A value that cannot work is an error that names its setting."""
    assert any(name in error for error in errors({**DRY, name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_file_size_bytes", 9_999_999),
        ("max_queued_imports", 10),
        ("max_rejected_percent", 0.5),
        ("max_rejected_rows", 0),
        ("max_rejected_rows", None),
        ("poll_interval_seconds", 0),
        ("format", "ssv"),
        ("list_id", None),
    ],
)
def test_value_at_the_edge_is_accepted(name: str, value: object) -> None:
    """The largest and smallest values that work are accepted, and null is the default."""
    assert errors({**DRY, name: value}) == []


def test_missing_credentials_are_named() -> None:
    """Without a dry run, instance and credentials are needed, and the error says which."""
    found = errors({})
    assert found == ["client_id, client_secret, munchkin_id (or base_url) must be set"]


def test_secret_is_never_shown() -> None:
    """An error about the secret does not quote it."""
    assert "4711" not in str(errors({**DRY, "client_secret": 4711}))


def test_only_the_secret_is_secret_and_everything_is_described() -> None:
    """Every setting has a title and a description; the client secret is marked."""
    assert [name for name, schema in PROPERTIES.items() if schema.get("secret")] == [
        "client_secret"
    ]
    assert all(schema["title"] and schema["description"] for schema in PROPERTIES.values())


def test_defaults_of_schema_and_values_agree() -> None:
    """The schema's defaults are those of the parsed settings."""
    parsed = ImportSettings.parse({})
    assert {
        name: getattr(parsed, name)
        for name in ImportSettings.__slots__
        if PROPERTIES[name].get("default") is not None
    } == {
        name: PROPERTIES[name]["default"]
        for name in ImportSettings.__slots__
        if PROPERTIES[name].get("default") is not None
    }


EXAMPLES: dict[str, Any] = {
    "munchkin_id": "123-ABC-456",
    "base_url": "http://127.0.0.1:1",
    "identity_url": "http://127.0.0.1:1/identity",
    "client_id": "me",
    "client_secret": "mine",
    "calls_per_20_seconds": 7,
    "max_concurrent_calls": 2,
    "request_timeout_seconds": 1.5,
    "max_retry_seconds": 0.5,
    "lookup_field": "id",
    "list_id": 5,
    "partition_name": "Default",
    "format": "tsv",
    "max_file_size_bytes": 5_000,
    "max_batch_age_seconds": 2.5,
    "poll_interval_seconds": 0.5,
    "import_timeout_seconds": 9.5,
    "max_queued_imports": 3,
    "rejects_path": "elsewhere",
    "max_rejected_percent": 0.5,
    "max_rejected_rows": 4,
    "clean_up_batch_files": True,
    "dry_run_path": "dry",
    "null_cell": "NULL",
    "on_daily_quota": "wait",
}


def test_every_setting_has_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """`TARGET_MARKETO_BULK_<NAME>` sets each, fractions included."""
    assert EXAMPLES.keys() == PROPERTIES.keys()
    for name, value in EXAMPLES.items():
        monkeypatch.setenv(f"TARGET_MARKETO_BULK_{name.upper()}", str(value))
    config = TargetMarketoBulk(parse_env_config=True).config
    assert {name: config[name] for name in EXAMPLES} == EXAMPLES


def test_fractions_of_a_file_are_numbers(tmp_path: Path) -> None:
    """The SDK reads fractions of a file as Decimal, with which no clock can be compared."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**DRY, "poll_interval_seconds": 0.5}))
    from singer_sdk.plugin_base import _ConfigInput  # noqa: PLC0415  # what the CLI uses

    config = TargetMarketoBulk(config=_ConfigInput.from_cli_args(str(path)).config).config
    assert type(config["poll_interval_seconds"]) is float


def test_dry_run_writes_files_and_asks_nothing(tmp_path: Path, run: Callable[..., Run]) -> None:
    """Without credentials the files are written as they would be sent; no STATE is passed on."""
    dry = tmp_path / "dry"
    config = {
        "dry_run_path": str(dry),
        "max_file_size_bytes": 1_000,
        "rejects_path": str(tmp_path / "rejects"),
    }
    records = [*people(60), {"email": "jürgen@load.test"}]
    result = run(singer_lines(records), config)
    assert result.error is None
    assert result.states == []
    files = sorted(dry.glob("leads-*"))
    assert [path.name for path in files] == ["leads-0001.csv", "leads-0002.csv"]
    assert all(path.stat().st_size < 1_000 for path in files)
    assert b"".join(path.read_bytes() for path in files).count(b"@load.test") == 60
    assert stat.S_IMODE(dry.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert [entry["record"] for entry in result.rejects] == records[-1:]
    assert result.summary["imported"] == "60"


def test_dry_run_with_credentials_checks_the_columns(
    config: Record, tmp_path: Path, run: Callable[..., Run], emulator: Emulator
) -> None:
    """With credentials describe is asked, and nothing else."""
    schema: Record = {"properties": {"email": {}, "frstName": {}}}
    config |= {"dry_run_path": str(tmp_path / "dry")}
    result = run(singer_lines([], schema=schema), config)
    assert "did you mean 'firstName'" in str(result.error)
    assert {each.operation for each in emulator.requests} == {"identity.token", "describe.leads"}


def test_error_is_one_line_without_traceback(tmp_path: Path) -> None:
    """A configuration that cannot work ends with code 1 and says why, once."""
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps({"base_url": "http://example.com", "client_id": "a", "client_secret": "b"})
    )
    ended = subprocess.run(
        [sys.executable, "-m", "target_marketo_bulk", "--config", str(config)],
        input=singer_lines([]),
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    text = ended.stderr.decode()
    assert "Traceback" not in text
    assert text.count("base_url must start with https://") == 1
    assert ended.stdout == b""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("load_method", "append-only"),
        ("load_method", "overwrite"),
        ("load_method", ""),
        ("add_record_metadata", True),
        ("add_record_metadata", "false"),
        ("batch_size_rows", 10),
        ("batch_size_rows", 0),
        ("batch_config", {"encoding": {"format": "jsonl"}, "storage": {"root": "file:///x"}}),
        ("hard_delete", True),
        ("process_activate_version_messages", True),
        ("emit_activate_version_messages", True),
    ],
)
@pytest.mark.fault(
    "T1.3",
    "a setting of the SDK asks the target for what a bulk import cannot do",
    "refuses it in one line that says why",
)
def test_t1_3_setting_of_the_sdk_is_refused(name: str, value: object) -> None:
    """Nothing is promised that does not happen."""
    (fault,) = errors({**DRY, name: value})
    assert fault.startswith(f"{name} is ")
    assert fault.endswith("Remove the setting")
    assert "\n" not in fault


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("load_method", "upsert"),
        ("load_method", None),
        ("add_record_metadata", False),
        ("batch_config", None),
        ("hard_delete", False),
        ("process_activate_version_messages", False),
        ("emit_activate_version_messages", False),
    ],
)
@pytest.mark.fault("T1.3", "… or for what happens anyway", "takes it")
def test_t1_3_setting_of_the_sdk_that_changes_nothing_is_taken(name: str, value: object) -> None:
    """A configuration shared with other targets still works."""
    assert errors({**DRY, name: value}) == []


@pytest.mark.parametrize(
    ("name", "text", "is_refused"),
    [
        ("LOAD_METHOD", "overwrite", True),
        ("LOAD_METHOD", "upsert", False),
        ("LOAD_METHOD", "", False),
        ("HARD_DELETE", "TRUE", True),
        ("HARD_DELETE", "False", False),
        ("BATCH_SIZE_ROWS", "10", True),
    ],
)
@pytest.mark.fault("T1.3", "… by the environment", "does the same, where it is read at all")
def test_t1_3_setting_of_the_environment_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, *, is_refused: bool
) -> None:
    """Words of the environment mean what they mean in a file; empty means not set."""
    monkeypatch.setenv(f"TARGET_MARKETO_BULK_{name}", text)
    assert errors(DRY) == []
    with contextlib.nullcontext() if not is_refused else pytest.raises(ConfigValidationError):
        TargetMarketoBulk(config=dict(DRY), parse_env_config=True)


def test_settings_the_sdk_reads_are_all_known() -> None:
    """Whatever the SDK adds to a target's schema is offered, or is one of those refused."""
    offered = TargetMarketoBulk.config_jsonschema["properties"].keys() - PROPERTIES.keys()
    assert offered == {
        "validate_records",
        "stream_maps",
        "stream_map_config",
        "faker_config",
        "flattening_enabled",
        "flattening_max_depth",
        "flattening_max_key_length",
        "flattening_separator",
    }
    assert not offered & SDK_SETTINGS.keys()
