"""Disclosure: what a log may show of words that are not ours.

Marketo, a gateway before it, a validator or a stream map may repeat what they were given, and that
may be a person's. Known values cannot be taken out of a text one by one: they come cut, trimmed,
in another case or quoted. So nothing passes but words of this module, and names the caller sent.
Reports on rows get one of a few classes instead of words; the rejects hold them in full.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

HIDDEN = "…"

OTHER_REASON = "a reason this version does not know"
"""Stands for whatever Marketo says of a row, unless it is one of `_REASONS`."""

REASON_MAX_CHARACTERS = 500
"""Longer reasons are not looked at: the known ones are short."""

_KNOWN_WORDS = """
    500mb a about above access access_denied account action activities activity additional
    address after again all allowed already an and any api are as asset assets at attribute
    authentication authorization available bad_request batch be been being body bulk busy but
    by cadence call calls campaign can't cannot careful cell change channel client code column
    columns company complete completed concurrent configured contains content created
    createdat credentials criteria csv currency currently custom daily data database date
    datetime day days default deleted denied describe did disabled disk does doesn't don't
    download duplicate either email empty enabled endpoint enqueue enqueued error errors
    exceeded exceeds exist existing exists expired export exported external failed failure
    fetch field fields file files filter filtering filters fire folder for forbidden form
    format found from full function future gateway given gives has have header headers hour
    hours http id import imported importing imports in instance integer internal invalid
    invalid_client invalid_grant invalid_request invalid_scope is it item its job jobs json
    key later lead leads length less limit link list lists lookup luck malformed many marketing
    marketo match matched max maximum maxlength mb media member members membership memory
    message method minute minutes missing more multipart multiple must name names new no nope
    not nothing null number object objects occurred odd of on one only operation or organization
    out page parameter parameters parse partition passed permission permissions please process
    processed processing program programs progress protocol provided queue queued quota range
    rate reached read reason record records reference refused rejected remove request
    requested required resource rest result retry returned revoked role row rows running
    schema score search seconds secs secure see server server_error service size small smart
    something source space specified start state static status string subscription succeeded
    success successfully such support supported syntax system temporarily
    temporarily_unavailable than that the them there this time timed timeout to token too
    transient try type types unable unauthorized unauthorized_client unavailable unexpected
    unknown unsupported unsupported_grant_type update updated updatedat upload url usage user
    valid validation value values was were when while with within without workspace write
    wrong you your zero
    aborted canceled cancelled cancelling complete created done importing paused pending
    ready suspended waiting
"""
# Those of Adobe's error codes, of answers that were recorded, and of OAuth: none is a person's.
_WORDS = frozenset(_KNOWN_WORDS.split())

_CODE = re.compile(r"[0-9]{1,5}")
_CALL_ID = re.compile(
    r"[0-9a-f]{1,8}#[0-9a-f]{1,16}"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|(?=[A-Za-z]*[0-9])[0-9A-Za-z]{24,40}"
)
"""`e42b#14272d07d78` of Marketo's own, letters and digits or a UUID of the gateway before it."""

_WORD = re.compile(r"[^\s,;:\[\](){}<>|/=]+")
_EDGES = "'\"`.!?"
_RUN = re.compile(rf"{HIDDEN}(?:[\s,;:|/='\"`.!?]*{HIDDEN})+")

_FIELD = r"['\"]?(?P<field>[^'\":,]+)"
_REASONS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(pattern, re.IGNORECASE))
    for reason, pattern in (
        ("invalid data type", rf"invalid data type in field {_FIELD}"),
        ("invalid data type", r"invalid data type"),
        ("invalid e-mail address", r"(?:invalid|bad) e-?mail"),
        ("no value for the lookup field", r"missing\.dedupe\.fields"),
        ("no lead with the value of the lookup field", r"value for lookup field"),
        ("value too long", rf"value (?:is )?too long (?:in|for) field {_FIELD}"),
        ("value too long", r"value (?:is )?too long"),
        ("unknown field", rf"field {_FIELD}['\"]? not found"),
        ("read-only field", rf"field {_FIELD}['\"]? is read.?only"),
        ("invalid data", rf"invalid (?:data|value) (?:in|for) field {_FIELD}"),
        ("invalid data", r"invalid (?:data|value)"),
        ("more than one lead matches", r"multiple leads? match"),
        ("lead already exists", r"lead already exists"),
        ("lead not found", r"lead not found"),
        ("row of another width", r"row has \d+ columns"),
        ("import failed", r"import failed"),
        ("system error", r"(?:system|internal|transient) error"),
        ("Marketo gave no reason", r"marketo gave no reason$"),
    )
)


def shown_words(text: str, names: Collection[str] = ()) -> str:
    """Return a peer's text with nothing in it but known words and `names`, in any case.

    Shape: each run of other words and of numbers becomes one `…`; an empty text stays empty.
    """
    known = {word.casefold() for name in names for word in name.split()}

    def shown(found: re.Match[str]) -> str:
        word = found.group()
        core = word.strip(_EDGES)
        if not core or core.casefold() in _WORDS or core.casefold() in known:
            return word
        start = word.index(core)
        return f"{word[:start]}{HIDDEN}{word[start + len(core) :]}"

    return _RUN.sub(HIDDEN, _WORD.sub(shown, text))


def shown_code(code: str) -> str:
    """Return a peer's error code: digits as they are, else no more than its known words."""
    return code if _CODE.fullmatch(code) else shown_words(code)


def shown_id(text: str) -> str:
    """Return a peer's id of a call if it has the form of one, else `…`."""
    return text if _CALL_ID.fullmatch(text) else HIDDEN


def reason_class(reason: str, columns: Iterable[str] = ()) -> str:
    """Return the class of what Marketo says of a row, with the column it is about if that is known.

    `columns` are the names of the columns sent; Marketo names them by their labels.
    """
    name, label = _class_and_label(reason.strip()[:REASON_MAX_CHARACTERS])
    column = _column_named(label, columns)
    return f"{name} ({column})" if column else name


# Every row of a file may be reported for the same reason.
@lru_cache(maxsize=64)
def _class_and_label(said: str) -> tuple[str, str | None]:
    for name, pattern in _REASONS:
        found = pattern.match(said)
        if found:
            return name, found.groupdict().get("field")
    return OTHER_REASON, None


def _column_named(label: str | None, columns: Iterable[str]) -> str | None:
    if label is None:
        return None
    wanted = _folded(label)
    return next((column for column in columns if _folded(column) == wanted), None)


def _folded(name: str) -> str:
    # Most labels of the user interface are the name in words: `Lead Score`.
    return name.replace(" ", "").casefold()
