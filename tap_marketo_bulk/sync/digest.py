"""Digests: what jobs of a run ask for besides scope and window, to be compared by the next run."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Digests:
    """The digests of one run, each computed once."""

    def __init__(self, fields: tuple[str, ...], filters: Mapping[str, Any]) -> None:
        self.fields = fields
        """The selected fields, whether export refuses some of them or not."""
        self.filters = dict(filters)
        self._known: dict[tuple[tuple[str, ...], tuple[str, int] | None], str] = {}

    def __call__(self, without: Collection[str] = (), only: tuple[str, int] | None = None) -> str:
        """Return what a job must have asked for to be worth taking over.

        `without` are selected fields that it does not bring, because export refuses them.
        `only` is a filter of this job alone.
        """
        key = (tuple(without), only)
        if key not in self._known:
            fields = [name for name in self.fields if name not in key[0]]
            filters = self.filters if only is None else {**self.filters, only[0]: only[1]}
            asked = {"fields": fields, "filter": filters}
            plain = json.dumps(asked, sort_keys=True).encode()
            self._known[key] = hashlib.sha256(plain).hexdigest()[:16]
        return self._known[key]
