"""Curated days to S3, DynamoDB, Athena and SNS, by the DAG and Airflow's provider, on emulators.

S3 is a server that refuses wrong keys. The others are moto: it proves requests, keys of items and repeats, not roles,
throttling or what Athena would read, since its Athena runs no query.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from headrace.runtime import airflow, bootstrap
from headrace.settings import Settings, get_settings
from tests.parts.dag_run import run_dag
from tests.parts.filled_lake import filled
from tests.parts.lake_home import START, Lake
from tests.parts.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server

DAY = f"{START:%Y-%m-%d}"
TOPIC = "arn:aws:sns:us-east-1:123456789012:exports"


@pytest.fixture(scope="module")
def amazon() -> Iterator[str]:
    folder = bootstrap.ensure_environment("aws", target=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(argv, env=os.environ | {"PYTHONPATH": str(folder)}, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while socket.socket().connect_ex(("127.0.0.1", port)):
        assert process.poll() is None and time.monotonic() < until, "the emulator did not start"
        time.sleep(0.2)
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait(10)


@pytest.fixture(scope="module")
def lake(
    start_parts: Callable[..., Settings], amazon: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Lake, S3Server]]:
    made = filled(start_parts)
    with S3Server(made.settings, tmp_path_factory.mktemp("s3")) as server, pytest.MonkeyPatch.context() as patch:
        chosen = {
            "EXPORT_TO": f"s3://{BUCKET}/curated", "EXPORT_TABLES": "merchant_day", "EXPORT_DYNAMODB": "true",
            "EXPORT_TOPIC": TOPIC, "EXPORT_ATHENA": "headrace", "S3_URL": server.url, "AWS_URL": amazon,
            "DYNAMODB_URL": amazon, "SECRET_S3_ACCESS_KEY": ACCESS_KEY, "SECRET_S3_SECRET_KEY": SECRET_KEY,
        }  # fmt: skip
        for name, value in chosen.items():
            patch.setenv(f"HEADRACE_{name}", value)
        get_settings.cache_clear()
        airflow.prepare(get_settings())
        yield Lake(get_settings(), made.contracts, made.landed), server
    get_settings.cache_clear()


def _client(service: str, url: str) -> Any:
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    return boto3.client(service, endpoint_url=url, region_name="us-east-1", **keys)


def test_a_day_is_given_to_each_service_and_a_repeat_replaces_it(lake: tuple[Lake, S3Server], amazon: str) -> None:
    built, server = lake
    topics = _client("sns", amazon)
    topics.create_topic(Name="exports")
    rows = built.query(f"select merchant_id, transactions from curated.merchant_day where date_day = date '{DAY}'")
    assert rows
    for _ in range(2):
        done = run_dag(built.settings, "export", days=3)
        assert "ended as success" in done, done[-3000:]
    body = server.client.get_object(Bucket=BUCKET, Key=f"curated/merchant_day/date_day={DAY}/rows.jsonl")["Body"].read()
    given = [json.loads(line) for line in body.splitlines()]
    assert {(row["merchant_id"], row["transactions"]) for row in given} == {tuple(row) for row in rows}
    items = _client("dynamodb", amazon).scan(TableName="headrace_merchant_day")["Items"]
    assert {item["merchant_id"]["S"] for item in items if item["date_day"]["S"] == DAY} == {row[0] for row in rows}
    runs = _client("athena", amazon)
    asked = [
        runs.get_query_execution(QueryExecutionId=one)["QueryExecution"]["Query"]
        for one in runs.list_query_executions()["QueryExecutionIds"]
    ]
    folder = f"s3://{BUCKET}/curated/merchant_day/date_day={DAY}/"
    assert any(f"partition (date_day = '{DAY}') location '{folder}'" in sql for sql in asked)


def test_a_wrong_key_ends_in_a_clear_state(lake: tuple[Lake, S3Server], monkeypatch: pytest.MonkeyPatch) -> None:
    built, _ = lake
    monkeypatch.setenv("HEADRACE_SECRET_S3_SECRET_KEY", "wrong")
    done = run_dag(Settings(home=built.settings.home, ports=built.settings.ports), "export", days=1)
    assert "SignatureDoesNotMatch" in done or "403" in done, done[-3000:]
    assert "ended as success" not in done
