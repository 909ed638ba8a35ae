"""Curated days to S3, DynamoDB, Athena, Redshift and SNS, by the DAG and Airflow's provider, on emulators.

S3 is a server that refuses wrong keys. Redshift's batch runs on PostgreSQL, its COPY by its meaning. The others are moto: it
proves requests, keys of items, messages and repeats, not roles or throttling; its Athena runs no query and is told its answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
import pytest

from headrace.runtime import airflow
from headrace.settings import Settings, get_settings
from tests.parts.amazon import ACCOUNT, REGION, athena_answers, client, emulator
from tests.parts.dag_run import run_dag
from tests.parts.filled_lake import filled
from tests.parts.lake_home import START, Lake
from tests.parts.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server

DAY = f"{START:%Y-%m-%d}"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:exports"
ADDRESS = f"s3://{BUCKET}/curated/merchant_day/date_day={DAY}/rows.jsonl"


class Elsewhere(NamedTuple):
    lake: Lake
    bucket: S3Server
    amazon: str

    def redshift(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.lake.settings.postgres_dsn("headrace")) as connection:
            cursor = connection.execute(sql)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def counts(self, days: int) -> list[int]:
        """Rows of each of the newest days, oldest first, as the DAG gives them."""
        today = datetime.now(UTC).date()
        asked = [today - timedelta(days=back) for back in reversed(range(days))]
        found = dict(self.lake.query("select date_day, count(*) from curated.merchant_day group by 1"))
        return [found.get(day, 0) for day in asked]

    def run(self, days: int) -> str:
        return run_dag(self.lake.settings, "export", days=days)


@pytest.fixture(scope="module")
def elsewhere(start_parts: Callable[..., Settings], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    made = filled(start_parts)
    variables = {
        "REDSHIFT_DSN": made.settings.postgres_dsn("headrace"),
        "BUCKET_KEY": ACCESS_KEY,
        "BUCKET_SECRET": SECRET_KEY,
    }
    with (
        S3Server(made.settings, tmp_path_factory.mktemp("s3")) as server,
        emulator(**variables, BUCKET_URL=server.url) as amazon,
        pytest.MonkeyPatch.context() as patch,
    ):
        chosen = {
            "EXPORT_TO": f"s3://{BUCKET}/curated", "EXPORT_TABLES": "merchant_day", "EXPORT_DYNAMODB": "true",
            "EXPORT_TOPIC": TOPIC, "EXPORT_ATHENA": "headrace", "EXPORT_REDSHIFT": "warehouse",
            "EXPORT_REDSHIFT_SCHEMA": "redshift", "EXPORT_REDSHIFT_WORKGROUP": "figures", "EXPORT_REDSHIFT_ROLE": "default",
            "S3_URL": server.url, "AWS_URL": amazon, "DYNAMODB_URL": amazon,
            "SECRET_S3_ACCESS_KEY": ACCESS_KEY, "SECRET_S3_SECRET_KEY": SECRET_KEY,
        }  # fmt: skip
        for name, value in chosen.items():
            patch.setenv(f"HEADRACE_{name}", value)
        get_settings.cache_clear()
        airflow.prepare(get_settings())
        yield Elsewhere(Lake(get_settings(), made.contracts, made.landed), server, amazon)
    get_settings.cache_clear()


def test_a_day_is_given_to_each_service_and_a_repeat_replaces_it(elsewhere: Elsewhere) -> None:
    built, server, amazon = elsewhere
    queue = _subscribed(amazon)
    elsewhere.redshift("create schema redshift")
    rows = built.query(f"select merchant_id, transactions from curated.merchant_day where date_day = date '{DAY}'")
    assert rows
    for _ in range(2):
        athena_answers(amazon, elsewhere.counts(3))
        done = elsewhere.run(3)
        assert "ended as success" in done, done[-3000:]
    body = server.client.get_object(Bucket=BUCKET, Key=ADDRESS.removeprefix(f"s3://{BUCKET}/"))["Body"].read()
    given = [json.loads(line) for line in body.splitlines()]
    assert {(row["merchant_id"], row["transactions"]) for row in given} == {tuple(row) for row in rows}
    items = client("dynamodb", amazon).scan(TableName="headrace_merchant_day")["Items"]
    assert {item["merchant_id"]["S"] for item in items if item["date_day"]["S"] == DAY} == {row[0] for row in rows}
    asked = _asked_of_athena(amazon)
    assert any(f"partition (date_day = '{DAY}') location '{ADDRESS.rsplit('/', 1)[0]}/'" in sql for sql in asked)
    assert f"{len(rows)} rows of merchant_day, {DAY}: {ADDRESS}" in _messages(amazon, queue)


def test_redshift_holds_the_day_once_as_the_lake_does(elsewhere: Elsewhere) -> None:
    columns = "date_day, merchant_id, transactions, sales_usd, landed_at"
    copied = elsewhere.redshift(f"select {columns} from redshift.merchant_day where date_day = '{DAY}'")
    lake = f"select {columns} from curated.merchant_day where date_day = date '{DAY}'"
    assert sorted(copied) == sorted(tuple(row) for row in elsewhere.lake.query(lake))
    assert copied
    types = "select data_type from information_schema.columns where table_schema = 'redshift' order by ordinal_position"
    assert [row[0] for row in elsewhere.redshift(types)][:4] == ["date", "character varying", "bigint", "bigint"]


def test_a_copy_that_fails_leaves_what_was_there_and_says_why(elsewhere: Elsewhere) -> None:
    count = "select count(*) from redshift.merchant_day"
    before = elsewhere.redshift(count)
    elsewhere.redshift("alter table redshift.merchant_day add constraint refused check (transactions < 0) not valid")
    athena_answers(elsewhere.amazon, elsewhere.counts(3)[:1])  # The first of them has rows, and ends the task.
    done = elsewhere.run(3)
    elsewhere.redshift("alter table redshift.merchant_day drop constraint refused")
    assert "ended as success" not in done
    assert r"violates check constraint \"refused\"" in done, done[-3000:]  # As JSON writes it.
    assert elsewhere.redshift(count) == before


def test_a_day_that_athena_does_not_see_ends_the_task(elsewhere: Elsewhere) -> None:
    seen = [count + 1 for count in elsewhere.counts(1)]
    athena_answers(elsewhere.amazon, seen)
    done = elsewhere.run(1)
    assert "ended as success" not in done
    assert f"Athena sees {seen[0]} rows of merchant_day" in done, done[-3000:]


def test_a_wrong_key_ends_in_a_clear_state(elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = elsewhere.lake.settings
    monkeypatch.setenv("HEADRACE_SECRET_S3_SECRET_KEY", "wrong")
    done = run_dag(Settings(home=settings.home, ports=settings.ports), "export", days=1)
    assert "SignatureDoesNotMatch" in done or "403" in done, done[-3000:]
    assert "ended as success" not in done


def _subscribed(amazon: str) -> str:
    """A queue that gets what the topic is told."""
    client("sns", amazon).create_topic(Name="exports")
    queues = client("sqs", amazon)
    queue: str = queues.create_queue(QueueName="told")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("sns", amazon).subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)
    return queue


def _messages(amazon: str, queue: str) -> list[str]:
    found = client("sqs", amazon).receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    return [json.loads(one["Body"])["Message"] for one in found]


def _asked_of_athena(amazon: str) -> list[str]:
    runs = client("athena", amazon)
    return [
        runs.get_query_execution(QueryExecutionId=one)["QueryExecution"]["Query"]
        for one in runs.list_query_executions()["QueryExecutionIds"]
    ]
