"""STATE goes through the target as it came, whatever is in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.border.commands import TARGET, config_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.border.commands import Ended


@pytest.mark.fault(
    "T5.7",
    "STATE with half a surrogate pair (`\\ud800`), NaN or Infinity",
    "it is passed on as it came",
)
@pytest.mark.parametrize(
    "text",
    [
        '{"a":"\\ud800"}',
        '{"\\udfff":1}',
        '{"a":NaN}',
        '{"a":[Infinity,-Infinity,null]}',
        '{"a":{"b":NaN,"c":1.10,"d":"\\ud83d"}}',
        '{"a":null,"b":1.10}',
        '{"a":1e400}',
        '{"a":123456789012345678901234567890}',
        '{"a":"\\u00fc \\u2028 \\ud83d\\ude00"}',
        '{"a":"NaN null"}',
        "null",
        "[]",
        '"text"',
        "{}",
    ],
)
def test_state_is_passed_on_as_it_came(
    here: Callable[..., Ended], tmp_path: Path, text: str
) -> None:
    """Numbers keep their digits, text its characters."""
    config = {"base_url": "http://127.0.0.1:9", "client_id": "me", "client_secret": "mine"}
    path = config_file(tmp_path, config)
    ended = here(TARGET, "--config", path, lines=b'{"type":"STATE","value":%s}' % text.encode())
    assert (ended.code, ended.errors) == (0, [])
    line = ended.out.decode("ascii").rstrip("\n")
    assert json.loads(line, parse_float=str, parse_constant=str) == json.loads(
        text.replace("1e400", "1E+400"), parse_float=str, parse_constant=str
    )
