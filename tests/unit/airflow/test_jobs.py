"""A streaming job is started once, found again, replaced when dead, and ended with all that it started."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import psutil
import pytest

from headrace.runtime import jobs
from headrace.runtime.handle import Handle, marked
from headrace.runtime.job_keeper import Job, JobBusy, JobHeld, Keeper, environment
from headrace.settings import Settings
from headrace.streams import renewal


def _wait_for(count: int, keeper: Keeper, settings: Settings) -> list[psutil.Process]:
    until = time.monotonic() + 5
    while len(found := marked(keeper.job.name, settings.home)) != count and time.monotonic() < until:
        time.sleep(0.02)
    assert len(found) == count
    return found


def _kill(handle: Handle) -> None:
    process = psutil.Process(handle.pid)
    os.kill(handle.pid, signal.SIGKILL)
    process.wait(timeout=5)


def test_a_job_never_started_is_absent(keeper: Keeper) -> None:
    assert keeper.status().state == "absent"


def test_start_starts_once_and_then_attaches(keeper: Keeper) -> None:
    first = keeper.start()
    assert keeper.start() == first
    assert keeper.status().state == "unknown", "no database to ask: that proves nothing against the job"


def test_many_starters_at_once_get_one_process(keeper: Keeper) -> None:
    with ThreadPoolExecutor(6) as pool:
        handles = set(pool.map(lambda _: keeper.start(), range(6)))
    assert len(handles) == 1


def test_a_killed_job_is_dead_and_its_rest_is_ended_before_the_next(keeper: Keeper, settings: Settings) -> None:
    first = keeper.start()
    _, child = _wait_for(2, keeper, settings)
    _kill(first)
    assert keeper.status().state == "dead"
    second = keeper.start()
    assert second.pid != first.pid
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert "gone" in keeper.history.reason


def test_a_lost_handle_is_found_again(keeper: Keeper, settings: Settings) -> None:
    first = keeper.start()
    (settings.run / "jobs" / "dummy.json").write_text('{"pid":')
    assert keeper.status().state == "absent"
    assert keeper.start().pid == first.pid


def test_a_number_that_another_process_has_now_is_not_the_job(keeper: Keeper, settings: Settings) -> None:
    keeper.start()
    Handle(os.getpid(), 1.0).write(settings.run / "jobs" / "dummy.json")
    assert keeper.status().state == "dead"


def test_stop_ends_all_processes_and_is_no_failure(keeper: Keeper, settings: Settings) -> None:
    keeper.start()
    _wait_for(2, keeper, settings)
    assert keeper.stop(grace=0.5)
    assert not marked("dummy", settings.home)
    assert keeper.status().state == "absent"
    assert keeper.history.recent() == 0
    assert not keeper.stop()


def test_what_a_person_stopped_only_a_person_starts(keeper: Keeper) -> None:
    keeper.start()
    keeper.stop(grace=0.5, by="ann")
    seen = keeper.status()
    assert (seen.state, seen.healthy) == ("stopped", False)
    assert "stopped by ann" in seen.reason
    with pytest.raises(JobHeld, match="ann"):
        keeper.start()
    keeper.stop(grace=0.5)
    assert keeper.status().state == "stopped", "the end of the platform changes nothing about it"
    first = keeper.start(by="ben")
    assert keeper.start() == first
    assert keeper.history.reason == "started by ben"


def test_the_log_is_locked_as_long_as_anything_of_the_job_lives(
    keeper: Keeper, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headrace.runtime.job_keeper._LOG_SECONDS", 0.3)
    first = keeper.start()
    _wait_for(2, keeper, settings)
    _kill(first)
    monkeypatch.setattr("headrace.runtime.job_keeper.marked", lambda *_: [])
    with pytest.raises(JobBusy, match="still writes"):
        keeper.start()


def test_a_failure_counts_once_however_many_look(keeper: Keeper) -> None:
    _kill(keeper.start())
    seen = keeper.status()
    assert [keeper.hold_back(seen) for _ in range(5)] == [0.0] * 5
    assert keeper.history.recent() == 1


def test_an_end_that_the_job_announced_is_no_failure_and_is_repaired_at_once(
    keeper: Keeper, settings: Settings
) -> None:
    first = keeper.start()
    renewal.announce(settings, "dummy", asdict(first))
    assert keeper.status().healthy, "it says so before it ends"
    _kill(first)
    seen = keeper.status()
    assert (seen.state, seen.renews) == ("dead", True)
    assert keeper.hold_back(seen) == 0.0
    second = keeper.start()
    history = keeper.history
    assert (second != first, history.recent(), history.starts) == (True, 0, 2)
    assert "changed streams" in history.reason
    _kill(second)
    assert not keeper.status().renews, "the note is of another process"


def test_the_environment_of_a_job_has_nothing_of_airflow(
    job: Job, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "hidden")
    monkeypatch.setenv("HEADRACE_PART", "airflow-scheduler")
    variables = environment(job, settings)
    assert not [name for name in variables if name.startswith("AIRFLOW")]
    assert variables["HEADRACE_PART"] == "dummy"
    assert variables["HEADRACE_HOME"] == str(settings.home)


def test_an_unknown_job_names_the_known_ones(settings: Settings) -> None:
    with pytest.raises(jobs.UnknownJob, match="live, lake"):
        jobs.keeper("nope", settings)


def test_every_job_of_the_platform_is_registered(settings: Settings) -> None:
    assert set(jobs.JOBS) == set(jobs.registry(settings))
