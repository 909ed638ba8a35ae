"""What an hour's build costs by the way in which Airflow runs dbt: a task a model, Cosmos' watcher, one build, and one
build that tasks tell of.

A lake of its own is filled and built, and an hour of new events lands once. Each run builds that hour from the same state
of every table, by Airflow's real scheduler, triggerer and LocalExecutor, the modes in turn. What the tables hold
afterwards is compared, every value of every row.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.build_modes.cost import since, spent
from benchmarks.build_modes.moment import Moment, changed, contents
from benchmarks.curated.filling import Lake
from benchmarks.lake import fill, headrace, own_lake, say
from benchmarks.results import raw_file
from headrace.lake import dbt
from headrace.lake.found import bring_found
from headrace.log import configure
from headrace.settings import Settings, get_settings
from tests.parts.few_dags import FewDags

MODES = ("each", "watcher", "plain", "at_once")
_DAGS = Path(__file__).parent / "build_modes" / "dags"
_RUN_SECONDS = 3600


def prepare(settings: Settings, rows: int, news: int) -> tuple[Lake, Moment]:
    """A built lake with an hour that is not; one that an earlier call kept is taken as it is."""
    lake, file = Lake(settings), settings.run / "before-the-hour.json"
    if not file.is_file():
        fill(lake, rows)
        bring_found(settings)
        dbt.run(settings, ["build"])
        lake.land_hour(news)
    return lake, Moment.kept(settings, file)


def run(airflow: FewDags, settings: Settings, lake: Lake, moment: Moment, mode: str) -> dict[str, Any]:
    moment.return_to()
    tables = list(moment.states)
    before, taken, began = contents(lake, tables), spent(settings), time.perf_counter()
    ended = airflow.ended(mode, name := airflow.trigger(mode), _RUN_SECONDS)
    wall = time.perf_counter() - began
    # The last worker ends a moment after its task.
    time.sleep(5)
    cost, after = since(taken, spent(settings)), contents(lake, tables)
    tasks = airflow.tasks(mode, name)
    say(f"{mode}: {ended} in {wall:.0f} s, {sum(cost.values()):.0f} processor seconds")
    return {
        "mode": mode, "ended": ended, "wall_seconds": round(wall, 1), "processor_seconds": round(sum(cost.values()), 1),
        "by_part": cost, "tasks": len(tasks), "tries": sum(task["try_number"] for task in tasks.values()),
        "changed": changed(before, after), "contents": after, "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def measure(settings: Settings, given: argparse.Namespace) -> list[dict[str, Any]]:
    lake, moment = prepare(settings, given.rows, given.news)
    files = [_DAGS / f"{mode}.py" for mode in given.modes]
    with FewDags(settings, files, PYTHONPATH=f"{settings.repo / 'include'}:{settings.repo}") as airflow:
        return [run(airflow, settings, lake, moment, mode) for _ in range(given.runs) for mode in given.modes]


def equal(runs: list[dict[str, Any]]) -> bool:
    """All tables hold the same rows. Which of them changed may differ: a table that is replaced whole keeps no old state."""
    return all(one["contents"] == runs[0]["contents"] for one in runs)


def show(runs: list[dict[str, Any]]) -> None:
    table = Table(
        "mode", "ended", "wall s", "processor s", "of Airflow", "of Trino", "tasks", "tries", "tables changed"
    )
    for one in runs:
        airflow = sum(took for part, took in one["by_part"].items() if part.startswith("airflow"))
        table.add_row(
            one["mode"], one["ended"], f"{one['wall_seconds']}", f"{one['processor_seconds']}", f"{airflow:.0f}",
            f"{one['by_part'].get('trino', 0):.0f}", f"{one['tasks']}", f"{one['tries']}", f"{len(one['changed'])}",
        )  # fmt: skip
    Console(width=140).print(table)
    print(f"Every table holds the same rows after each run: {'yes' if equal(runs) else 'no'}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./headrace bench modes", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="transactions of the two months, before repeats")
    parser.add_argument("--news", type=int, default=5_000, help="events of the hour that is built")
    parser.add_argument("--runs", type=int, default=2, help="runs of each mode, in turn")
    parser.add_argument("--modes", type=lambda text: text.split(","), default=list(MODES), help=", ".join(MODES))
    parser.add_argument("--keep", action="store_true", help="leave the lake's folder there, for a next call")
    parser.add_argument("--add-to", type=Path, help="raw results of an earlier call of the same lake, to go on from")
    parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    return parser.parse_args()


def main() -> int:
    configure("bench", level="WARNING")
    given, platform = arguments(), get_settings()
    settings = own_lake(platform, "bench-modes")
    try:
        runs = measure(settings, given)
    finally:
        headrace(settings, "down")
        if not given.keep:
            shutil.rmtree(settings.home, ignore_errors=True)
    runs = [*(json.loads(given.add_to.read_text()) if given.add_to else []), *runs]
    raw = raw_file(platform, "modes")
    raw.write_text(json.dumps(runs, indent=2))
    if given.json:
        print(json.dumps(runs))
    else:
        show(runs)
        print(f"Raw results: {raw}")
    return 0 if equal(runs) and all(one["ended"] == "success" for one in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
