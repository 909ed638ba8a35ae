"""What Airflow's scheduler and tasks tell of their runs, read back from PostgreSQL, and how long it stays there."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest

from headrace.lineage import store
from headrace.lineage.events import run
from headrace.lineage.names import table
from headrace.runtime import airflow, upkeep
from headrace.settings import Settings, inherited_environment
from tests.conftest import headrace

DAGS = ("good", "bad", "stream_silent")
_DAGS = """
from datetime import datetime
from airflow.sdk import DAG, task

for name in {dags}:
    with DAG(name, schedule=None, start_date=datetime(2025, 1, 1), doc_md="A long runbook", default_args={{"owner": "data"}}):
        @task
        def work(dag_run=None):
            print("the task itself")
            if dag_run.dag_id == "bad":
                raise ValueError("it went wrong")
        work()
"""
_AWAY = 9


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Settings:
    return start_parts("airflow-api")


@pytest.fixture(scope="module")
def variables(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Airflow's own, with a folder of three small DAGs instead of the platform's."""
    folder = tmp_path_factory.mktemp("dags")
    (folder / "three.py").write_text(_DAGS.format(dags=DAGS))
    return inherited_environment() | airflow.environment(settings) | {"AIRFLOW__CORE__DAGS_FOLDER": str(folder)}


@pytest.fixture(scope="module")
def ran(settings: Settings, variables: dict[str, str]) -> list[dict[str, Any]]:
    """The events of one run of each DAG by a real scheduler."""
    _airflow(variables, "dags", "reserialize")
    for dag in DAGS:
        _airflow(variables, "dags", "trigger", dag, "--run-id", f"{dag}-1")
    with (settings.logs / "scheduler-of-the-test.log").open("w") as said:
        command = airflow.commands(settings)["airflow-scheduler"]
        scheduler = subprocess.Popen(command, env=variables, stdout=said, stderr=said)
        try:
            _await(lambda: _ended(settings) == set(DAGS) and len(_told(settings)) >= 8)
        finally:
            scheduler.terminate()
            scheduler.wait(timeout=60)
    return _told(settings)


def test_dags_and_tasks_tell_how_they_begin_and_end(ran: list[dict[str, Any]]) -> None:
    told = {(event["job"]["name"], event["eventType"]) for event in ran}
    assert told == {
        ("good", "START"), ("good.work", "START"), ("good.work", "COMPLETE"), ("good", "COMPLETE"),
        ("bad", "START"), ("bad.work", "START"), ("bad.work", "FAIL"), ("bad", "FAIL"),
    }  # fmt: skip
    by_name = {(event["job"]["name"], event["eventType"]): event for event in ran}
    start, end = by_name["good.work", "START"], by_name["good.work", "COMPLETE"]
    assert start["run"]["runId"] == end["run"]["runId"]
    assert end["run"]["facets"]["parent"]["run"]["runId"] == by_name["good", "START"]["run"]["runId"]
    assert by_name["bad.work", "FAIL"]["run"]["facets"]["errorMessage"]["message"] == "it went wrong"
    assert "runbook" not in json.dumps(ran)


def test_runs_are_shown_and_make_no_edge(settings: Settings, ran: list[dict[str, Any]]) -> None:
    shown = json.loads(headrace("lineage", "--runs", "--json", home=settings.home).stdout)["runs"]
    states = {one["job"]: one["state"] for one in shown if one["namespace"] == "headrace.airflow"}
    assert states == {"good": "COMPLETE", "good.work": "COMPLETE", "bad": "FAIL", "bad.work": "FAIL"}
    assert "COMPLETE" in headrace("lineage", "--runs", home=settings.home).stdout
    assert store.graph(settings).edges == []


def test_a_task_succeeds_though_nobody_keeps_what_it_tells(
    settings: Settings, variables: dict[str, str], ran: list[dict[str, Any]]
) -> None:
    """Only the store's server is away: Airflow has the address of its database in a variable of its own."""
    done = _airflow(variables | {"HEADRACE_PORTS__POSTGRES": str(_AWAY)}, "dags", "test", "good")
    assert "the task itself" in done
    assert "Failed to emit OpenLineage" in done, done[-3000:]
    assert len(_told(settings)) == len(ran)


def test_bare_runs_stay_for_a_week_and_the_last_of_each_job(settings: Settings) -> None:
    made = [table("raw", "made")]
    days = {"often": (0, 6, 8), "once": (20,), "flows": (0, 8, 31)}
    now = datetime.now(UTC)
    told = [
        run(
            "retention", job, "COMPLETE", str(ago), now - timedelta(days=ago), *((made, made) if job == "flows" else ())
        )
        for job, each in days.items()
        for ago in each
    ]
    assert store.keep(settings, told) == len(told)
    upkeep.forget_lineage(settings)
    sql = "select job_name, at from lineage_events where job_namespace = 'retention'"
    kept = {(job, (now - at).days) for job, at in _rows(settings, "headrace", sql)}
    assert kept == {("often", 0), ("often", 6), ("once", 20), ("flows", 0), ("flows", 8)}
    assert [edge.job for edge in store.graph(settings).edges] == ["retention/flows"]


def _airflow(variables: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "airflow", *arguments]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _told(settings: Settings) -> list[dict[str, Any]]:
    sql = "select event from lineage_events where job_namespace = 'headrace.airflow' order by at"
    return [event for (event,) in _rows(settings, "headrace", sql)]


def _ended(settings: Settings) -> set[str]:
    return {
        dag for (dag,) in _rows(settings, "airflow", "select dag_id from dag_run where state in ('success', 'failed')")
    }


def _rows(settings: Settings, database: str, sql: LiteralString) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.postgres_dsn(database), connect_timeout=5) as connection:
        return connection.execute(sql).fetchall()


def _await(condition: Callable[[], bool], seconds: float = 180) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.5)
