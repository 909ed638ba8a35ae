"""A new stream on a running platform: one file, applied, and every event of it is everywhere once, also those sent before.

The file is written in a copy of the repository, as a person's clone would be; the jobs are kept as Airflow keeps them.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import OFFSET_END, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from trino.exceptions import TrinoUserError

from headrace.lake.trino import connect
from headrace.live.client import valkey
from headrace.live.store import LiveStore, WindowRow
from headrace.runtime import jobs
from headrace.settings import REPO, Settings, get_settings
from headrace.streams.admin import admin_client
from headrace.streams.topics import DEAD_LETTERS, producer_config, topics
from tests.parts.topic_reader import documents

SECONDS = 240
TOPIC = "rest.marketplace.clicks.insert"
PARTS = "kafka,postgres,valkey,trino,registry,ingest,projector"
_COPIED = ("app", "dbt", "include", "plugins", "requirements", "spark_jobs", "headrace", "pyproject.toml")
_KEEP = """
import time
from headrace.runtime import jobs
from headrace.semantics import live_specs
from headrace.settings import get_settings
live_specs.publish(get_settings())
while True:
    for name in jobs.JOBS:
        keeper = jobs.keeper(name)
        seen = keeper.status()
        if not seen.healthy and not keeper.hold_back(seen):
            keeper.start()
    time.sleep(1)
"""


class Clone:
    """A person's copy of the repository with a platform of its own."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home = folder, home
        for name in _COPIED:
            copy = shutil.copytree if (REPO / name).is_dir() else shutil.copy2
            copy(REPO / name, folder / name)
        self.environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {
            "HEADRACE_REPO": str(folder), "HEADRACE_HOME": str(home),
        }  # fmt: skip

    def headrace(self, *arguments: str) -> str:
        command = [str(self.folder / "headrace"), *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def keep_jobs(self) -> subprocess.Popen[bytes]:
        environment = self.environment | {"PYTHONPATH": str(self.folder / "include")}
        return subprocess.Popen([sys.executable, "-c", _KEEP], env=environment, cwd=self.folder)


@pytest.fixture(scope="module")
def clone(homes: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    folder = tmp_path_factory.mktemp("clone")
    made = Clone(folder, folder / "home")
    homes.switch(made.home)
    made.headrace("up", "--only", PARTS)
    get_settings.cache_clear()
    keeping = made.keep_jobs()
    yield made
    keeping.kill()
    keeping.wait(10)
    for job in jobs.JOBS:
        jobs.stop(job)
    homes.stop()


def click(**changed: Any) -> dict[str, Any]:
    made = {
        "event_id": uuid.uuid4().hex,
        "event_time": datetime.now(UTC).isoformat(),
        "user_id": "u1",
        "click_status": "done",
    }
    return made | changed


def transaction() -> dict[str, Any]:
    return {
        "event_id": uuid.uuid4().hex, "event_time": datetime.now(UTC).isoformat(), "user_id": "u1", "merchant_id": "m1",
        "transaction_type": "purchase", "amount": 12.5, "currency": "EUR", "region": "europe",
    }  # fmt: skip


def _ids(events: list[dict[str, Any]]) -> Counter[str]:
    return Counter(event["event_id"] for event in events)


def _until(seen: Callable[[], object], wanted: object) -> None:
    deadline = time.monotonic() + SECONDS
    while (found := seen()) != wanted:
        assert time.monotonic() < deadline, f"after {SECONDS} s: {found}\nwanted: {wanted}"
        time.sleep(0.5)


def _query(settings: Settings, sql: str) -> list[list[Any]]:
    with connect(settings, service="dbt", timeout=60) as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()  # type: ignore[no-any-return]


def _raw(settings: Settings, stream: str) -> Counter[str]:
    sql = f'select json_extract_scalar(from_utf8(value), \'$.event_id\'), topic, "partition", "offset" from lake.raw.{stream}'
    try:
        rows = _query(settings, sql)
    except TrinoUserError as error:
        assert error.error_name in ("TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"), error
        return Counter()
    assert len({tuple(row[1:]) for row in rows}) == len(rows)
    return Counter(row[0] for row in rows)


def _windows(settings: Settings, spec: str) -> list[WindowRow]:
    end = datetime.now(UTC) + timedelta(minutes=2)
    return LiveStore(valkey(settings)).windows(spec, end - timedelta(hours=2), end)


def _live(settings: Settings, spec: str) -> int:
    return sum(row.n for row in _windows(settings, spec))


def _generations(settings: Settings, spec: str) -> set[int]:
    return {row.generation for row in _windows(settings, spec)}


def _processed(settings: Settings) -> set[str]:
    return {body["event_id"] for body in documents(settings, "processed_clicks").values()}


def _letters(settings: Settings) -> Counter[str]:
    letters = [body for body in documents(settings, DEAD_LETTERS).values() if body["stream"] == "clicks"]
    return _ids([json.loads(base64.b64decode(letter["value"])) for letter in letters])


def _before(settings: Settings) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Another system made the topic and writes to it already; a file waits. (good, bad, in the file)."""
    good, bad, filed = (
        [click() for _ in range(30)],
        [click(click_status="odd") for _ in range(4)],
        [click() for _ in range(5)],
    )
    like = next(topic for topic in topics(settings) if topic.arrival_time)
    wanted = NewTopic(TOPIC, like.partitions, like.replication, config=like.config)
    admin = admin_client(settings)
    admin.create_topics([wanted])[TOPIC].result(20)
    producer = Producer(producer_config(settings))
    _cut(admin, producer)
    for event in [*good, *good[:6], *bad]:
        producer.produce(TOPIC, json.dumps(event).encode(), event["user_id"])
    assert producer.flush(20) == 0
    folder = settings.landing / "clicks"
    folder.mkdir(parents=True)
    (folder / "early.jsonl").write_text("".join(json.dumps(event) + "\n" for event in filed))
    return good, bad, filed


def _cut(admin: AdminClient, producer: Producer) -> None:
    """Its first records are gone already, as from every topic that is older than its retention."""
    for number in range(60):
        producer.produce(TOPIC, b"gone", str(number))
    assert producer.flush(20) == 0
    partitions = admin.list_topics(TOPIC, timeout=20).topics[TOPIC].partitions
    ends = [TopicPartition(TOPIC, partition, OFFSET_END) for partition in partitions]
    assert all(done.result(20).low_watermark > 0 for done in admin.delete_records(ends).values())


class Steady:
    """Transactions that never pause, to see that another stream does not suffer from the new one."""

    def __init__(self, client: httpx.Client) -> None:
        self.sent: list[dict[str, Any]] = []
        self._client, self._stop = client, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            event = transaction()
            assert self._client.post("/events/transactions", json=event).status_code == 202
            self.sent.append(event)

    def stop(self) -> list[dict[str, Any]]:
        self._stop.set()
        self._thread.join(30)
        return self.sent


def test_a_new_stream_is_one_file(clone: Clone) -> None:
    settings = get_settings()
    key = {"X-API-Key": settings.secret("ingest_api_key")}
    with httpx.Client(base_url=settings.ingest_url, headers=key, timeout=30) as client:
        steady = Steady(client)
        _until(lambda: _live(settings, "transactions_1m") > 0, True)
        counting = _generations(settings, "transactions_1m")
        good, bad, filed = _before(settings)
        clone.headrace("stream", "new", "clicks")
        clone.headrace("stream", "new", "visits")
        assert client.post("/events/clicks", json=click()).status_code == 404, "a file alone changes nothing"
        steps = json.loads(clone.headrace("stream", "apply", "clicks", "--no-wait", "--json"))["steps"]
        assert {step["what"] for step in steps if step["state"] == "waits"} == set(), steps
        # The jobs are ending and starting by now.
        later = [click() for _ in range(20)]
        for event in [*later, *later[:3]]:
            assert client.post("/events/clicks", json=event).status_code == 202
        assert client.post("/events/clicks", json=click(click_status="odd")).status_code == 422
        assert client.post("/events/visits", json=click()).status_code == 404, "not asked for"
        _until(lambda: _live(settings, "clicks_1m"), len(good) + len(later))
        transactions = steady.stop()

    streamed = [*good, *good[:6], *bad, *later, *later[:3]]
    _until(lambda: _raw(settings, "clicks"), _ids([*streamed, *filed]))
    _until(lambda: _raw(settings, "transactions"), _ids(transactions))
    specs = ("transactions_1m", "transactions_by_user", "transaction_amounts")
    _until(lambda: [_live(settings, spec) for spec in specs], [len(transactions)] * len(specs))
    assert _generations(settings, "transactions_1m") == counting, "the new stream made another one be counted anew"
    # Refining is a query of its own: it may be behind the landing.
    _until(lambda: _processed(settings), set(_ids([*good, *later])))
    _until(lambda: _letters(settings), _ids(bad))

    steps = json.loads(clone.headrace("stream", "apply", "clicks", "--json"))["steps"]
    assert not [step for step in steps if step["state"] in ("waits", "kept")], steps
    wanted = len(good) + len(later) + len(filed)
    assert _query(settings, "select count(*), count(distinct event_id) from curated.fct_clicks") == [[wanted, wanted]]
    assert _query(settings, "select sum(n) from curated.clicks_by_minute where origin = 'stream'") == [
        [wanted - len(filed)]
    ]

    # The lake job once more: where every record of the new topic is held, none may be missing again.
    for job, starts in {"live": 2, "lake": 3}.items():
        keeper = jobs.keeper(job)
        _until(lambda keeper=keeper: keeper.history.starts, starts)
        assert (keeper.history.recent(), keeper.history.reason) == (0, "it ended to take up changed streams")
