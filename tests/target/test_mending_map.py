"""The error about a column shows a stream map, and with that map the load succeeds."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.target.runs import TEXT, leads, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.target.runs import Run

RECORD = {"email": "ada@load.test"}


@pytest.mark.parametrize(
    ("properties", "entries"),
    [
        pytest.param(
            ["frist_name"], {"firstName": "frist_name", "frist_name": "__NULL__"}, id="near"
        ),
        pytest.param(["First Name"], {"firstName": "record['First Name']"}, id="label"),
        pytest.param(["zzzzzz"], {"zzzzzz": "__NULL__"}, id="nothing near"),
        pytest.param(["createdAt"], {"createdAt": "__NULL__"}, id="read-only"),
        pytest.param(["EMAIL"], {"EMAIL": "__NULL__"}, id="second of a field"),
        pytest.param(["firstName", "frist_name"], {"frist_name": "__NULL__"}, id="field taken"),
        pytest.param(["frist_name", "firstNam"], {"firstNam": "__NULL__"}, id="two for one"),
        pytest.param(["it's"], {"it's": "__NULL__"}, id="quote"),
    ],
)
@pytest.mark.parametrize("keys", [(), ("email",), "all"])
def test_the_map_that_is_shown_mends_the_load(
    properties: list[str],
    entries: dict[str, str],
    keys: tuple[str, ...] | str,
    emulator: Emulator,
    config: dict[str, Any],
    run: Callable[..., Run],
) -> None:
    """Also where the property that goes is a key of the stream."""
    schema = {"type": "object", "properties": dict.fromkeys(["email", *properties], TEXT)}
    record = {**RECORD, **dict.fromkeys(properties, "2026-01-01")}
    key_properties = tuple(properties) if keys == "all" else tuple(keys)
    lines = singer_lines([record], schema=schema, stream="people", key_properties=key_properties)
    refused = run(lines, config)
    found = re.search(r"stream_maps: (\{.*\})", str(refused.error))
    assert found is not None, refused.error
    maps = json.loads(found[1])
    assert entries.items() <= maps["people"].items()
    mended = run(lines, {**config, "stream_maps": maps})
    assert mended.error is None
    assert "ada@load.test" in leads(emulator)
