"""How many events a second the window job takes: Spark as the platform runs it, beside Flink SQL and a Python library.

The topic is filled first: an hour of events with repeats, late and bad ones. Then the engines work it off in turns, each
with the same cores, state on disk and commits, and every row that each wrote is compared with what must be there. Rounds
can be spread over several calls: --add-to FILE goes on with the result of an earlier one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.results import raw_file
from benchmarks.window_job import engines
from benchmarks.window_job.report import Spread, report
from benchmarks.window_job.rounds import VARIANTS, Plan, Run, measure
from headrace.runtime import artifacts, bootstrap, servers, tools
from headrace.settings import Settings, get_settings


def prepare(settings: Settings, names: list[str]) -> None:
    """Everything that is needed and not there is fetched; Flink and the Python library for this benchmark alone."""
    if not servers.kafka_healthy(settings):
        sys.exit("Kafka does not answer. Next: ./headrace up --only kafka")
    groups = ["spark-live", *(["flink"] if "flink" in names else [])]
    for group in groups:
        if not artifacts.is_fetched(settings, group):
            size = sum(item.size for item in artifacts.locked()[group])
            print(f"Fetching {group} ({size / 1e6:.0f} MB, once).", file=sys.stderr)
            artifacts.fetch(settings, [group], lambda *_: None)
    tools.ensure_environments()
    if "quix" in names:
        bootstrap.ensure_environment("bench")


def line(run: Run) -> str:
    mark = "FAILED" if "failed" in run else {True: "equal", False: "DIFFERENT", None: ""}[run.get("equal")]
    return (
        f"{run['engine']:<20} {run['job']:<15} {run['run']:>3} {run.get('running_seconds', ''):>9} "
        f"{run.get('whole_seconds', ''):>8} {run.get('events_per_second', ''):>9} {run.get('checkpoints', ''):>6} "
        f"{run.get('rows_written', ''):>8} {run['load']:>5} {mark:>9}"
    )


HEAD = (
    f"{'engine':<20} {'job':<15} {'run':>3} {'running s':>9} {'whole s':>8} {'events/s':>9} {'checkp':>6} "
    f"{'rows':>8} {'load':>5} {'windows':>9}"
)


def shown(value: Spread | None) -> str:
    return f"{value['median']:g} ({value['least']:g} to {value['most']:g})" if value else "none"


def summary(result: dict[str, Any]) -> list[str]:
    lines = [
        f"{rate['engine']:<20} {rate['job']:<15} {shown(rate['running'])} events/s over {rate['runs']} runs"
        for rate in result["rates"]
    ]
    lines += [
        f"Spark to {other}, {variant}: {shown(found['running'])}; of the whole process {shown(found['whole_process'])}"
        for other, variants in result["ratios"].items()
        for variant, found in variants.items()
    ]
    return [*lines, f"Outputs equal: {result['outputs_equal']}"]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def some_of(known: Iterable[str]) -> Callable[[str], list[str]]:
    """Names with commas between them, each one of the known."""

    def names(text: str) -> list[str]:
        found = text.split(",")
        if unknown := [name for name in found if name not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: there are {', '.join(known)}, with commas between")
        return found

    return names


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./headrace bench throughput", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="records in the topic")
    parser.add_argument(
        "--fewer", type=int, default=200_000, help="records in the topic of the Python library; rates are compared"
    )
    parser.add_argument("--runs", type=int, default=3, help="rounds; in each, every engine does every job once")
    parser.add_argument(
        "--engines", type=some_of(engines.ENGINES), default=list(engines.ENGINES), help="with commas: spark,flink,quix"
    )
    parser.add_argument("--variants", type=some_of(VARIANTS), default=list(VARIANTS), help="with commas")
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
    parser.add_argument("--add-to", type=Path, help="the raw result of an earlier call with the same options")
    parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    return parser.parse_args()


def earlier(path: Path | None, plan: dict[str, Any]) -> list[Run]:
    """The runs of an earlier call, if it measured the same."""
    if path is None:
        return []
    found = json.loads(path.read_text())
    if found["plan"] != plan:
        sys.exit(f"{path} measured something else: {found['plan']}. Next: give the same options.")
    return list(found["runs"])


def main() -> int:
    given, settings = arguments(), get_settings()
    options = {name: value for name, value in vars(given).items() if name not in ("json", "conf", "add_to")}
    plan = options | {"conf": dict(given.conf)}
    same = {name: value for name, value in plan.items() if name != "runs"}
    runs = earlier(given.add_to, same)
    prepare(settings, given.engines)
    raw = raw_file(settings, "throughput")

    def keep(run: Run) -> None:
        runs.append(run)
        raw.write_text(json.dumps({"plan": same, **report(runs, given.variants, given.engines)}, indent=2))
        say(line(run))

    first = 1 + max((run["run"] for run in runs), default=-1)
    events = measure(settings, Plan(**plan), first, keep)
    result = {"plan": same, "events": events, **report(runs, given.variants, given.engines)}
    raw.write_text(json.dumps(result, indent=2))
    print(json.dumps(result) if given.json else "\n".join([HEAD, *map(line, runs), *summary(result), f"Raw: {raw}"]))
    return 0 if result["outputs_equal"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
