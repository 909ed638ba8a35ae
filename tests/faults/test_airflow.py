"""Real Airflow on real PostgreSQL keeps a streaming job: it mends a kill, and its own restart disturbs nothing."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from headrace.runtime import airflow
from headrace.runtime.handle import marked
from headrace.runtime.job_keeper import Keeper
from headrace.runtime.jobs import registry
from headrace.settings import Settings, get_settings
from tests.airflow_client import signed_in
from tests.conftest import headrace
from tests.dag_ids import DAG_IDS

PARTS = ",".join(airflow.PARTS)
Await = Callable[[Callable[[], Any]], Any]


def _await(condition: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Airflow in a home of its own, where the two jobs of the platform are replaced by dummies."""
    home = tmp_path_factory.mktemp("airflow home") / "state"
    (home / "etc" / "jobs").mkdir(parents=True)
    for name in ("live", "lake"):
        shutil.copy(Path(__file__).parents[1] / "parts" / "streaming_dummy.py", home / "etc" / "jobs" / f"{name}.py")
    headrace("up", "--only", PARTS, home=home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADRACE_HOME", str(home))
        get_settings.cache_clear()
        yield get_settings()
    get_settings.cache_clear()
    headrace("down", home=home)
    assert not marked("live", home), "`down` leaves no job behind"


@pytest.fixture(scope="module")
def api(settings: Settings) -> Iterator[httpx.Client]:
    with signed_in(settings, timeout=30) as client:
        yield client


@pytest.fixture
def keeper(settings: Settings) -> Keeper:
    keeper = Keeper(registry(settings)["live"], settings)
    _await(lambda: keeper.status().state == "running", 90)
    return keeper


def _deferred(api: httpx.Client) -> dict[str, Any] | None:
    """The task that waits for the job, once a triggerer has taken it."""
    path = "/api/v2/dags/stream_live/dagRuns/~/taskInstances?state=deferred"
    found = api.get(path).raise_for_status().json()["task_instances"]
    return next((dict(task) for task in found if task["triggerer_job"]), None)


def _kill(keeper: Keeper) -> int:
    assert keeper.handle
    os.kill(keeper.handle.pid, signal.SIGKILL)
    return keeper.handle.pid


def test_the_dags_are_there_without_errors(api: httpx.Client) -> None:
    _await(lambda: {d["dag_id"] for d in api.get("/api/v2/dags?limit=100").json()["dags"]} == DAG_IDS)
    assert api.get("/api/v2/importErrors").json()["import_errors"] == []


def test_a_killed_job_is_back_by_itself(keeper: Keeper, api: httpx.Client) -> None:
    _await(lambda: _deferred(api))
    before, began = _kill(keeper), time.monotonic()
    _await(lambda: keeper.handle and keeper.handle.pid != before and keeper.handle.alive(), 30)
    print(f"repaired after {time.monotonic() - began:.1f} s")
    _await(lambda: keeper.status().state == "running", 30)
    assert "gone" in keeper.history.reason


def test_killing_airflow_does_not_disturb_the_job(keeper: Keeper, settings: Settings, api: httpx.Client) -> None:
    before = keeper.handle
    for part in ("airflow-scheduler", "airflow-triggerer"):
        for process in marked(part, settings.home):
            process.kill()
    time.sleep(1)
    _await(lambda: all(airflow.healthy(settings, part) for part in airflow.PARTS))
    for part in ("airflow-scheduler", "airflow-triggerer"):
        _await(lambda part=part: marked(part, settings.home))
    assert keeper.handle == before
    assert keeper.status().state == "running"
    _kill(keeper)
    _await(lambda: keeper.handle != before and keeper.status().state == "running", 90)


def test_clearing_the_task_replaces_the_job(keeper: Keeper, api: httpx.Client) -> None:
    task = _await(lambda: _deferred(api))
    time.sleep(3)  # Taken is not yet watched: what is cleared before its trigger runs has nothing to end.
    before = keeper.handle
    body = {"dry_run": False, "task_ids": ["keep_live"], "dag_run_id": task["dag_run_id"], "only_failed": False}
    api.post("/api/v2/dags/stream_live/clearTaskInstances", json=body).raise_for_status()
    _await(lambda: keeper.handle and keeper.handle != before and keeper.status().state == "running", 60)
    assert len([p for p in marked("live", keeper._settings.home) if p.status() != psutil.STATUS_ZOMBIE]) == 1


def test_what_is_stopped_on_the_page_stays_stopped_until_it_is_started_there(keeper: Keeper, api: httpx.Client) -> None:
    _await(lambda: _deferred(api))
    assert api.post("/headrace/streams/live/stop").status_code == 303
    time.sleep(15)  # Long enough for the trigger to look several times.
    assert keeper.status().state == "stopped"
    assert api.post("/headrace/streams/live/start").status_code == 303
    _await(lambda: keeper.status().state == "running", 60)
    assert _deferred(api), "the same task watches it again"


def test_the_page_of_the_streams_asks_who_comes(api: httpx.Client, keeper: Keeper) -> None:
    assert httpx.get(f"{api.base_url}/headrace/streams/status", trust_env=False).status_code == 401
    shown = {entry["job"]: entry for entry in api.get("/headrace/streams/status").raise_for_status().json()}
    assert shown["live"]["state"] == "running"
    assert shown["live"]["restarts"] >= 1
    assert "Streams" in api.get("/headrace/streams/").raise_for_status().text
    assert api.get("/headrace/streams/live/log").status_code == 200
    assert api.get("/headrace/streams/nope/log").status_code == 404
    assert api.get("/headrace/streams/..%2Fsecrets/log").status_code in (404, 422)


def test_airflow_listens_on_loopback_only(settings: Settings) -> None:
    processes = [p for part in airflow.PARTS for p in marked(part, settings.home)]
    heard = {c.laddr.ip for p in processes for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN}
    assert heard == {"127.0.0.1"}


def test_preparing_again_takes_no_time(settings: Settings) -> None:
    began = time.monotonic()
    airflow.prepare(settings)
    assert time.monotonic() - began < 2
