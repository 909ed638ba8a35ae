"""The DAG for large replays, run by Airflow on real Kafka and PostgreSQL for the person who triggers it."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import psycopg
import pytest

from headrace.policy.users import save_user
from headrace.settings import Settings
from headrace.streams.deadletters.letter import REPLAY_OF
from headrace.streams.deadletters.reading import records
from tests.parts.dag_run import PERSON, run_dag
from tests.parts.made_letters import TOPIC, put_letters

LETTERS = 5


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Settings:
    return start_parts("kafka", "airflow-api")


def test_a_run_replays_for_its_person_within_its_limit(settings: Settings) -> None:
    rule = f"odd:{uuid.uuid4().hex[:8]}"
    letters = set(put_letters(settings, rule, [b"{}"] * LETTERS))
    refused = run_dag(settings, "replay", reason=rule)
    assert "dag_test is not a user of Headrace" in refused
    assert "ended as failed" in refused, refused[-3000:]
    save_user(settings, PERSON, "secret-word", ("operator",))
    done = run_dag(settings, "replay", reason=rule, stream="transactions", limit=3)
    assert "ended as success" in done, done[-3000:]
    sent = [dict(message.headers())[REPLAY_OF].decode() for message in records(settings, TOPIC)]
    assert len(sent) == len(set(sent)) == 3
    assert set(sent) < letters
    with psycopg.connect(settings.postgres_dsn("headrace")) as connection:
        rows = connection.execute("select letter, state, actor, correlation_id from dead_letters").fetchall()
    assert {row[0] for row in rows} == set(sent)
    assert {(state, actor, run.split("__")[0]) for _, state, actor, run in rows} == {
        ("replayed", "dag_test", "airflow:manual")
    }
