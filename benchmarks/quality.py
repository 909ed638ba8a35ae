"""How many planted defects of data are found, how soon, and how often the watch cries wolf: no part is started.

Events are those of `headrace.sources`, at the rate and in the mix of the part `simulator`, by the hours of the day. They
pass as records through the same profile, judge and incidents that DAG `quality` runs every few minutes. `--tune` tries
limits on other seeds; drift and change of unit are never tuned on.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.defects import DEFECTS, PILLARS, Defect, Marketplace, defects
from benchmarks.results import raw_file
from headrace.anomalies.incidents import Incident
from headrace.quality.history import MOST
from headrace.quality.incidents import Open, follow
from headrace.quality.judge import Limits, judge
from headrace.quality.profile import Profile, of_topic
from headrace.settings import get_settings

TUNED_ON = ("late", "duplicate", "null_spike", "volume_drop")
TUNE_SEEDS = (41, 42)
JUDGE_SEEDS = (91, 92, 93)
QUIET_SEEDS = (94, 95)
WARM_HOURS = 2.0
LOOK_AFTER = 15.0
"""Seconds after the end of a stretch in which Airflow has started the task and the task has read it."""
TARGET = {"detected": 0.9, "false_alarms_in_a_quiet_day": 1}


@dataclass(frozen=True)
class Day:
    planted: list[Defect]
    incidents: list[Incident]

    def found(self) -> dict[Defect, Incident]:
        """The first incident of the defect's topic, while it lasts, in a pillar that it shows in."""
        first: dict[Defect, Incident] = {}
        for incident in self.incidents:
            for defect in self.planted:
                if defect.shown_by(incident):
                    first.setdefault(defect, incident)
        return first

    def false(self) -> list[Incident]:
        """Told where nothing was planted. A second pillar of the same defect, or its end, is none."""
        return [i for i in self.incidents if not any(defect.explains(i) for defect in self.planted)]


def run(seed: int, rate: float, hours: float, kinds: tuple[str, ...], each: int, limits: Limits) -> Day:
    """A day of stretches; the first hours are only learnt from."""
    place = Marketplace(seed, rate)
    planted = defects(place, seed, kinds, each, place.begin + WARM_HOURS * 3600, hours)
    past: dict[str, list[Profile]] = {}
    open_: Open = {}
    told: list[Incident] = []
    seconds = 300
    for start in range(int(place.begin), int(place.begin + (WARM_HOURS + hours) * 3600), seconds):
        for contract, records in place.stretch(start, seconds, planted):
            known = past.setdefault(contract.topic, [])
            profile = of_topic(contract, records, start, seconds, 5)
            findings = judge(profile, known[-MOST:], limits)
            known.append(profile)
            at = start + seconds + LOOK_AFTER
            changed = follow(open_, findings, {contract.topic: seconds}, at, "topic")
            told += [incident for incident in changed if incident.state == "open" and incident.opened_at == at]
    return Day(planted, told)


def figures(days: list[Day]) -> dict[str, Any]:
    found = {defect: incident for day in days for defect, incident in day.found().items()}
    planted = [defect for day in days for defect in day.planted]
    by_kind = {kind: _of_kind([d for d in planted if d.kind == kind], found) for kind in DEFECTS}
    return {
        "planted": len(planted), "found": len(found), "detected": round(len(found) / max(1, len(planted)), 3),
        "false_alarms": sum(len(day.false()) for day in days), "by_defect": {k: v for k, v in by_kind.items() if v["planted"]},
        "missed": [str(defect) for defect in planted if defect not in found],
    }  # fmt: skip


def _of_kind(mine: list[Defect], found: dict[Defect, Incident]) -> dict[str, Any]:
    seconds = sorted(found[d].opened_at - d.start for d in mine if d in found)
    at = lambda share: round(seconds[min(len(seconds) - 1, int(len(seconds) * share))]) if seconds else None  # noqa: E731
    return {
        "planted": len(mine), "detected": round(len(seconds) / len(mine), 3) if mine else None,
        "seconds_p50": at(0.5), "seconds_p90": at(0.9), "tuned_on": bool(mine) and mine[0].kind in TUNED_ON,
    }  # fmt: skip


def judged(rate: float, hours: float, each: int, quiet_hours: float = 24) -> dict[str, Any]:
    began = time.process_time()
    days = [run(seed, rate, hours, DEFECTS, each, Limits()) for seed in JUDGE_SEEDS]
    quiet = [run(seed, rate, quiet_hours, (), 0, Limits()) for seed in QUIET_SEEDS]
    return {
        "rate": rate, "hours_each": hours, **figures(days),
        "quiet_days": len(quiet), "quiet_false_alarms": sum(len(day.incidents) for day in quiet),
        "false": [i.sentence for day in (*days, *quiet) for i in day.false()],
        "cpu_seconds": round(time.process_time() - began, 1),
    }  # fmt: skip


def tune(rate: float, hours: float) -> list[dict[str, Any]]:
    tried = []
    for score in (5.0, 6.0, 7.0):
        for share in (0.02, 0.04):
            limits = replace(Limits(), share_score=score, least_share_change=share)
            days = [run(seed, rate, hours, TUNED_ON, 6, limits) for seed in TUNE_SEEDS]
            tried.append({"share_score": score, "least_share_change": share, **figures(days)})
    return tried


def table(result: dict[str, Any]) -> None:
    print(f"{'defect':>13} {'planted':>8} {'detected':>9} {'p50 s':>7} {'p90 s':>7}  tuned on, shows in")
    for kind, found in result["by_defect"].items():
        cells = (found[name] for name in ("planted", "detected", "seconds_p50", "seconds_p90"))
        widths = (8, 9, 7, 7)
        line = " ".join(f"{cell!s:>{width}}" for cell, width in zip(cells, widths, strict=True))
        print(f"{kind:>13} {line}  {found['tuned_on']}, {' or '.join(PILLARS[kind])}")
    print(f"detected {result['detected']} of {result['planted']}; {result['false_alarms']} false alarms in the days with defects, "
          f"{result['quiet_false_alarms']} in {result['quiet_days']} quiet days; {result['cpu_seconds']} s of processor")  # fmt: skip
    print(
        "Seconds are from the first wrong event to the telling: stretches of 5 minutes, looked at 15 s after their end."
    )
    for said in result["false"]:
        print(f"  false: {said}")
    for said in result["missed"]:
        print(f"  missed: {said}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=5, help="events a second of the whole marketplace")
    parser.add_argument("--hours", type=float, default=14, help="length of each simulated day but the quiet ones")
    parser.add_argument("--each", type=int, default=4, help="defects of each kind a day")
    parser.add_argument("--tune", action="store_true", help="try limits on the tuning seeds instead of judging")
    parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    given = parser.parse_args()
    result: Any = tune(given.rate, given.hours) if given.tune else judged(given.rate, given.hours, given.each)
    raw = raw_file(get_settings(), "quality")
    raw.write_text(json.dumps(result, indent=2))
    if given.json:
        print(json.dumps(result))
    elif given.tune:
        for tried in result:
            print({name: tried[name] for name in ("share_score", "least_share_change", "detected", "false_alarms")})
    else:
        table(result)
        print(f"Raw results: {raw}")
    if given.tune:
        return 0
    quiet = result["quiet_false_alarms"] <= TARGET["false_alarms_in_a_quiet_day"] * result["quiet_days"]
    return 0 if result["detected"] >= TARGET["detected"] and quiet else 1


if __name__ == "__main__":
    raise SystemExit(main())
