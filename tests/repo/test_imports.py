"""What a command imports before it does anything."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

ADDED = """
import json, sys
import singer_sdk
before = set(sys.modules)
import {module}
print(json.dumps(sorted({{name.partition(".")[0] for name in set(sys.modules) - before}})))
"""


@pytest.mark.parametrize("module", ["tap_marketo_bulk.tap", "target_marketo_bulk.target"])
def test_a_plugin_imports_nothing_heavy_beyond_the_sdk(module: str) -> None:
    """Beside our own packages that is msgspec, and the standard library; never the emulator."""
    done = subprocess.run(
        [sys.executable, "-c", ADDED.format(module=module)],
        capture_output=True,
        check=True,
        text=True,
    )
    added = set(json.loads(done.stdout)) - set(sys.stdlib_module_names)
    assert added - {"msgspec"} == {
        module.partition(".")[0],
        "marketo_bulk",
        "singer_marketo",
    }
