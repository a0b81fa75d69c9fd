"""The page of errors, made from the table of codes, the tree of errors and their texts.

python scripts/errors_page.py            write docs/errors.md
python scripts/errors_page.py --check    fail if it is out of date
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # also when run as a script

from marketo_bulk.errors import Answer, MarketoFault  # noqa: E402  # needs the line above
from marketo_bulk.http.error_codes import error_for_answer, rule_for_http_status  # noqa: E402
from marketo_bulk.http.error_codes.answers import MEANINGS_OF_1029, UNKNOWN_CODE  # noqa: E402
from marketo_bulk.http.error_codes.table import RULES_BY_CODE  # noqa: E402
from scripts.error_texts import GAP, cause_of, error_texts, remedy_of  # noqa: E402
from singer_marketo.exit_codes import EXIT_CODES  # noqa: E402
from singer_marketo.exits import exit_code_of  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from marketo_bulk.http.error_codes.code_rule import CodeRule
    from scripts.error_texts import ErrorText

PAGE = ROOT / "docs" / "errors.md"
STATUSES = {
    **{str(status): status for status in (401, 404, 408, 413, 414, 429, 500)},
    "other 4xx": 400,
    "other 5xx": 503,
}
"""What is shown of HTTP statuses, and one that stands for it."""

NO_EXIT = ("UnsendableValueError", "OversizedRowError", "AlreadyQueuedError")
"""Kinds that end no run: a row becomes a reject, or nothing is left to do."""

EXAMPLE = error_for_answer(
    "",
    Answer("create export", (MarketoFault("603", "Access denied"),), "e42b#14272d07d78", 200),
)

HEAD = f"""\
# Errors

This page is made by `python scripts/errors_page.py` from the code.
An error ends a run with one line, such as:

```text
{EXAMPLE}
```

The line names the call, Marketo's code and text, the id of the call, and what to do.
Marketo's support asks for that id.
Words of Marketo that may be a person's data are shown as `…`, here as in the log.
If the line has no code, search the second half of this page for its words.
There `…` stands for what differs from case to case.
A line that begins with `unexpected` is a fault of the plugin.
Then run again with `LOGLEVEL=DEBUG` for its traceback, and report it.

## Exit codes
"""

CODES = """
## Codes of Marketo

A code ends a run only if the plugin cannot go on with it.
*Tries* says how often a call is made at most, within `max_retry_seconds`.
A full queue is waited for.
"""

TEXTS = """
## Texts by kind

Under each kind stand its cause, what to do, and the exit code; then its texts.
An arrow leads to what that text in particular asks for.
"""


def page() -> str:
    """Return the text of the page."""
    exits = [(f"`{e.shown}`", f"`{e.outcome}`", e.cause, e.remedy) for e in EXIT_CODES]
    return "\n".join(
        [
            HEAD,
            *_table(("Code", "Outcome", "Cause", "What to do"), exits),
            CODES,
            *_table(("Code", "Text", "Cause", "Tries", "What to do", "Exit"), _code_rows()),
            TEXTS.rstrip(),
            *_kinds(),
            "",
        ]
    )


def main() -> int:
    """Write the page, or with `--check` say whether it is out of date."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text)
    elif PAGE.read_text() != text:
        print("docs/errors.md is out of date: run python scripts/errors_page.py")
        return 1
    return 0


def _code_rows() -> Iterator[tuple[str, ...]]:
    rules = [
        *RULES_BY_CODE.items(),
        *(("1029", rule) for _, rule in MEANINGS_OF_1029),
    ]
    for code, rule in sorted(rules, key=lambda entry: int(entry[0])):
        yield _code_row(code, rule)
    yield _code_row("any other", UNKNOWN_CODE)
    for shown, status in STATUSES.items():
        yield _code_row(f"HTTP {shown}", rule_for_http_status(status))


def _code_row(code: str, rule: CodeRule) -> tuple[str, ...]:
    tries = rule.retry.max_attempts
    return (
        code,
        _code_span(rule.says) if rule.says else "",
        rule.cause,
        str(tries) if tries > 1 else "",
        rule.remedy or remedy_of(rule.error),
        _exit(rule.error),
    )


def _kinds() -> Iterator[str]:
    def kind(error: ErrorText) -> str:
        return error.kind.__name__

    for name, group in groupby(sorted(error_texts(), key=kind), key=kind):
        errors = list(group)
        cause = cause_of(errors[0].kind)
        yield f"\n### {name}\n"
        yield f"{cause}  "
        yield f"{remedy_of(errors[0].kind)}.  "
        yield f"{_ending(errors[0].kind)}\n"
        yield from (f"- {_code_span(error.text)}{_special(error)}" for error in errors)


def _special(error: ErrorText) -> str:
    return f" → {error.remedy}" if error.remedy.strip(GAP) else ""


def _ending(kind: type[Exception]) -> str:
    code = _exit(kind)
    return f"Exit code {code}." if code else "It does not end the run."


def _exit(kind: type[Exception]) -> str:
    return "" if kind.__name__ in NO_EXIT else str(exit_code_of(kind.__new__(kind)))


def _code_span(text: str) -> str:
    safe = text.replace("|", "\\|")
    return f"`` {safe} ``" if "`" in safe else f"`{safe}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "| " + " | ".join("---" for _ in head) + " |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    sys.exit(main())
