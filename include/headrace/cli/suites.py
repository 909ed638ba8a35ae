"""How suites are run: unit tests, then what starts parts of its own, several at a time; then what has a whole platform.

Each run is a pytest of its own. Together they end with one total in pytest's form, since people and CI read the last
line: a failure of the first run is in it, however long the second one took.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from headrace.cli.output import console, page

SUITES = {
    "unit": ["tests/unit"],
    "parts": ["tests/parts"],
    "journeys": ["tests/journeys"],
    "browser": ["tests/journeys/test_browser_app.py", "tests/journeys/test_browser_platform.py"],
    "faults": ["tests/faults"],
}
_MOST_PROCESSES = 4
_PARTS_GB = 6
"""What one process of tests needs of memory, with Kafka, Trino and a Spark job of its own."""
_FOUND_NONE = 5
"""pytest's exit status where no test was chosen: fine for one run of several."""
_RAN = (0, 1, _FOUND_NONE)
"""Passed or failed; after anything else (interrupted, misused, a file that cannot be imported) the rest is not run."""
_WORDS = ("failed", "passed", "skipped", "xfailed", "xpassed", "error")


@dataclass(frozen=True)
class Run:
    folders: list[str]
    processes: int = 1
    spread: tuple[str, ...] = ()
    """Options where there are several processes; what shares a home stays in one of them (tests/conftest.py)."""

    def command(self, options: Iterable[str]) -> list[str]:
        spread = ["-n", str(self.processes), "--dist", "loadfile", *self.spread] if self.processes > 1 else []
        return [sys.executable, "-m", "pytest", *self.folders, *spread, *options]


@dataclass
class Outcome:
    """What one run told of itself, through `headrace.cli.outcome`."""

    run: Run
    status: int
    counts: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def runs(suite: str | None) -> list[Run]:
    """Without a suite: all but the long faults."""
    cores = min(os.cpu_count() or 1, _MOST_PROCESSES)
    homes = min(cores, int(psutil.virtual_memory().available / 1e9 / _PARTS_GB))
    unit = Run(SUITES["unit"], cores)
    # In the order of tests/conftest.py, which knows what takes long: xdist would begin with the files of most tests.
    parts = Run(SUITES["parts"], homes, ("--no-loadscope-reorder", "-v"))
    known = {"unit": unit, "parts": parts}
    return [known.get(suite) or Run(SUITES[suite])] if suite else [unit, parts, Run(SUITES["journeys"])]


def with_failures(repo: Path, planned: list[Run]) -> list[Run]:
    """The files that hold a test that failed the last time. Whole files: a case may go on from what those before it left."""
    try:
        known = json.loads((repo / ".pytest_cache" / "v" / "cache" / "lastfailed").read_text())
    except (OSError, ValueError):
        return planned
    files = sorted(file for file in {test.partition("::")[0] for test in known} if (repo / file).is_file())
    held = ((run, [file for file in files if file.startswith(tuple(run.folders))]) for run in planned)
    return [replace(run, folders=found) for run, found in held if found] or planned


def perform(repo: Path, planned: list[Run], options: list[str]) -> int:
    """Passes them in turn; the exit status of all of them."""
    began, outcomes = time.monotonic(), []
    for run in planned:
        outcomes.append(_pass(repo, run, options))
        if outcomes[-1].status not in _RAN:
            break
    if len(planned) > 1:
        page.print(total(outcomes, time.monotonic() - began), soft_wrap=True, markup=False)
    return status([outcome.status for outcome in outcomes])


def _pass(repo: Path, run: Run, options: list[str]) -> Outcome:
    command = run.command(options)
    console.print(f"[dim]pytest {' '.join(command[3:])}[/dim]")
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "outcome.json"
        ended = subprocess.run(
            [*command, "-p", "headrace.cli.outcome", f"--outcome={told}"], cwd=repo, env=_environment(), check=False
        ).returncode
        return Outcome(run, ended, **(json.loads(told.read_text()) if told.is_file() else {}))


def _environment() -> dict[str, str]:
    """Where an image forbids bytecode, every process would compile every module anew."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def status(statuses: list[int]) -> int:
    """0 only when all went well and some test ran."""
    ran = [one for one in statuses if one != _FOUND_NONE]
    return next((one for one in ran if one), 0) if ran else _FOUND_NONE


def total(outcomes: list[Outcome], seconds: float) -> str:
    """Every failure once more, runs that did not end, and one line over all."""
    lines = ["All runs together:"]
    lines += [f"FAILED {test}" for outcome in outcomes for test in outcome.failures]
    lines += [
        f"pytest ended with status {outcome.status} for {' '.join(outcome.run.folders)}: the rest was not run."
        for outcome in outcomes
        if outcome.status not in _RAN
    ]
    counts = sum((Counter(outcome.counts) for outcome in outcomes), Counter[str]())
    words = ", ".join(f"{counts[word]} {word}" for word in _WORDS if counts[word]) or "no tests ran"
    return "\n".join([*lines, f"===== {words} in {seconds:.2f}s ====="])
