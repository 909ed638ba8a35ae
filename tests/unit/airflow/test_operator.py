"""The operator attaches or starts, waits in its trigger, holds back what keeps failing, and gives up in a loop."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import replace
from typing import Any

import psutil
import pytest

from headrace.runtime import jobs
from headrace.runtime.backoff import FREE_STARTS, LOOP
from headrace.runtime.job_keeper import Keeper


@pytest.fixture
def operator(keeper: Keeper, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    monkeypatch.setattr(jobs, "keeper", lambda *_: keeper)
    from headrace_airflow.operator import StreamingJobOperator

    return StreamingJobOperator(task_id="keep", job="dummy", poll_seconds=0.05)


def _deferred(run: Any, *arguments: Any) -> Any:
    from airflow.sdk.exceptions import TaskDeferred

    with pytest.raises(TaskDeferred) as caught:
        run(*arguments)
    return caught.value.trigger


def _kill(keeper: Keeper) -> None:
    assert keeper.handle
    process = psutil.Process(keeper.handle.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=5)


async def _first(trigger: Any) -> dict[str, Any]:
    async for event in trigger.run():
        return dict(event.payload)
    raise AssertionError("the trigger ended without an event")


def test_it_starts_then_attaches(operator: Any, keeper: Keeper) -> None:
    _deferred(operator.execute, {})
    first = keeper.handle
    _deferred(operator.execute, {})
    assert keeper.handle == first


def test_the_trigger_survives_being_stored(operator: Any) -> None:
    from airflow.sdk.module_loading import import_string

    path, kwargs = _deferred(operator.execute, {}).serialize()
    assert import_string(path)(**kwargs).serialize() == (path, kwargs)


def test_a_kill_is_seen_and_repaired(operator: Any, keeper: Keeper) -> None:
    trigger = _deferred(operator.execute, {})
    first = keeper.handle
    _kill(keeper)
    event = asyncio.run(asyncio.wait_for(_first(trigger), 5))
    assert event["state"] == "dead"
    again = _deferred(operator.resume, {}, event)
    assert again.hold_until is None
    assert keeper.handle != first
    assert keeper.status().healthy


def test_a_stall_must_last_since_a_machine_that_wakes_up_finds_every_sign_old(
    operator: Any, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger = _deferred(operator.execute, {})
    monkeypatch.setattr("headrace_airflow.trigger._PROGRESS_EVERY", 0.02)
    trigger.poll_seconds, trigger.confirm_seconds = 0.02, 0.2
    healthy = keeper.status()
    seen = [replace(healthy, state="stalled")] * 2 + [healthy] * 2 + [replace(healthy, state="stalled")] * 1000
    looks: list[str] = []

    def look() -> Any:
        looks.append(seen[len(looks)].state)
        return seen[len(looks) - 1]

    monkeypatch.setattr(trigger, "_status", look)
    event = asyncio.run(asyncio.wait_for(_first(trigger), 5))
    assert event["state"] == "stalled"
    assert len(looks) > 5, "the first stall was over before it counted"


def test_what_keeps_failing_is_held_and_then_given_up(operator: Any, keeper: Keeper) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    keeper.start()
    _kill(keeper)
    history = keeper.history
    for _ in range(FREE_STARTS):
        history.failed("gone", began=time.time())
    history.write(keeper._history_file)
    held = _deferred(operator.execute, {})
    assert held.hold_until > time.time()
    for _ in range(LOOP):
        history.failed("gone", began=time.time())
    history.write(keeper._history_file)
    with pytest.raises(AirflowFailException, match="Read its log"):
        operator.execute({})
    assert keeper.history.recent() == 0, "the next attempt starts at once"


def test_a_task_that_a_person_ends_ends_the_job(operator: Any, keeper: Keeper) -> None:
    trigger = _deferred(operator.execute, {})
    asyncio.run(trigger.cleanup())
    assert keeper.status().healthy, "cleanup runs at every restart of the triggerer"
    asyncio.run(trigger.on_kill())
    assert keeper.status().state == "absent"


def test_after_a_day_the_run_ends_well_and_leaves_the_job(operator: Any, keeper: Keeper) -> None:
    trigger = _deferred(operator.execute, {})
    trigger.renew_at = time.time() - 1
    event = asyncio.run(asyncio.wait_for(_first(trigger), 5))
    assert event["state"] == "renew"
    assert operator.resume({}, event) is None
    assert keeper.status().healthy


def test_a_job_that_a_person_stopped_is_waited_for_until_a_person_starts_it(operator: Any, keeper: Keeper) -> None:
    keeper.start()
    keeper.stop(grace=0.5, by="ann")
    trigger = _deferred(operator.execute, {})
    assert keeper.handle is None

    async def watched() -> bool:
        watching = asyncio.ensure_future(_first(trigger))
        await asyncio.sleep(0.3)
        still = not watching.done()
        await asyncio.to_thread(keeper.start, "ben")
        await asyncio.sleep(0.3)
        still = still and not watching.done()
        watching.cancel()
        return still

    assert asyncio.run(watched())
