# Copyright 2026 The manyfit authors
# SPDX-License-Identifier: Apache-2.0
"""Count, mean and mean logarithm of x by key k in DuckDB: keys_duckdb.py FILE THREADS; see compare_keys.py."""
import json
import sys

import duckdb


def main():
    path, threads = sys.argv[1], int(sys.argv[2])
    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    reader = "read_parquet" if path.endswith(".parquet") else "read_csv"
    types = "" if path.endswith(".parquet") else ", columns = {'k': 'VARCHAR', 'x': 'DOUBLE'}, header = true"
    sums = "SELECT k, count(*) AS n, avg(x) AS mean, avg(ln(x)) AS log_mean"
    connection.execute(f"CREATE TEMP TABLE sums AS {sums} FROM {reader}('{path}'{types}) GROUP BY k")
    of_all = "SELECT count(*), sum(n), sum(mean), sum(log_mean) FROM sums"
    keys, rows, means, logs = connection.execute(of_all).fetchone()
    software = "DuckDB " + duckdb.__version__
    print(json.dumps({"software": software, "keys": keys, "rows": int(rows), "means": means, "log_means": logs}))


main()
