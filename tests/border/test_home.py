"""A path that begins with `~` is in the user's home, whichever setting has it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Emulator
from tests.border.commands import TAP, TARGET, config_file
from tests.tap_runs import settings_for
from tests.target.runs import people, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.border.commands import Ended

STORAGE = {"encoding": {"format": "jsonl"}, "storage": {"root": "~/mine", "prefix": ""}}
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    (TAP, {"archive_url": "~/mine"}),
    (TAP, {"job_journal": "~/mine"}),
    (TAP, {"batch_config": STORAGE}),
    (TARGET, {"rejects_path": "~/mine"}),
    (TARGET, {"dry_run_path": "~/mine", "rejects_path": "rejects"}),
]


@pytest.mark.parametrize(
    ("plugin", "given"), SETTINGS, ids=[f"{plugin} {next(iter(c))}" for plugin, c in SETTINGS]
)
def test_a_path_may_begin_at_home(
    here: Callable[..., Ended],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    plugin: str,
    given: dict[str, Any],
) -> None:
    """A shell would put the home there; a config file has no shell, and a folder `~` is no use."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    with Emulator(programs=1, members=5) as emulator:
        path = config_file(tmp_path, settings_for(emulator, given))
        ended = here(plugin, "--config", path, lines=singer_lines(people(2)))
    assert ended.errors == []
    assert not Path("~").exists()
    assert any((home / "mine").rglob("*"))


def test_files_may_be_downloaded_to_home(
    here: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder has to be there, and it is looked for where it is."""
    (tmp_path / "home" / "mine").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with Emulator(programs=1, members=5) as emulator:
        path = config_file(tmp_path, settings_for(emulator, {"download_dir": "~/mine"}))
        assert here(TAP, "--config", path).code == 0
