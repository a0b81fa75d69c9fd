"""Check faults: where the check of a record breaks, which says nothing about the record."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import InvalidRecord
from singer_sdk.sinks.core import JSONSchemaValidator

from marketo_bulk.errors import one_line
from target_marketo_bulk.records.time_limit import (
    CHECK_SECONDS_MAX,
    CheckTooSlowError,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

Culprit = tuple[str, str]
"""A property, or nothing for the record itself, and the keyword of its schema that breaks."""


class FaultyChecks:
    """Judges the records on which the SDK's check has broken, without the keywords that break it.

    jsonschema computes with the values it is given: `multipleOf` with 35 digits, or a `pattern`
    that is no regular expression, ends in an error of Python's.
    """

    def __init__(self, stream: str, sdk: JSONSchemaValidator) -> None:
        self._stream = stream
        self._root: Any = sdk.validator
        self._schema: dict[str, Any] = sdk.schema
        self._pruned: dict[frozenset[Culprit], JSONSchemaValidator] = {}
        self._said: set[Culprit] = set()
        self._too_slow: set[Culprit] = set()
        self.lasting: JSONSchemaValidator | None = None
        """The check without the keywords that take too long, which are not tried again."""

    def judge(self, record: dict[str, Any], fault: Exception) -> None:
        """Check all that can be checked; each keyword that cannot be is said once.

        Raises: InvalidRecord, in the SDK's words.
        """
        culprits = frozenset(self._culprits(record))
        for culprit in sorted(culprits or {("", "")}):
            self._say(culprit, fault)
        if self._too_slow:
            self.lasting = JSONSchemaValidator(self._without(frozenset(self._too_slow)))
        if not culprits:
            return
        if culprits not in self._pruned:
            self._pruned[culprits] = JSONSchemaValidator(self._without(culprits))
        try:
            with within(CHECK_SECONDS_MAX):
                self._pruned[culprits].validate(record)
        except InvalidRecord:
            raise
        except Exception as error:  # noqa: BLE001  # any fault of the check, as the first was
            self._say(("", ""), error)

    def _culprits(self, record: dict[str, Any]) -> Iterator[Culprit]:
        for name, schema in self._schema.get("properties", {}).items():
            for keyword in schema if name in record and isinstance(schema, dict) else ():
                if self._breaks((name, keyword), schema[keyword], record[name]):
                    yield name, keyword
        for keyword in self._schema.keys() - {"properties"}:
            if self._breaks(("", keyword), self._schema[keyword], record):
                yield "", keyword

    def _breaks(self, culprit: Culprit, wanted: object, value: object) -> bool:
        if culprit in self._too_slow:
            return True
        try:
            # Errors of the value are of no interest here, only whether all can be found.
            with within(CHECK_SECONDS_MAX):
                for _ in self._root.evolve(schema={culprit[1]: wanted}).iter_errors(value):
                    pass
        except CheckTooSlowError:
            self._too_slow.add(culprit)
            return True
        except Exception:  # noqa: BLE001  # any fault of the check
            return True
        return False

    def _without(self, culprits: frozenset[Culprit]) -> dict[str, Any]:
        pruned = {
            keyword: value
            for keyword, value in self._schema.items()
            if ("", keyword) not in culprits
        }
        pruned["properties"] = {
            name: _less(schema, {keyword for owner, keyword in culprits if owner == name})
            for name, schema in self._schema.get("properties", {}).items()
        }
        return pruned

    def _say(self, culprit: Culprit, fault: Exception) -> None:
        if culprit in self._said:
            return
        self._said.add(culprit)
        name, keyword = culprit
        logger.warning(
            "stream %s, property %s: its %s cannot be checked (%s); records are taken without "
            "this check wherever it breaks (said once)",
            one_line(self._stream),
            one_line(name) or "(record)",
            keyword or "(unknown)",
            type(fault).__name__,
        )


def _less(schema: object, keywords: set[str]) -> object:
    if not isinstance(schema, dict):
        return schema
    return {keyword: value for keyword, value in schema.items() if keyword not in keywords}
