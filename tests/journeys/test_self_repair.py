"""One kill -9 of each process while events flow: it is back by itself, with nothing lost and nothing doubled."""

from __future__ import annotations

import time

import pytest

from headrace.runtime.parts import PARTS
from headrace.settings import Settings
from tests.conftest import headrace
from tests.journeys.ledger import Ledger
from tests.processes import await_new_process, kill_with_children, part_of

_ON_THE_WAY = ("ingest", "projector", "valkey", "kafka", "postgres", "live", "lake")
"""An event passes these: killed while events flow. The others only have to come back."""
_BESIDE = tuple(part.name for part in PARTS if part.name not in (*_ON_THE_WAY, "simulator"))


@pytest.fixture(scope="module")
def ledger(platform: Settings) -> Ledger:
    """One ledger over all kills, exact at the end of each."""
    ledger = Ledger(platform)
    ledger.send(100)
    ledger.await_exact(seconds=300)
    return ledger


@pytest.mark.parametrize("name", _BESIDE)
def test_killed_and_back(platform: Settings, name: str) -> None:
    pid = part_of(platform, name).pid
    assert pid
    kill_with_children(pid)
    await_new_process(platform, name, pid)


@pytest.mark.parametrize("name", _ON_THE_WAY)
def test_killed_while_events_flow(platform: Settings, ledger: Ledger, name: str) -> None:
    pid = part_of(platform, name).pid
    assert pid
    one = Ledger(platform)
    one.send_meanwhile()
    time.sleep(2)
    kill_with_children(pid)
    await_new_process(platform, name, pid)
    one.finish()
    assert one.acknowledged
    one.await_exact(seconds=300)


def test_an_airflow_restart_does_not_disturb_the_streaming_jobs(platform: Settings) -> None:
    before = {name: part_of(platform, name).pid for name in ("live", "lake")}
    for name in ("airflow-scheduler", "airflow-triggerer", "airflow-dag-processor", "airflow-api"):
        headrace("restart", name, home=platform.home)
    time.sleep(20)
    assert {name: part_of(platform, name).pid for name in before} == before


def test_everything_acknowledged_is_still_there_once(ledger: Ledger) -> None:
    ledger.await_exact()
