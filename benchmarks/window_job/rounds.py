"""The rounds of the benchmark: every engine in turn on the same topic, what each wrote judged, and the ratio of them.

In turns, because a machine is rarely alone: what slows one run of a round slows the one beside it too.
"""

from __future__ import annotations

import shutil
import statistics
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.window_job import ceiling, engines, results, traffic
from benchmarks.window_job.job import SPEC
from headrace.contracts.model import load_contracts
from headrace.settings import Settings

VARIANTS = {"without dedupe": False, "with dedupe": True}
Run = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What is to be measured."""

    events: int
    runs: int
    engines: list[str]
    variants: list[str]
    batch: int
    seed: int
    first_by: str
    conf: dict[str, str] = field(default_factory=dict)


def once(settings: Settings, name: str, variant: str, number: int, backlog: traffic.Backlog, plan: Plan) -> Run:
    """One run of one engine, with its differences from what must be there."""
    folder = settings.home / "tmp" / "bench" / f"{name}-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    output = f"{backlog.topic}-{name}-{VARIANTS[variant]}-{number}".lower()
    traffic.create(settings, output)
    try:
        task = engines.Task(backlog.topic, output, VARIANTS[variant], folder, plan.batch, plan.conf, plan.first_by)
        took = engines.ENGINES[name](settings, task)
        found, rows = results.windows(settings, output)
    finally:
        traffic.drop(settings, output)
    wrong = results.differences(backlog.expected[VARIANTS[variant]], found)
    shutil.rmtree(folder, ignore_errors=True)
    return {
        "engine": name,
        "job": variant,
        "run": number,
        "events": backlog.records,
        "whole_seconds": round(took.whole_seconds, 2),
        "running_seconds": round(took.running_seconds, 2),
        "events_per_second": round(backlog.records / took.running_seconds),
        "events_per_second_whole": round(backlog.records / took.whole_seconds),
        "checkpoints": took.checkpoints,
        "rows_written": rows,
        "windows": len(found),
        "equal": not wrong,
        "differences": wrong[:20],
    }


def ceilings(settings: Settings, backlog: traffic.Backlog, number: int) -> list[Run]:
    found = []
    for name, take in ceiling.CEILINGS.items():
        seconds = ceiling.read(settings, backlog.topic, take)
        found.append({"engine": name, "job": "read only", "run": number, "events": backlog.records,
                      "running_seconds": round(seconds, 2), "events_per_second": round(backlog.records / seconds)})  # fmt: skip
    return found


def measure(settings: Settings, plan: Plan, told: Callable[[Run], None]) -> Run:
    contract = load_contracts(settings.contracts)[SPEC.stream]
    stem = f"bench-throughput-{uuid.uuid4().hex[:8]}"
    runs: list[Run] = []
    try:
        backlog = traffic.fill(settings, contract, stem, plan.events, plan.seed)
        for number in range(plan.runs):
            for variant in plan.variants:
                for name in plan.engines:
                    runs.append(once(settings, name, variant, number, backlog, plan))
                    told(runs[-1])
            runs += ceilings(settings, backlog, number)
    finally:
        traffic.drop(settings, stem)
    return report(backlog, runs, plan.variants)


def report(backlog: traffic.Backlog, runs: list[Run], variants: list[str]) -> Run:
    ratios = {
        variant: {
            "running": ratio(runs, variant, "events_per_second"),
            "whole_process": ratio(runs, variant, "events_per_second_whole"),
        }
        for variant in variants
    }
    return {
        "ratio_to_flink": ratios[variants[-1]]["running"],
        "ratios": ratios,
        "outputs_equal": all(run["equal"] for run in runs if "equal" in run),
        "events": {"all": backlog.records, "repeated": backlog.repeated, "late": backlog.late, "bad": backlog.bad},
        "runs": runs,
    }


def ratio(runs: list[Run], variant: str, figure: str) -> float | None:
    """Spark to Flink: the median over the rounds, each round's two runs beside one another."""
    rates = {(run["engine"], run["run"]): run[figure] for run in runs if run["job"] == variant}
    pairs = [
        rates["spark", n] / rates["flink", n]
        for n in {n for _, n in rates}
        if {("spark", n), ("flink", n)} <= rates.keys()
    ]
    return round(statistics.median(pairs), 3) if pairs else None
