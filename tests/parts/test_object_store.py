"""The lake in an object store by settings alone: the lake job lands there, dbt builds there, a wrong key is a sentence."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headrace.lake import dbt, keeping, trino_config
from headrace.lake.trino import connect
from headrace.runtime import artifacts, jobs
from headrace.settings import Settings, get_settings
from headrace.streams.landing import objects
from tests.parts.raw_rows import event
from tests.parts.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server

EVENTS = 30
START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=3)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with S3Server(get_settings(), tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="module")
def settings(server: S3Server, start_parts: Callable[..., Settings]) -> Iterator[Settings]:
    """What a person sets to have the lake elsewhere; everything else is as always."""
    chosen = {
        "HEADRACE_WAREHOUSE": f"s3://{BUCKET}/headrace", "HEADRACE_S3_URL": server.url,
        "HEADRACE_SECRET_S3_ACCESS_KEY": ACCESS_KEY, "HEADRACE_SECRET_S3_SECRET_KEY": SECRET_KEY,
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in chosen.items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        artifacts.fetch(get_settings(), ["spark-lake", "spark-s3"], lambda *_: None)
        yield start_parts("kafka", "postgres", "trino")
        jobs.stop("lake", settings=get_settings())
    get_settings.cache_clear()


def _query(settings: Settings, sql: str) -> list[list[Any]]:
    with connect(settings, service="dbt", timeout=120) as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()  # type: ignore[no-any-return]


def test_the_job_lands_and_dbt_builds_in_the_bucket(settings: Settings, server: S3Server) -> None:
    folder = settings.landing / "transactions"
    folder.mkdir(parents=True)
    lines = [json.dumps(event(n, START + timedelta(minutes=n))) for n in range(EVENTS)]
    (folder / "dropped.jsonl").write_text("\n".join(lines) + "\n")
    jobs.start("lake", settings)
    deadline = time.monotonic() + 180
    while not _landed(settings):
        assert time.monotonic() < deadline, jobs.log_file("lake", settings).read_text()[-3000:]
        time.sleep(1)
    dbt.run(settings, ["build", "--select", "valid_transactions", "transactions"], timeout=300)
    built = _query(
        settings, "select count(*), count(distinct event_id), min(event_time) from lake.processed.transactions"
    )
    assert built[0][:2] == [EVENTS, EVENTS] and built[0][2] == START
    for zone in ("raw", "processed"):
        assert any(key.endswith(".parquet") for key in server.keys(f"headrace/{zone}"))
    assert not (settings.home / "lake").exists(), "nothing of the lake is on this machine"


def _landed(settings: Settings) -> bool:
    known = _query(settings, "select 1 from lake.information_schema.tables where table_name = 'transactions'")
    return bool(known) and _query(settings, "select count(*) from lake.raw.transactions") == [[EVENTS]]


def test_the_bucket_is_kept_small_too(settings: Settings, server: S3Server) -> None:
    before = _query(settings, "select count(*) from lake.raw.transactions")
    keeping.compact(settings)
    _query(settings, "update lake.processed.transactions set correlation_id = 'x'")
    held = len(server.keys("headrace/processed"))
    keeping.expire_snapshots(settings, keep=timedelta(0))
    keeping.remove_orphans(settings)
    assert len(server.keys("headrace/processed")) < held
    assert _query(settings, "select count(*) from lake.raw.transactions") == before


def test_a_wrong_key_is_said_in_a_sentence_by_every_engine(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.stop("lake", settings=settings)
    monkeypatch.setenv("HEADRACE_SECRET_S3_SECRET_KEY", "wrong")
    wrong = Settings(home=settings.home, ports=settings.ports)
    said = f"refuses the key: bucket {BUCKET}, key lake… "
    with pytest.raises(objects.ObjectStoreUnusable, match="refuses the key"):
        trino_config.prepare(wrong)
    log = Path(jobs.log_file("lake", wrong))
    jobs.start("lake", wrong)
    deadline = time.monotonic() + 60
    while said not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.5)
    jobs.stop("lake", settings=wrong)
