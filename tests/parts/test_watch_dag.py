"""The DAG that watches topics, run by Airflow on real Kafka and PostgreSQL: what it keeps and what it tells."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

import psycopg

from headrace.quality.history import History
from headrace.quality.profile import Profile
from headrace.settings import Settings
from headrace.streams import published
from tests.parts.dag_run import run_dag


def test_a_stretch_without_records_is_kept_and_the_silence_told(start_parts: Callable[..., Settings]) -> None:
    settings = start_parts("kafka", "airflow-api")
    topic, seconds = published.read(settings)["payouts"].topic, settings.quality_window_minutes * 60
    newest = int(time.time() // seconds - 1) * seconds
    with closing(History(settings)) as history:
        history.keep(Profile(topic, newest - n * seconds, seconds, 60) for n in range(1, 20))
    done = run_dag(settings, "watch")
    assert "ended as success" in done, done[-3000:]
    with psycopg.connect(settings.postgres_dsn("headrace")) as connection:
        kept = connection.execute(
            "select distinct records from profiles where subject = %s and window_start >= %s",
            [topic, datetime.fromtimestamp(newest, UTC)],
        )
        assert kept.fetchall() == [(0,)]
        # A run that begins a stretch later tells of the volume as well.
        told = connection.execute(
            "select state, seen, sentence from anomalies where subject = %s and measure = 'freshness silence'", [topic]
        )
        ((state, seen, sentence),) = told.fetchall()
    assert (state, seen) == ("open", 0)
    assert f"{topic}: nothing for" in sentence
