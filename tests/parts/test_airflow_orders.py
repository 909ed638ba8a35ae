"""What a terminal orders of real Airflow, and what Airflow tells people when a run is not done in time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable

import pytest

from headrace.lake.rebuild import CannotRebuild
from headrace.runtime import airflow, backfilling
from headrace.settings import Settings
from headrace.streams.topics import ALERTS
from tests.parts.topic_reader import documents


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Settings:
    settings = start_parts("kafka", "airflow-api")
    command = [sys.executable, "-m", "airflow", "dags", "reserialize"]
    subprocess.run(command, env=airflow.environment(settings), check=True, timeout=240)
    return settings


def test_a_backfill_is_ordered_with_its_days(settings: Settings) -> None:
    with pytest.raises(CannotRebuild, match="two days"):
        backfilling.order(settings, "yesterday", "today")
    run = backfilling.order(settings, "2026-01-30", "2026-01-31")
    assert backfilling.follow(settings, run, seconds=0) == {"run": run, "state": "queued", "changed": None}
    with pytest.raises(backfilling.BackfillFailed, match="Airflow refused"):
        backfilling.follow(settings, "no such run", seconds=0)


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
