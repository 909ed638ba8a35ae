"""The rounds of the benchmark: every engine in turn on the same events, and what each wrote judged.

In turns, because a machine is rarely alone: what slows one run of a round slows the one beside it too.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.window_job import ceiling, engines, results, traffic
from benchmarks.window_job.job import SPEC
from headrace.contracts.model import load_contracts
from headrace.settings import Settings

VARIANTS = {"without dedupe": False, "with dedupe": True}
SLOWER = ("quix",)
"""Engines that get a topic of fewer events, filled alike: otherwise a round would be theirs alone."""
Run = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What is to be measured."""

    events: int
    fewer: int
    """Events of the topic for the slower engines."""
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
    run = {"engine": name, "job": variant, "run": number, "events": backlog.records, "load": load()}
    traffic.create(settings, output)
    try:
        task = engines.Task(backlog.topic, output, VARIANTS[variant], folder, plan.batch, plan.conf, plan.first_by)
        took = engines.ENGINES[name](settings, task)
        found, rows = results.windows(settings, output)
    except engines.EngineFailed as error:
        return run | {"failed": str(error), "equal": False}
    finally:
        traffic.drop(settings, output)
    wrong = results.differences(backlog.expected[VARIANTS[variant]], found)
    shutil.rmtree(folder, ignore_errors=True)
    return run | {
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


def load() -> float:
    """How many processes wanted a core over the last minute: what else the machine does counts too."""
    return round(os.getloadavg()[0], 1)


def ceilings(settings: Settings, backlog: traffic.Backlog, number: int) -> list[Run]:
    found = []
    for name, take in ceiling.CEILINGS.items():
        run = {"engine": name, "job": "read only", "run": number, "events": backlog.records, "load": load()}
        seconds = ceiling.read(settings, backlog.topic, take)
        found.append(
            run | {"running_seconds": round(seconds, 2), "events_per_second": round(backlog.records / seconds)}
        )
    return found


def measure(settings: Settings, plan: Plan, first: int, told: Callable[[Run], None]) -> dict[str, Any]:
    """Fills the topics, lets the rounds run and tells each run; what the topic held. Rounds are counted from `first`."""
    contract = load_contracts(settings.contracts)[SPEC.stream]
    stem = f"bench-throughput-{uuid.uuid4().hex[:8]}"
    try:
        backlog = few = traffic.fill(settings, contract, stem, plan.events, plan.seed)
        if set(SLOWER) & set(plan.engines):
            few = traffic.fill(settings, contract, f"{stem}-few", plan.fewer, plan.seed)
        for number in range(first, first + plan.runs):
            for variant in plan.variants:
                for name in plan.engines:
                    told(once(settings, name, variant, number, few if name in SLOWER else backlog, plan))
            for run in ceilings(settings, backlog, number):
                told(run)
    finally:
        traffic.drop(settings, stem)
    return {"all": backlog.records, "repeated": backlog.repeated, "late": backlog.late, "bad": backlog.bad}
