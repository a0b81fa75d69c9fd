"""The entry point of `marketo-emulator` and `python -m marketo_emulator`."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    if find_spec("werkzeug") is None:
        sys.stderr.write(
            "marketo-emulator needs Werkzeug: install tap-target-marketo-bulk[emulator]\n"
        )
        return 1
    from marketo_emulator.cli import run  # noqa: PLC0415 - only importable with Werkzeug

    return run(sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
