"""Loads Parquet files into a table of DuckDB: `python load_parquet.py FOLDER DATABASE`."""

from __future__ import annotations

import sys

import duckdb

with duckdb.connect(sys.argv[2]) as connection:
    # One thread, as the loaders it is compared with have.
    connection.execute("set threads = 1")
    connection.read_parquet(f"{sys.argv[1]}/*.parquet").create("program_members")
    print(*connection.execute("select count(*) from program_members").fetchone())
