"""DuckDB or chdb behind standard input and output: `python FILE duckdb|chdb`, a JSON document on each line.

`{"views": {name: [files]}}` names the tables; `{"sql": …}` is answered by the seconds it took here and its rows. It is run
with the engine's own environment, so it knows nothing of the project.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

Run = Callable[[str], list[list[Any]]]


def duckdb() -> Run:
    import duckdb

    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    return lambda sql: [list(row) for row in connection.execute(sql).fetchall()]


def chdb() -> Run:
    from chdb import session

    engine = session.Session()
    engine.query("set output_format_json_quote_decimals = 1, session_timezone = 'UTC'")

    def run(sql: str) -> list[list[Any]]:
        return [json.loads(line) for line in engine.query(sql, "JSONCompactEachRow").data().splitlines()]

    return run


def view(engine: str, name: str, files: list[str]) -> str:
    if engine == "duckdb":
        listed = ", ".join(f"'{file}'" for file in files)
        return f"create or replace view {name} as select * from read_parquet([{listed}])"
    # A path that begins with a brace would be a relative one.
    listed = ",".join(file.removeprefix("/") for file in files)
    where = f"/{{{listed}}}" if len(files) > 1 else files[0]
    return f"create or replace view {name} as select * from file('{where}', 'Parquet')"


def main() -> None:
    engine = sys.argv[1]
    run = {"duckdb": duckdb, "chdb": chdb}[engine]()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            for name, files in asked.get("views", {}).items():
                run(view(engine, name, files))
            began = time.perf_counter()
            rows = run(asked["sql"]) if "sql" in asked else []
            said: dict[str, Any] = {"seconds": time.perf_counter() - began, "rows": rows}
        except Exception as error:  # noqa: BLE001 - the caller says it, whichever engine's own it is
            said = {"failed": str(error)[:2000]}
        print(json.dumps(said, default=str), flush=True)


if __name__ == "__main__":
    main()
