"""How many events a second the window job takes: Spark as the platform runs it, against Flink SQL on the same topic.

The topic is filled first: an hour of events with repeats, late and bad ones. Then the engines work it off in turns, each
with the same cores, memory, state store and guarantees, and every row that each wrote is compared with what must be there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import uuid
from datetime import UTC, datetime
from typing import Any

from benchmarks.window_job import ceiling, engines, results, traffic
from benchmarks.window_job.job import SPEC
from headrace.contracts.model import load_contracts
from headrace.runtime import artifacts, servers, tools
from headrace.settings import Settings, get_settings

VARIANTS = {"without dedupe": False, "with dedupe": True}


def prepare(settings: Settings, names: list[str]) -> None:
    """Everything that is needed and not there is fetched; Flink for this benchmark alone."""
    if not servers.kafka_healthy(settings):
        sys.exit("Kafka does not answer. Next: ./headrace up --only kafka")
    groups = ["spark-live", *(["flink"] if "flink" in names else [])]
    for group in groups:
        if not artifacts.is_fetched(settings, group):
            size = sum(item.size for item in artifacts.locked()[group])
            print(f"Fetching {group} ({size / 1e6:.0f} MB, once).", file=sys.stderr)
            artifacts.fetch(settings, [group], lambda *_: None)
    tools.ensure_environments()


def once(
    settings: Settings, name: str, variant: str, number: int, backlog: traffic.Backlog, given: Any
) -> dict[str, Any]:
    """One run of one engine, with its differences from what must be there."""
    folder = settings.home / "tmp" / "bench" / f"{name}-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    output = f"{backlog.topic}-{name}-{VARIANTS[variant]}-{number}".lower()
    traffic.create(settings, output)
    try:
        task = engines.Task(
            backlog.topic, output, VARIANTS[variant], folder, given.batch, dict(given.conf), given.first_by
        )
        took = engines.ENGINES[name](settings, task)
        found, rows = results.windows(settings, output)
    finally:
        traffic.drop(settings, [output])
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


def ceilings(settings: Settings, backlog: traffic.Backlog, number: int) -> list[dict[str, Any]]:
    found = []
    for name, take in ceiling.CEILINGS.items():
        seconds = ceiling.read(settings, backlog.topic, take)
        found.append({"engine": name, "job": "read only", "run": number, "events": backlog.records,
                      "running_seconds": round(seconds, 2), "events_per_second": round(backlog.records / seconds)})  # fmt: skip
    return found


def measure(settings: Settings, given: argparse.Namespace) -> dict[str, Any]:
    contract = load_contracts(settings.contracts)[SPEC.stream]
    topic = f"bench-throughput-{uuid.uuid4().hex[:8]}"
    runs: list[dict[str, Any]] = []
    try:
        backlog = traffic.fill(settings, contract, topic, given.events, given.seed)
        say(f"{topic}: {backlog.records} events, {backlog.repeated} repeats, {backlog.late} late, {backlog.bad} bad")
        for number in range(given.runs):
            for variant in given.variants:
                for name in given.engines:
                    runs.append(once(settings, name, variant, number, backlog, given))
                    say(line(runs[-1]))
            runs += ceilings(settings, backlog, number)
    finally:
        traffic.drop(settings, [topic])
    return {
        "ratio_to_flink": ratio(runs, "with dedupe", "events_per_second"),
        "ratios": {
            variant: {"running": ratio(runs, variant, "events_per_second"), "whole_process": ratio(runs, variant, "events_per_second_whole")}
            for variant in given.variants
        },
        "outputs_equal": all(run["equal"] for run in runs if "equal" in run),
        "events": {"all": backlog.records, "repeated": backlog.repeated, "late": backlog.late, "bad": backlog.bad},
        "runs": runs,
    }  # fmt: skip


def ratio(runs: list[dict[str, Any]], variant: str, figure: str) -> float | None:
    """Spark to Flink: the median over the rounds, each round's two runs beside one another."""
    rates = {(run["engine"], run["run"]): run[figure] for run in runs if run["job"] == variant}
    pairs = [
        rates["spark", n] / rates["flink", n]
        for n in {n for _, n in rates}
        if {("spark", n), ("flink", n)} <= rates.keys()
    ]
    return round(statistics.median(pairs), 3) if pairs else None


def line(run: dict[str, Any]) -> str:
    whole = run.get("whole_seconds", "")
    mark = {True: "equal", False: "DIFFERENT", None: ""}[run.get("equal")]
    return (
        f"{run['engine']:<22} {run['job']:<15} {run['run']:>3} {run['running_seconds']:>9} {whole:>9} "
        f"{run['events_per_second']:>10} {run.get('checkpoints', ''):>6} {run.get('rows_written', ''):>9} {mark:>10}"
    )


HEAD = f"{'engine':<22} {'job':<15} {'run':>3} {'running s':>9} {'whole s':>9} {'events/s':>10} {'checkp':>6} {'rows':>9} {'windows':>10}"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000, help="records in the topic")
    parser.add_argument("--runs", type=int, default=3, help="rounds; in each, every engine does every job once")
    parser.add_argument(
        "--engines", type=lambda text: text.split(","), default=list(engines.ENGINES), help="with commas"
    )
    parser.add_argument("--variants", type=lambda text: text.split(","), default=list(VARIANTS), help="with commas")
    parser.add_argument("--batch", type=int, default=500_000, help="records that Spark takes between two checkpoints")
    parser.add_argument(
        "--conf",
        type=lambda text: tuple(text.split("=", 1)),
        action="append",
        default=[],
        help="a Spark setting to try, KEY=VALUE",
    )
    parser.add_argument(
        "--first-by",
        default="seen_at",
        choices=("seen_at", "moment"),
        help="how Flink bounds the ids it keeps: by the clock or by event time",
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    return parser.parse_args()


def main() -> int:
    given, settings = arguments(), get_settings()
    prepare(settings, given.engines)
    result = measure(settings, given)
    raw = settings.run / "bench" / f"throughput-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    raw.parent.mkdir(parents=True, exist_ok=True)
    raw.write_text(json.dumps(result, indent=2))
    if given.json:
        print(json.dumps(result))
    else:
        print(HEAD, *(line(run) for run in result["runs"]), sep="\n")
        print(
            f"Spark to Flink, with dedupe: {result['ratio_to_flink']} (all: {result['ratios']}). Outputs equal: {result['outputs_equal']}."
        )
        print(f"Raw results: {raw}")
    return 0 if result["outputs_equal"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
