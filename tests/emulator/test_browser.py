"""The page works in a browser, where there is one."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.emulator.browser import main

if TYPE_CHECKING:
    from pathlib import Path

PNG = b"\x89PNG\r\n"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromedriver") is None, reason="needs chromium-driver")
def test_the_page_works_and_can_be_pictured(tmp_path: Path) -> None:
    """What it shows, what its buttons do, and the two pictures of the README."""
    assert main([str(tmp_path / "page.png")]) == 0
    pictures = [path.read_bytes() for path in sorted(tmp_path.glob("*.png"))]
    assert [picture[:6] for picture in pictures] == [PNG, PNG]
    assert pictures[0] != pictures[1]
