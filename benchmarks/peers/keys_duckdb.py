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
    connection.execute(
        f"CREATE TEMP TABLE sums AS SELECT k, count(*) AS n, avg(x) AS mean, avg(ln(x)) AS log_mean FROM {reader}('{path}'{types}) GROUP BY k"
    )
    keys, rows, means, logs = connection.execute("SELECT count(*), sum(n), sum(mean), sum(log_mean) FROM sums").fetchone()
    found = {"software": "DuckDB " + duckdb.__version__, "keys": keys, "rows": int(rows), "means": means, "log_means": logs}
    print(json.dumps(found))


main()
