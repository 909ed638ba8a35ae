"""How many events a second the window job takes: Spark as the platform runs it, against Flink SQL on the same topic.

The topic is filled first: an hour of events with repeats, late and bad ones. Then the engines work it off in turns, each
with the same cores, memory, state store and guarantees, and every row that each wrote is compared with what must be there.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from benchmarks.window_job import engines
from benchmarks.window_job.rounds import VARIANTS, Plan, Run, measure
from headrace.runtime import artifacts, servers, tools
from headrace.settings import Settings, get_settings


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


def line(run: Run) -> str:
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
    named = {name: value for name, value in vars(given).items() if name not in ("json", "conf")}
    result = measure(settings, Plan(**named, conf=dict(given.conf)), lambda run: say(line(run)))
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
