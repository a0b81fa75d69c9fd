"""Driver of a plain SDK target, what the SDK's template leads to: `target_naive.py DIRECTORY`.

`BatchSink`, the SDK's own reader and validator, and `csv.DictWriter` when a batch is drained.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

from singer_sdk import BatchSink, Target
from singer_sdk import typing as th
from typing_extensions import override


class NaiveSink(BatchSink):
    """The sink the SDK's template suggests: a list of records, written when it is drained."""

    max_size = 10_000

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        path = Path(self.config["out"]) / f"{context['batch_id']}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(self.schema["properties"]))
            writer.writeheader()
            writer.writerows(context["records"])


class NaiveTarget(Target):
    """A target of that sink."""

    name = "target-naive"
    config_jsonschema = th.PropertiesList(th.Property("out", th.StringType)).to_dict()
    default_sink_class = NaiveSink


if __name__ == "__main__":
    NaiveTarget(config={"out": sys.argv[1]}).listen()
