"""Fuzzes the reader of export files: `python tests/fuzz/fuzz_rows.py [corpus] [libFuzzer options]`.

Needs `pip install atheris`.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]

sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["marketo_bulk"]):
    from tests.fuzz.claims import check_rows

if __name__ == "__main__":
    # A warning a row would be all a fuzzer shows.
    logging.disable(logging.CRITICAL)
    atheris.Setup(sys.argv, check_rows)
    atheris.Fuzz()
