"""The catalogue of topics on a real broker."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

from headrace.settings import Settings
from headrace.streams.admin import Drift, _create, _drift, _metadata, admin_client
from headrace.streams.deadletters import reading
from headrace.streams.deadletters.selection import Selection
from headrace.streams.topics import DEAD_LETTERS, Topic, ensure_topics, producer_config, topics


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Settings:
    return start_parts("kafka")


def test_every_topic_exists_as_the_catalogue_says(settings: Settings) -> None:
    ensure_topics(settings)
    report = ensure_topics(settings)
    assert report.created == ()
    assert set(report.present) == {topic.name for topic in topics(settings)}
    assert report.drift == ()


def test_drift_is_reported_and_not_repaired(settings: Settings) -> None:
    wanted = _probe(settings)
    client = admin_client(settings)
    _create(client, [wanted])
    _alter(client, wanted.name)
    _settle(client, settings, wanted, partitions=3)
    found = list(_drift(client, [wanted], _metadata(client, settings)))
    _remove(client, wanted.name)
    assert found == [
        Drift(wanted.name, "partitions", "2", "3"),
        Drift(wanted.name, "retention.ms", "604800000", "60000"),
    ]


def _probe(settings: Settings) -> Topic:
    model = next(topic for topic in topics(settings) if topic.arrival_time)
    return Topic(**{**model.__dict__, "name": f"probe.{uuid.uuid4().hex}"})


def _alter(client: AdminClient, name: str) -> None:
    resource = ConfigResource(
        ResourceType.TOPIC,
        name,
        incremental_configs=[ConfigEntry("retention.ms", "60000", incremental_operation=AlterConfigOpType.SET)],
    )
    client.incremental_alter_configs([resource])[resource].result(20)
    client.create_partitions([NewPartitions(name, 3)])[name].result(20)


def _settle(client: AdminClient, settings: Settings, topic: Topic, partitions: int) -> None:
    deadline = time.monotonic() + 20
    while len(_metadata(client, settings)[topic.name].partitions) != partitions:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _remove(client: AdminClient, name: str) -> None:
    client.delete_topics([name])[name].result(20)


def test_the_broker_stamps_arrival_and_a_key_keeps_its_order(settings: Settings) -> None:
    topic = _probe(settings)
    client = admin_client(settings)
    _create(client, [topic])
    producer = Producer(producer_config(settings))
    for number in range(200):
        producer.produce(topic.name, str(number), f"key-{number % 5}", timestamp=1_000)
    assert producer.flush(20) == 0
    records = _read(settings, topic, 200)
    _remove(client, topic.name)
    assert all(abs(time.time() * 1000 - at) < 60_000 for _, _, _, at in records)
    for key in {key for key, *_ in records}:
        assert len({partition for k, _, partition, _ in records if k == key}) == 1
        numbers = [int(value) for k, value, *_ in records if k == key]
        assert numbers == sorted(numbers)


def _read(settings: Settings, topic: Topic, number: int) -> list[tuple[bytes, bytes, int, int]]:
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": "probe", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic.name, n, 0) for n in range(topic.partitions)])
    found: list[tuple[bytes, bytes, int, int]] = []
    deadline = time.monotonic() + 20
    while len(found) < number and time.monotonic() < deadline:
        for message in consumer.consume(number, timeout=1):
            assert message.error() is None
            found.append((message.key(), message.value(), message.partition(), message.timestamp()[1]))
    consumer.close()
    assert len(found) == number
    return found


def test_dead_letters_are_read_once_each_with_their_bytes(settings: Settings) -> None:
    producer = Producer(producer_config(settings, compression="lz4"))
    place = uuid.uuid4().hex
    letter = (
        '{"topic":"%s","partition":1,"offset":%d,"rule":"range:amount","reason":"amount is below 0.","value":"/3t9"}'
    )
    for offset in (0, 1, 1):
        producer.produce(
            DEAD_LETTERS, letter % (place, offset), f"{place}:1:{offset}", headers=[("h", b"\xfe"), ("h", None)]
        )
    producer.produce(DEAD_LETTERS, "what is this", place)
    assert producer.flush(20) == 0
    found = list(reading.select(settings, Selection()))
    ours = {one.name: one for one in found if one.topic == place}
    assert sorted(ours) == [f"{place}:1:0", f"{place}:1:1"]
    assert len([one for one in found if one.topic == place]) == 2
    assert ours[f"{place}:1:0"].value == b"\xff{}"
    assert ours[f"{place}:1:0"].headers == (("h", b"\xfe"), ("h", None))
    assert reading.one(settings, f"{place}:1:1").rule == "range:amount"
    odd = next(one for one in found if one.key == place.encode())
    assert (odd.rule, odd.value) == ("unreadable", b"what is this")
    assert reading.one(settings, odd.name) == odd
    with pytest.raises(reading.NoSuchLetter, match="dlq list"):
        reading.one(settings, f"{place}:1:2")
