"""Real parts for tests, in state folders of their own: one for parts, one for journeys, never the person's.

A process of tests runs one home at a time: the next starts when the one before is down. Files of parts may be spread
over processes; the journeys' platform has the machine to itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

REPO = Path(__file__).resolve().parents[1]
_HOME = Path(tempfile.mkdtemp(prefix="headrace-test-"))
os.environ["HEADRACE_HOME"] = str(_HOME / "parts")
_OF_PARTS = {
    "HEADRACE_SIMULATE_RATE": "0", "HEADRACE_LAKE_BATCH_SECONDS": "3", "HEADRACE_LAND_BATCH_SECONDS": "3",
    # A Java of tests lives for a minute or two: what its second compiler would gain comes after its end.
    "HEADRACE_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1",
}  # fmt: skip
os.environ |= _OF_PARTS

from headrace.runtime.jobs import JOBS  # noqa: E402
from headrace.settings import Settings, get_settings  # noqa: E402
from tests.browser import chromium, open_page  # noqa: E402, F401 - fixtures

_ORDER = ("unit", "parts", "journeys", "faults")
_JOURNEYS = ("test_platform", "test_browser", "test_self_repair")
"""First what a newcomer sees, last what breaks things."""
_GROUPS = {
    "test_dbt_build": "lake",
    "test_metrics": "lake",
    "test_reconciliation": "lake",
    "test_spark_analytics": "lake",
    "test_trino": "lake",
    "test_quality": "lake",
    "test_live_job": "live",
    "test_projector": "live",
    "test_topics": "streams",
    "test_registry": "streams",
    "test_ingest": "streams",
    "test_replay_dag": "airflow",
    "test_watch_dag": "airflow",
    "test_streams_page": "airflow",
    "test_airflow_orders": "airflow",
    "test_lake_dags": "lake_faults",
    "test_lake_failures": "lake_faults",
}
"""Files that share a state folder; every other one has one of its own, so that none finds another's events."""

_LONG = ("lake", "test_answers", "test_new_stream", "test_sessions", "airflow")
"""Homes of parts that take longest: begun first, so that no process is left alone with one at the end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=1, help="seed of the fault tests")
    parser.addoption("--kills", type=int, default=1, help="kills per process in the fault tests")


def pytest_unconfigure() -> None:
    """The process that only hands out unit tests to others has a folder too, and leaves it empty."""
    with contextlib.suppress(OSError):
        _HOME.rmdir()


def _group(path: Path) -> str:
    return _GROUPS.get(path.stem, path.stem)


class _ByHome(LoadScopeScheduling):
    """What shares a state folder stays in one process."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(Path(nodeid.split("::", 1)[0]))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _ByHome(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Cheap tests first, and each home once; of parts, what takes longest."""

    def rank(item: pytest.Item) -> tuple[int, int, int, str]:
        kind, place = item.path.relative_to(REPO).parts[1:3]
        journey = next((n for n, name in enumerate(_JOURNEYS) if place.startswith(name)), 0)
        group = _group(item.path) if kind == "parts" else ""
        long = _LONG.index(group) if group in _LONG else len(_LONG)
        return _ORDER.index(kind) if kind in _ORDER else 0, journey, long, group

    items.sort(key=rank)


def headrace(*arguments: str, home: Path, timeout: float = 600, check: bool = True) -> subprocess.CompletedProcess[str]:
    """One `./headrace` command, as a person would type it."""
    # The Python that this environment was made from: looking for one again would take longer than many a command.
    python = os.environ.get("HEADRACE_PYTHON") or os.path.realpath(sys.executable)
    environment = os.environ | {"HEADRACE_HOME": str(home), "HEADRACE_PYTHON": python}
    result = subprocess.run(
        [str(REPO / "headrace"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if check and result.returncode:
        raise AssertionError(
            f"./headrace {' '.join(arguments)} ended with {result.returncode}\n{result.stdout}\n{result.stderr}"
        )
    return result


class _Homes:
    """Which state folder is running now."""

    def __init__(self) -> None:
        self.current: Path | None = None
        self.group = "parts"
        self.started: set[str] = set()

    def switch(self, home: Path) -> None:
        if self.current == home:
            return
        self.stop()
        self.current, self.started = home, set()
        os.environ |= _OF_PARTS | {"HEADRACE_HOME": str(home)}
        get_settings.cache_clear()

    def stop(self) -> None:
        if self.current and (self.current / "run").exists():
            headrace("down", home=self.current, timeout=240)
        self.current = None


@pytest.fixture(scope="session")
def homes() -> Iterator[_Homes]:
    homes = _Homes()
    yield homes
    homes.stop()
    if not os.environ.get("HEADRACE_KEEP_TEST_HOME"):
        shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def _home_of_this_file(request: pytest.FixtureRequest, homes: _Homes) -> None:
    homes.group = _group(request.path)


@pytest.fixture(scope="session")
def start_parts(homes: _Homes) -> Callable[..., Settings]:
    """`start_parts("kafka", "valkey")`: these parts and what they need, running and healthy, for the tests of a file."""

    def start(*names: str) -> Settings:
        home = _HOME / homes.group
        homes.switch(home)
        if not set(names) <= homes.started:
            homes.started.update(names)
            headrace("up", "--only", ",".join(sorted(homes.started)), home=home)
            get_settings.cache_clear()
        return get_settings()

    return start


@pytest.fixture(scope="session")
def platform(homes: _Homes) -> Settings:
    """The whole platform with a short history and steady traffic, as `./headrace up` gives it.

    HEADRACE_TEST_PLATFORM names the state folder of one that runs already, for a quick look while writing tests.
    """
    if running := os.environ.get("HEADRACE_TEST_PLATFORM"):
        os.environ["HEADRACE_HOME"] = running
        get_settings.cache_clear()
        return get_settings()
    home = _HOME / "journey with space"
    homes.switch(home)
    os.environ["HEADRACE_SIMULATE_RATE"] = "5"
    os.environ["HEADRACE_HISTORY_DAYS"] = "30"
    os.environ["HEADRACE_HISTORY_PER_DAY"] = "200"
    # Every three seconds, as in tests of the lake alone, it would keep a core from the others.
    os.environ |= {"HEADRACE_LAKE_BATCH_SECONDS": "10", "HEADRACE_LAND_BATCH_SECONDS": "10"}
    result = headrace("up", "--json", home=home, timeout=900)
    assert all(part["healthy"] for part in json.loads(result.stdout)["parts"] if part["name"] not in JOBS)
    get_settings.cache_clear()
    return get_settings()
