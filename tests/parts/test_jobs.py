"""A streaming job is judged by what it writes to the real table, and by nothing when the database is away."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from headrace.runtime.job_keeper import Job, Keeper
from headrace.settings import Ports, Settings
from headrace.streams import heartbeat


@pytest.fixture
def keeper(start_parts: Callable[..., Settings], tmp_path: Path) -> Iterator[Keeper]:
    script = tmp_path / "judged.py"
    shutil.copy(Path(__file__).with_name("streaming_dummy.py"), script)
    job = Job("judged", script, start_seconds=20, silence_seconds=2, stop_seconds=3)
    keeper = Keeper(job, start_parts("postgres"))
    yield keeper
    keeper.stop(grace=1)


def _await(keeper: Keeper, state: str, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while (seen := keeper.status()).state != state:
        assert time.monotonic() < until, f"{seen.state}: {seen.reason}, not {state}"
        time.sleep(0.1)


def test_starting_running_stalled_replaced_stopped(keeper: Keeper) -> None:
    first = keeper.start()
    assert keeper.status().state == "starting"
    _await(keeper, "running")
    psutil.Process(first.pid).send_signal(signal.SIGSTOP)
    _await(keeper, "stalled")
    second = keeper.start()
    assert second.pid != first.pid
    assert not psutil.pid_exists(first.pid) or psutil.Process(first.pid).status() == psutil.STATUS_ZOMBIE
    _await(keeper, "running")
    row = heartbeat.read(keeper._settings, "judged")
    assert row
    assert row.restarts == 1
    assert "limit" in (row.reason or "")
    assert keeper.stop(grace=1)
    assert keeper.status().state == "absent"


def test_a_job_that_lives_but_says_nothing_is_stalled(keeper: Keeper) -> None:
    keeper.start()
    _await(keeper, "running")
    keeper.job.script.with_suffix(".silent").touch()
    _await(keeper, "stalled")


def test_a_database_that_is_away_is_no_reason_to_touch_the_job(keeper: Keeper) -> None:
    first = keeper.start()
    away = Keeper(keeper.job, keeper._settings.model_copy(update={"ports": Ports(postgres=9)}))
    time.sleep(keeper.job.silence_seconds + 0.5)
    assert away.status().state == "unknown"
    assert away.start() == first


def test_a_beat_of_the_predecessor_does_not_count(keeper: Keeper) -> None:
    keeper.start()
    _await(keeper, "running")
    keeper.stop(grace=1)
    slow = Keeper(replace(keeper.job, start_seconds=0.0), keeper._settings)
    keeper.job.script.with_suffix(".silent").touch()
    slow.start()
    _await(slow, "stalled")
