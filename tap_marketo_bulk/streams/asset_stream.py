"""Asset stream: a table that is read whole by a few calls, without an export."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.helpers.conform import TypeConformanceLevel
from typing_extensions import override

from marketo_bulk import DecodeError
from tap_marketo_bulk.output.whole_stream import FULL_TABLE, WholeStream
from tap_marketo_bulk.streams.asset_records import TIMESTAMPS, AssetRecords, AssetWords
from tap_marketo_bulk.streams.program_list import moment_of
from tap_marketo_bulk.streams.stream_rules import StreamRules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_marketo_bulk.tap import TapMarketoBulk  # noqa: TID251  # for its type alone


class AssetStream(WholeStream):
    """Assets of one kind, all of them in every run."""

    words: ClassVar[AssetWords]
    rules: ClassVar[StreamRules]
    # The SDK reads the text "false" as true.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: TapMarketoBulk, schema: dict[str, Any] | None = None) -> None:
        self._marketo_tap = tap
        super().__init__(tap, schema=schema)

    @abc.abstractmethod
    def assets(self) -> Iterable[dict[str, Any]]:
        """Return the assets as Marketo describes them."""

    @override
    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        settings = self._marketo_tap.settings
        records = AssetRecords(
            self.effective_schema, self.words, settings.on_bad_value, settings.flattened_levels
        )
        for asset in self.assets():
            yield records.record(self._with_moments(asset))
        records.report()

    def _with_moments(self, asset: dict[str, Any]) -> dict[str, Any]:
        """Return an asset whose times are moments, or null."""
        times = {name: self._moment(asset, name) for name in TIMESTAMPS if name in asset}
        return {**asset, **times}

    def _moment(self, asset: dict[str, Any], name: str) -> str | None:
        """Return a time as Marketo gives it; what is no moment is said, and null."""
        try:
            moment = moment_of(asset, name)
        except DecodeError:
            key = asset.get(self.words.key)
            self.logger.warning("%s %s has a %s that is no moment: null", self.words.one, key, name)
            return None
        return None if moment is None else str(asset[name])


def whole_table_by(key: str, kind: str) -> StreamRules:
    """Return the rules of a table with one key that is never anything but whole."""
    return StreamRules(
        key=(key,),
        methods=(FULL_TABLE,),
        replication_key=None,
        automatic={key: {"type": [kind]}},
    )
