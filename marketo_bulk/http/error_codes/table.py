"""The table of error codes: all that Marketo documents, and those that were seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_bulk.http.error_codes.codes_of_assets import ASSET_RULES
from marketo_bulk.http.error_codes.codes_of_calls import CALL_RULES
from marketo_bulk.http.error_codes.codes_of_records import RECORD_RULES

if TYPE_CHECKING:
    from marketo_bulk.http.error_codes.code_rule import CodeRule

RULES_BY_CODE: dict[str, CodeRule] = {**CALL_RULES, **ASSET_RULES, **RECORD_RULES}
