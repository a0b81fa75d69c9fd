"""Fuzzes the search for reported rows: `python tests/fuzz/fuzz_failures.py [corpus] [options]`.

Needs `pip install atheris`.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]

sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["target_marketo_bulk"]):
    from tests.fuzz.claims import check_failures

if __name__ == "__main__":
    # A warning a row would be all a fuzzer shows.
    logging.disable(logging.CRITICAL)
    atheris.Setup(sys.argv, check_failures)
    atheris.Fuzz()
