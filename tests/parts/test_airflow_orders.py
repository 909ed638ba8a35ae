"""What a terminal orders of real Airflow, and what Airflow tells people when a run is not done in time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from headrace.lake.rebuild import CannotRebuild
from headrace.runtime import airflow, backfilling
from headrace.settings import Settings
from headrace.streams.topics import ALERTS
from tests.airflow_client import signed_in
from tests.parts.topic_reader import documents

BEFORE, YESTERDAY = (f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d}" for days in (2, 1))


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Settings:
    settings = start_parts("kafka", "airflow-api")
    command = [sys.executable, "-m", "airflow", "dags", "reserialize"]
    subprocess.run(command, env=airflow.environment(settings), check=True, timeout=240)
    return settings


def test_a_backfill_is_ordered_with_its_days(settings: Settings) -> None:
    with pytest.raises(CannotRebuild, match="two days"):
        backfilling.order(settings, "yesterday", "today")
    with pytest.raises(CannotRebuild, match="analytics_days"):
        backfilling.order(settings, "2020-01-30", YESTERDAY)
    run = backfilling.order(settings, BEFORE, YESTERDAY)
    assert backfilling.follow(settings, run, seconds=0) == {"run": run, "state": "queued", "changed": None}
    with pytest.raises(backfilling.BackfillFailed, match="Airflow refused"):
        backfilling.follow(settings, "no such run", seconds=0)


def test_a_task_of_a_run_that_has_a_deadline_can_be_cleared(settings: Settings) -> None:
    """As every runbook asks of people; Airflow's own reference to when a run was queued makes this an error 500."""
    run = backfilling.order(settings, BEFORE, YESTERDAY)
    with psycopg.connect(settings.postgres_dsn("airflow")) as connection:
        due = "select d.deadline_time - r.queued_at from deadline d join dag_run r on r.id = d.dagrun_id where r.run_id = %s"
        assert connection.execute(due, (run,)).fetchall() == [(timedelta(hours=6),)]
    with signed_in(settings) as client:
        body = {"dry_run": False, "dag_run_id": run, "task_ids": ["rebuild"], "only_failed": False}
        cleared = client.post("/api/v2/dags/backfill/clearTaskInstances", json=body).raise_for_status().json()
    assert [task["task_id"] for task in cleared["task_instances"]] == ["rebuild"]


def test_a_run_that_is_late_is_one_alert_however_often_it_is_told(settings: Settings) -> None:
    from headrace_airflow.declared import tell_of_delay

    context = {
        "dag_run": {"dag_id": "curate", "dag_run_id": "run 1"},
        "deadline": {"id": "x", "deadline_time": "2026-01-30 12:00:00+00:00"},
    }
    for _ in range(2):
        asyncio.run(tell_of_delay(context))
    told = documents(settings, ALERTS)
    assert set(told) == {"delay:curate:run 1"}
    assert "run 1 of curate should have been done by 2026-01-30 12:00" in told["delay:curate:run 1"]["sentence"]
