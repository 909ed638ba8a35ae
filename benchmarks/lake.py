"""What the lake costs: how long its build takes, and how fast curated tables answer, beside DuckDB and chdb.

A lake of its own is made in a state folder beside the platform's: Trino fills it with transactions as they would have
landed over two months, dbt builds it from nothing, then hours of new events are landed and built one by one. Twenty
questions go to three engines over the same files, and every row of their answers is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from typing import Any

from benchmarks.curated.asking import ask, by_metric
from benchmarks.curated.builds import build
from benchmarks.curated.engines import EngineFailed, Engines, live_files
from benchmarks.curated.filling import Lake
from benchmarks.curated.questions import TABLES, asked_by_metric, questions
from benchmarks.curated.showing import show
from benchmarks.results import raw_file
from headrace.lake.dbt import DbtFailed
from headrace.lake.trino import connect
from headrace.log import configure
from headrace.semantics import compile_sql, live_specs
from headrace.settings import Settings, get_settings


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def headrace(settings: Settings, *arguments: str) -> None:
    """One `./headrace` command; what it says is no part of this benchmark's output."""
    subprocess.run([str(settings.repo / "headrace"), *arguments], check=True, stdout=sys.stderr)


def own_lake(platform: Settings, name: str = "bench-lake") -> Settings:
    """From here on everything happens in a state folder of the benchmark, with a Trino of its own."""
    os.environ["HEADRACE_HOME"] = str(platform.home / name)
    get_settings.cache_clear()
    headrace(get_settings(), "up", "--only", "trino")
    get_settings.cache_clear()
    return get_settings()


def fill(lake: Lake, count: int) -> dict[str, Any]:
    """A lake that an earlier call kept is taken as it is, if it is of this size."""
    lake.prepare()
    if known := lake.records():
        if not count <= known <= count * 1.1:
            sys.exit(
                f"The lake that was kept holds {known:,} records. Next: remove its folder, or ask for as many --rows."
            )
        return {"records": known, "seconds": None}
    began = time.perf_counter()
    lake.fill(count)
    filled = {"records": lake.records(), "seconds": round(time.perf_counter() - began, 1)}
    say(f"{filled['records']:,} records landed in {filled['seconds']} s.")
    return filled


def builds(settings: Settings, lake: Lake, sizes: list[int]) -> list[dict[str, Any]]:
    """All of it, then hours that landed after the rest."""
    done = [build(settings, "full refresh", lake.records(), "--full-refresh")]
    say(f"Built from nothing in {done[0]['seconds']} s.")
    for count in sizes:
        lake.land_hour(count)
        done.append(build(settings, "increment", count))
        say(f"Built {count:,} more in {done[-1]['seconds']} s.")
    return done


def answers(settings: Settings, lake: Lake, repeats: int) -> dict[str, Any]:
    lake.compact(TABLES)
    last = lake.last_day()
    with closing(connect(settings, service="dbt")) as connection:
        files = {table: live_files(connection.cursor(), table) for table in TABLES}
    live_specs.publish(settings)
    compiled = {name: compile_sql(request, settings) for name, request in asked_by_metric(last)}
    with Engines(settings, files) as engines:
        found = ask(engines, questions(last), repeats)
        return {"questions": found, "by_metric": by_metric(engines, compiled, repeats)}


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./headrace bench lake", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="transactions of the two months, before repeats")
    parser.add_argument(
        "--increments", type=numbers, default=[5_000, 5_000, 20_000], help="events of each hour after them"
    )
    parser.add_argument("--repeats", type=int, default=10, help="how often each question is timed")
    parser.add_argument("--keep", action="store_true", help="leave the lake's folder there, for a next call")
    parser.add_argument("--built", action="store_true", help="only ask, of a lake that an earlier call kept")
    parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    return parser.parse_args()


def measure(settings: Settings, given: argparse.Namespace) -> dict[str, Any]:
    lake = Lake(settings)
    result: dict[str, Any] = {"rows": given.rows, "repeats": given.repeats}
    if not given.built:
        result["fill"] = fill(lake, given.rows)
        result["builds"] = builds(settings, lake, given.increments)
    return result | answers(settings, lake, given.repeats) | {"load": round(os.getloadavg()[0], 1)}


def main() -> int:
    configure("bench", level="WARNING")
    given, platform = arguments(), get_settings()
    settings = own_lake(platform)
    try:
        result = measure(settings, given)
    except (DbtFailed, EngineFailed) as error:
        sys.exit(str(error))
    finally:
        headrace(settings, "down")
        if not given.keep:
            shutil.rmtree(settings.home, ignore_errors=True)
    raw = raw_file(platform, "lake")
    raw.write_text(json.dumps(result, indent=2))
    if given.json:
        print(json.dumps(result))
    else:
        show(result)
        print(f"Raw results: {raw}")
    return 1 if any(found["different"] for found in result["questions"]) else 0


if __name__ == "__main__":
    raise SystemExit(main())
