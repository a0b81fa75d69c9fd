"""What Arrow itself takes: `python arrow_alone.py FILE FOLDER` makes Parquet (zstd) of a CSV file.

No cell is checked and no type is told, so nothing that reads by Arrow and writes Parquet does less.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

if __name__ == "__main__":
    pa.set_cpu_count(1)
    folder = Path(sys.argv[2])
    folder.mkdir(exist_ok=True)
    table = pa_csv.read_csv(
        sys.argv[1],
        read_options=pa_csv.ReadOptions(use_threads=False),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
    )
    pq.write_table(table, folder / "alone.parquet", compression="zstd")
