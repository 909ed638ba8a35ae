"""The lake job on real Kafka, Spark, Iceberg and Trino: each record once, through kills and a lost checkpoint."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, Producer

from headrace.contracts.explain import example
from headrace.contracts.model import load_contracts
from headrace.contracts.structs import EventCodec
from headrace.lake.trino import connect
from headrace.runtime import jobs
from headrace.settings import Settings
from headrace.streams import heartbeat
from headrace.streams.landing.files import landed_files, waiting_files
from headrace.streams.topics import DEAD_LETTERS, producer_config
from tests.parts.traffic_oracle import Oracle

SECONDS = 240


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Iterator[Settings]:
    settings = start_parts("kafka", "postgres", "trino")
    yield settings
    jobs.stop("lake", settings=settings)


@pytest.fixture(scope="module")
def oracle(settings: Settings) -> Oracle:
    return Oracle(load_contracts(settings.contracts)["transactions"], seed=11)


def _query(settings: Settings, sql: str) -> list[list[Any]]:
    with connect(settings, service="dbt", timeout=60) as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()  # type: ignore[no-any-return]


def _raw(settings: Settings, prefix: str, origin: str = "stream") -> list[list[Any]]:
    where = f"origin = '{origin}' AND strpos(from_utf8(value), '{prefix}') > 0"
    return _query(
        settings, f'SELECT topic, "partition", "offset", value, user_id FROM lake.raw.transactions WHERE {where}'
    )


def _await_landed(settings: Settings, moment: datetime) -> None:
    """As the build waits: until the job says that all up to this moment is in raw."""
    deadline = time.monotonic() + SECONDS
    while not (beat := heartbeat.read(settings, "lake")) or not beat.landed_through or beat.landed_through < moment:
        assert time.monotonic() < deadline, f"landed through {beat and beat.landed_through}, not {moment}"
        time.sleep(0.5)


def _same_as_sent(settings: Settings, oracle: Oracle) -> None:
    rows = _raw(settings, oracle.prefix)
    assert Counter(bytes(row[3]) for row in rows) == Counter(oracle.values)
    assert len({tuple(row[:3]) for row in rows}) == len(rows)


def _kill_job(settings: Settings) -> None:
    handle = jobs.status("lake", settings).handle
    assert handle
    process = psutil.Process(handle.pid)
    for victim in (process, *process.children(recursive=True)):
        victim.kill()
    psutil.wait_procs([process], timeout=10)


def _tell_of_entities(settings: Settings, oracle: Oracle) -> None:
    """Customers by a file, one merchant by its topic."""
    contracts = load_contracts(settings.contracts)
    customers, merchants = (EventCodec(contracts[name], future=timedelta()) for name in ("customers", "merchants"))
    made = example(customers, datetime.now(UTC))
    drop(
        settings, "customers", "known.jsonl", [json.dumps(made | {"customer_id": f"u{n}"}).encode() for n in range(40)]
    )
    merchant = example(merchants, datetime.now(UTC)) | {"merchant_id": f"{oracle.prefix}-0"}
    producer = Producer(producer_config(settings))
    producer.produce(merchants.contract.topic, json.dumps(merchant).encode(), key=merchant["merchant_id"])
    assert producer.flush(30) == 0


def test_raw_holds_each_record_once(settings: Settings, oracle: Oracle) -> None:
    jobs.start("lake", settings)
    _tell_of_entities(settings, oracle)
    oracle.send(settings, 200)
    _await_landed(settings, datetime.now(UTC))
    oracle.send(settings, 200)
    _kill_job(settings)
    oracle.send(settings, 100)
    jobs.start("lake", settings)
    _await_landed(settings, datetime.now(UTC))
    _same_as_sent(settings, oracle)


def test_a_lost_checkpoint_lands_nothing_twice(settings: Settings, oracle: Oracle) -> None:
    jobs.stop("lake", settings=settings)
    shutil.rmtree(settings.checkpoints / "lake" / "land")
    oracle.told = set(oracle.accepted)
    oracle.send(settings, 50)
    jobs.start("lake", settings)
    _await_landed(settings, datetime.now(UTC))
    _same_as_sent(settings, oracle)


def test_a_file_lands_once_with_its_lines(settings: Settings, oracle: Oracle) -> None:
    lines = [value for _, value in oracle.traffic(20)] + [
        f'{{"user_id": "Zoë", "x": "{oracle.prefix}"}}',
        f"not json {oracle.prefix}",
    ]
    texts = [line if isinstance(line, bytes) else line.encode("latin-1") for line in lines]
    name = f"{oracle.prefix}.jsonl"
    drop(settings, "transactions", name, texts)
    topic = f"file:transactions/{name}"
    rows = sorted(_raw(settings, oracle.prefix, "file"), key=lambda row: row[2])
    assert [(row[0], row[1], row[2], bytes(row[3])) for row in rows] == [
        (topic, 0, number, text) for number, text in enumerate(texts, start=3)
    ]
    refused = {value: rule for value, rule in oracle.refused if value in texts and rule != "conflict"}
    refused |= {texts[-2]: "encoding", texts[-1]: "json"}
    letters = _letters(settings, oracle, topic)
    assert _judged(letters) == Counter(refused.items())
    assert all(texts[body["offset"] - 3] == base64.b64decode(body["value"]) for body in letters)
    assert all(body["reason"] and body["correlation_id"] for body in letters)
    assert {body["change_topic"] for body in letters} == {oracle.contract.topic}


def drop(settings: Settings, stream: str, name: str, lines: list[bytes]) -> None:
    """A file in the landing folder, whole at once, and in raw on return."""
    folder = settings.landing / stream
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f".{name}").write_bytes(b"\n\n" + b"\r\n".join(lines) + b"\n")
    (folder / f".{name}").rename(folder / name)
    deadline = time.monotonic() + SECONDS
    while any(path.name == name for path in waiting_files(settings)):
        assert time.monotonic() < deadline, landed_files(settings)
        time.sleep(0.5)


def _consume(settings: Settings, topic: str) -> list[tuple[str, dict[str, Any]]]:
    group = f"test-{time.time_ns()}"
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": group, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    found, quiet = [], time.monotonic() + 15
    while time.monotonic() < quiet:
        for message in consumer.consume(1000, 1.0):
            if not message.error():
                found.append((message.key().decode(), json.loads(message.value())))
                quiet = time.monotonic() + 2
    consumer.close()
    return found


def _letters(settings: Settings, oracle: Oracle, topic: str) -> list[dict[str, Any]]:
    letters = [body for body in dict(_consume(settings, DEAD_LETTERS)).values() if body["topic"] == topic]
    return [body for body in letters if oracle.prefix.encode() in base64.b64decode(body["value"])]


def _processed(settings: Settings, oracle: Oracle) -> dict[str, dict[str, Any]]:
    processed = dict(_consume(settings, oracle.contract.processed_topic))
    return {key: body for key, body in processed.items() if body["merchant_id"].startswith(oracle.prefix)}


def _judged(letters: list[dict[str, Any]]) -> Counter[tuple[bytes, str]]:
    return Counter((base64.b64decode(body["value"]), body["rule"]) for body in letters)


def test_the_gate_sends_each_where_it_belongs(settings: Settings, oracle: Oracle) -> None:
    streamed = Counter(oracle.values)
    refused = Counter((value, rule) for value, rule in oracle.refused if value in streamed)
    events = {id_: found for id_, found in oracle.accepted.items() if oracle.sent_as[id_] in streamed}
    deadline = time.monotonic() + SECONDS
    # Refining is a query of its own: it may be behind the landing.
    while (
        len(ours := _letters(settings, oracle, oracle.contract.topic)),
        len(mine := _processed(settings, oracle)),
    ) != (
        refused.total(),
        len(events),
    ):
        assert time.monotonic() < deadline, (
            f"{len(ours)} of {refused.total()} letters, {len(mine)} of {len(events)} events"
        )
    assert _judged(ours) == refused
    assert all(body["reason"] and body["stream"] == "transactions" and body["correlation_id"] for body in ours)

    assert set(mine) == set(events)
    assert {id_: (body["quality"]["late"], body["amount"]) for id_, body in mine.items()} == {
        id_: (late, event["amount"]) for id_, (late, event) in events.items()
    }
    assert {id_: body["quality"]["corrected"] for id_, body in mine.items()} == {
        id_: oracle.untidy.get(id_, []) for id_ in events
    }
    later = {id_: body for id_, body in mine.items() if id_ not in oracle.told}
    assert {id_: body["quality"]["unresolved"] for id_, body in later.items()} == {
        id_: [] if body["merchant_id"] == f"{oracle.prefix}-0" else ["merchant_id"] for id_, body in later.items()
    }
    conflict = next(body for body in ours if body["rule"] == "conflict")
    assert conflict["reason"].startswith("The first event of this identity has event_time ")


def test_a_file_that_is_written_where_it_lies_lands_whole(settings: Settings, oracle: Oracle) -> None:
    """A first half up to the middle of a line, which lies there for long; the rest; and more after that had landed."""
    lines = [f'{{"x": "{oracle.prefix}", "half": {n}}}'.encode() for n in range(6)]
    text = b"\n".join(lines)
    file = settings.landing / "transactions" / f"{oracle.prefix}-slow.jsonl"

    def write(content: bytes) -> list[bytes]:
        with file.open("ab") as opened:
            opened.write(content)
        deadline = time.monotonic() + SECONDS
        while file in waiting_files(settings):
            assert time.monotonic() < deadline, landed_files(settings)
            time.sleep(0.5)
        rows = [row for row in _raw(settings, oracle.prefix, "file") if row[0].endswith("-slow.jsonl")]
        return [bytes(value) for _, _, _, value, _ in sorted(rows, key=lambda row: (row[2], len(row[3])))]

    cut = text.index(b"3}") - 4
    half = text[:cut].split(b"\n")
    assert write(text[:cut]) == half
    # The cut line stays in raw, where no gate lets it pass; the whole one is there too, in the same place.
    assert write(text[cut:] + b"\n") == [*half, *lines[3:]]
    assert write(lines[0] + b"\n") == [*half, *lines[3:], lines[0]]


def test_stamps_do_not_go_back_with_the_clock(settings: Settings, oracle: Oracle) -> None:
    """Rows of a clock that was ahead, in one table: nothing that lands later, in any table, looks older."""
    jobs.stop("lake", settings=settings)
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    _query(
        settings,
        'insert into lake.raw.payouts (topic, "partition", "offset", arrived_at, landed_at, origin) values'
        f" ('by hand', 0, 0, current_timestamp, timestamp '{ahead:%Y-%m-%d %H:%M:%S} UTC', 'file')",
    )
    began = datetime.now(UTC)
    oracle.send(settings, 10)
    jobs.start("lake", settings)
    _await_landed(settings, datetime.now(UTC))
    stamps = _query(
        settings,
        "select min(landed_at), count(*) from lake.raw.transactions where origin = 'stream'"
        f" and arrived_at >= timestamp '{began:%Y-%m-%d %H:%M:%S.%f} UTC'",
    )
    assert stamps[0][0] == ahead and stamps[0][1] >= 10
