"""One kill -9 of each process while events flow: each is back by itself, with nothing lost and nothing doubled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from headrace.runtime.jobs import JOBS
from headrace.runtime.parts import PARTS
from headrace.settings import Settings
from tests.conftest import headrace
from tests.journeys.ledger import Ledger
from tests.processes import await_new_process, kill_with_children, part_of

_KILLED = [*(part.name for part in PARTS if part.name != "simulator"), *JOBS]
_AIRFLOW = [name for name in _KILLED if name.startswith("airflow")]


@pytest.fixture(scope="module")
def ledger(platform: Settings) -> Iterator[Ledger]:
    """One ledger over all kills: events flow from the first to the last, also while what was killed catches up."""
    ledger = Ledger(platform, pause=0.5)
    ledger.send(100)
    ledger.await_exact(seconds=300)
    ledger.send_meanwhile()
    yield ledger
    ledger.finish()


def _jobs(settings: Settings) -> dict[str, int | None]:
    return {name: part_of(settings, name).pid for name in JOBS}


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("name", _KILLED)
def test_killed_and_back(platform: Settings, name: str) -> None:
    pid = part_of(platform, name).pid
    assert pid
    kill_with_children(pid)
    await_new_process(platform, name, pid)


@pytest.mark.usefixtures("ledger")
def test_an_airflow_restart_does_not_disturb_the_streaming_jobs(platform: Settings) -> None:
    before = _jobs(platform)
    with ThreadPoolExecutor() as pool:
        list(pool.map(partial(headrace, "restart", home=platform.home), _AIRFLOW))
    time.sleep(20)
    assert _jobs(platform) == before


def test_everything_acknowledged_is_there_once(ledger: Ledger) -> None:
    ledger.finish()
    assert ledger.unanswered, "of the processes that were killed two take events in"
    ledger.await_exact(seconds=300)
