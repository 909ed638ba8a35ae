"""How many planted anomalies the detector finds, how soon, and how often it cries wolf: no part is started.

Events are those of `headrace.sources`: a pool that `Traffic` made is drawn from by the hour's intensity. Weeks of
history, with outliers of their own, become baselines; then whole days pass in steps of seconds through the same
Detector, Users and Incidents that the part `anomalies` runs. `--tune` tries limits on rises, drops and user bursts of
other seeds; drift, unit change and refund wave are never tuned on.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.planted import SHAPES, Plant, plants
from benchmarks.replay import Replay
from benchmarks.results import raw_file
from headrace.anomalies.incidents import Incident
from headrace.anomalies.measures import Tuning
from headrace.settings import get_settings

TUNED_SHAPES = ("rise", "drop", "user_burst")
TUNE_SEEDS = (101, 102)
JUDGE_SEEDS = (31, 32)
QUIET_SEED = 33
BUSY = 10.0
GRACE = 300.0
"""Seconds after its end in which an anomaly may still be told."""
TARGET = {"precision": 0.9, "recall": 0.9, "seconds": 90.0}


@dataclass(frozen=True)
class Day:
    planted: list[Plant]
    incidents: list[Incident]

    def found(self) -> dict[Plant, Incident]:
        """The first incident of a plant's own subject and measure while it lasts."""
        first: dict[Plant, Incident] = {}
        for incident in self.incidents:
            for plant in self.planted:
                if plant.key == incident.key and plant.start <= incident.opened_at <= plant.end + GRACE:
                    first.setdefault(plant, incident)
        return first

    def again(self, incident: Incident) -> str:
        """Whether it tells once more what was told."""
        near = any(p.key == incident.key and p.start <= incident.opened_at <= p.end + 3600 for p in self.planted)
        return "(again) " if near else ""


def figures(days: list[Day]) -> dict[str, Any]:
    """All days together. Whatever is told beyond the first telling of a plant counts as false."""
    found = {plant: incident for day in days for plant, incident in day.found().items()}
    planted = [plant for day in days for plant in day.planted]
    told = sum(len(day.incidents) for day in days)
    return {
        "planted": len(planted),
        "found": len(found),
        "told": told,
        "precision": round(len(found) / max(1, told), 3),
        "recall": round(len(found) / max(1, len(planted)), 3),
        "by_shape": {shape: of_shape(shape, planted, found) for shape in SHAPES if any(p.shape == shape for p in planted)},
    }  # fmt: skip


def of_shape(shape: str, planted: list[Plant], found: dict[Plant, Incident]) -> dict[str, Any]:
    """`busy` are merchants with ten purchases a minute or more: where fewer come, fewer can be missed in a minute."""
    mine = [plant for plant in planted if plant.shape == shape]
    seconds = sorted(found[plant].opened_at - plant.start for plant in mine if plant in found)
    soon = {p for p in mine if p in found and found[p].opened_at - p.start <= TARGET["seconds"]}
    busy = [p for p in mine if p.per_minute >= BUSY]
    return {
        "planted": len(mine), "recall": round(len(seconds) / len(mine), 3),
        "seconds_p50": _at(seconds, 0.5), "seconds_p90": _at(seconds, 0.9), "within_90_s": round(len(soon) / len(mine), 3),
        "within_90_s_busy": round(len(soon.intersection(busy)) / len(busy), 3) if busy else None,
        "tuned_on": shape in TUNED_SHAPES,
    }  # fmt: skip


def _at(ordered: list[float], share: float) -> float | None:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1) if ordered else None


def day(seed: int, rate: float, tuning: Tuning, shapes: tuple[str, ...], each: int, hours: float) -> Day:
    replay = Replay(seed, rate, tuning)
    planted = plants(replay.pool, seed, shapes, each, replay.begin, hours, rate)
    return Day(planted, replay.run(planted, hours))


def tune(rate: float, hours: float) -> list[dict[str, Any]]:
    tried = []
    for share in (1e-5, 1e-4, 1e-3):
        for doubt in (0.05, 0.1):
            tuning = replace(Tuning(), false_discovery=share, season_doubt=doubt)
            days = [day(seed, rate, tuning, TUNED_SHAPES, 8, hours) for seed in TUNE_SEEDS]
            tried.append({"false_discovery": share, "season_doubt": doubt, **figures(days)})
    return tried


def judge(rate: float, hours: float, each: int) -> dict[str, Any]:
    began = time.process_time()
    days = [day(seed, rate, Tuning(), SHAPES, each, hours) for seed in JUDGE_SEEDS]
    quiet = day(QUIET_SEED, rate, Tuning(), (), 0, 24)
    return {
        "rate": rate, "hours_each": hours, **figures(days),
        "quiet_day_false_alarms": len(quiet.incidents), "quiet_day": [i.sentence for i in quiet.incidents],
        "false": [f"{d.again(i)}{i.sentence}" for d in days for i in d.incidents if i not in d.found().values()],
        "cpu_seconds": round(time.process_time() - began, 1),
    }  # fmt: skip


def table(result: dict[str, Any]) -> None:
    print(
        f"{'shape':>14} {'planted':>8} {'recall':>7} {'p50 s':>7} {'p90 s':>7} {'≤ 90 s':>7} {'busy':>7}  tuned on this shape"
    )
    for shape, found in result["by_shape"].items():
        cells = (
            found[name]
            for name in ("planted", "recall", "seconds_p50", "seconds_p90", "within_90_s", "within_90_s_busy")
        )
        widths = (8, 7, 7, 7, 7, 7)
        print(
            f"{shape:>14}",
            *(f"{cell!s:>{width}}" for cell, width in zip(cells, widths, strict=True)),
            "",
            found["tuned_on"],
        )
    print(f"busy: told within 90 s, of merchants with {BUSY:.0f} purchases a minute or more")
    print(f"precision {result['precision']}, recall {result['recall']} of {result['planted']} planted "
          f"(target {TARGET['precision']} at {TARGET['recall']}); "
          f"{result['quiet_day_false_alarms']} false alarms in a quiet day; {result['cpu_seconds']} s of processor")  # fmt: skip
    for told in (*result["false"], *result["quiet_day"]):
        print(f"  false: {told}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=50, help="transactions a second of the whole marketplace")
    parser.add_argument("--hours", type=float, default=8, help="length of each simulated day but the quiet one")
    parser.add_argument("--each", type=int, default=8, help="anomalies of each shape a day")
    parser.add_argument("--tune", action="store_true", help="try limits on the tuning seeds instead of judging")
    parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    given = parser.parse_args()
    result: Any = tune(given.rate, given.hours) if given.tune else judge(given.rate, given.hours, given.each)
    raw = raw_file(get_settings(), "anomalies")
    raw.write_text(json.dumps(result, indent=2))
    if given.json:
        print(json.dumps(result))
    elif given.tune:
        for tried in result:
            print({name: tried[name] for name in ("false_discovery", "season_doubt", "precision", "recall")})
    else:
        table(result)
        print(f"Raw results: {raw}")
    return 0 if given.tune or min(result["precision"], result["recall"]) >= TARGET["recall"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
