"""What the rounds say together: the rate of each engine, and how Spark's stands to the others', middle and spread."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

from benchmarks.window_job.rounds import Run

Spread = dict[str, float]
FIGURES = {"running": "events_per_second", "whole_process": "events_per_second_whole"}


def report(runs: list[Run], variants: list[str], engines: list[str]) -> dict[str, Any]:
    others = [name for name in engines if name != "spark"]
    ratios = {
        other: {
            variant: {name: ratio(runs, variant, other, figure) for name, figure in FIGURES.items()}
            for variant in variants
        }
        for other in others
    }
    flink = ratios.get("flink", {}).get(variants[-1], {}).get("running")
    return {
        "ratio_to_flink": flink["median"] if flink else None,
        "ratios": ratios,
        "rates": rates(runs),
        "outputs_equal": all(run["equal"] for run in runs if "equal" in run),
        "runs": runs,
    }


def ratio(runs: list[Run], variant: str, other: str, figure: str) -> Spread | None:
    """Spark to the other engine: each round's two runs beside one another."""
    found = {(run["engine"], run["run"]): run[figure] for run in runs if run["job"] == variant and figure in run}
    numbers = sorted({number for _, number in found})
    return spread(
        found["spark", number] / found[other, number]
        for number in numbers
        if {("spark", number), (other, number)} <= found.keys()
    )


def rates(runs: list[Run]) -> list[dict[str, Any]]:
    """Events a second of each engine and job, over all rounds."""
    lines = []
    for engine, job in dict.fromkeys((run["engine"], run["job"]) for run in runs):
        mine = [run for run in runs if (run["engine"], run["job"]) == (engine, job)]
        line: dict[str, Any] = {"engine": engine, "job": job, "runs": len(mine)}
        for name, figure in FIGURES.items():
            line[name] = spread((run[figure] for run in mine if figure in run), places=0)
        lines.append(line)
    return lines


def spread(values: Iterable[float], places: int = 2) -> Spread | None:
    found = sorted(values)
    if not found:
        return None
    middle = statistics.median(found)
    return {
        name: round(value, places) for name, value in (("median", middle), ("least", found[0]), ("most", found[-1]))
    }
