"""The result as a person reads it: a table of the builds, a table of the questions, and what holds."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.curated.asking import LIMIT_MS


def show(result: dict[str, Any]) -> None:
    console = Console(width=140)
    if result.get("builds"):
        console.print(_builds(result["builds"]))
    console.print(_questions(result))
    for line in verdicts(result):
        console.print(line)


def verdicts(result: dict[str, Any]) -> list[str]:
    every = [*result["questions"], *result["by_metric"]]
    different = [f"{found['question']}: {name}" for found in result["questions"] for name in found["different"]]
    return [
        _in_time(every, "trino", "of Trino"),
        _in_time(every, "kept", "of what the API keeps"),
        f"Answers equal, row by row: {'no' if different else 'yes'}{_but(different)}",
    ]


def _in_time(every: list[dict[str, Any]], engine: str, words: str) -> str:
    slow = [found["question"] for found in every if found["milliseconds"][engine]["p95"] >= LIMIT_MS]
    return f"p95 {words} under {LIMIT_MS} ms: {len(every) - len(slow)} of {len(every)}{_but(slow)}"


def _but(names: list[str]) -> str:
    return f"; not: {', '.join(names)}" if names else ""


def _builds(builds: list[dict[str, Any]]) -> Table:
    table = _table("build", "events", "wall s", "models s", "tests s", "rows read", "MB read", "slowest model")
    for one in builds:
        slowest = max(one["models"].items(), key=lambda item: item[1]["seconds"], default=("none", {"seconds": 0}))
        table.add_row(
            one["build"], f"{one['events']:,}", f"{one['seconds']}", f"{one['models_seconds']}", f"{one['tests_seconds']}",
            f"{one['rows_read']:,}", f"{one['megabytes_read']}", f"{slowest[0]} {slowest[1]['seconds']}",
        )  # fmt: skip
    return table


def _questions(result: dict[str, Any]) -> Table:
    table = _table(
        "question",
        "rows",
        "Trino p50 ms",
        "p95 ms",
        "kept p50",
        "p95",
        "DuckDB p50",
        "chdb p50",
        "Trino to DuckDB",
        "Trino to chdb",
    )
    for found in [*result["questions"], *result["by_metric"]]:
        took = found["milliseconds"]
        mine = took["trino"]
        others = [took[name]["p50"] if name in took else None for name in ("duckdb", "chdb")]
        table.add_row(
            found["question"], str(found.get("rows", "")), f"{mine['p50']}", f"{mine['p95']}",
            f"{took['kept']['p50']}", f"{took['kept']['p95']}",
            *("" if value is None else f"{value}" for value in others),
            *("" if value is None else f"{mine['p50'] / value:.1f}" for value in others),
        )  # fmt: skip
    return table


def _table(first: str, *columns: str) -> Table:
    table = Table(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table
