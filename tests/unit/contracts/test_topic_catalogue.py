from __future__ import annotations

from datetime import timedelta

import pytest

from headrace.contracts.model import load_contracts
from headrace.settings import Settings
from headrace.streams.topics import partitions, producer_config, production_topics, topics

PRODUCTION = {topic.name: topic for topic in production_topics(load_contracts(Settings().contracts))}
TRANSACTIONS = "rest.marketplace.transactions.insert"


@pytest.mark.parametrize(
    ("name", "count", "days", "cleanup", "compression"),
    [
        (TRANSACTIONS, 6, 7, "delete", "snappy"),
        ("processed_transactions", 12, 30, "compact,delete", "lz4"),
        ("metrics_realtime", 24, 90, "compact,delete", "lz4"),
        ("alerts", 1, 1, "delete", "snappy"),
    ],
)
def test_production_is_as_required(name: str, count: int, days: int, cleanup: str, compression: str) -> None:
    topic = PRODUCTION[name]
    assert (topic.partitions, topic.retention, topic.cleanup) == (count, timedelta(days=days), cleanup)
    assert (topic.compression, topic.replication, topic.min_in_sync) == (compression, 3, 2)


def test_every_contract_has_its_two_topics() -> None:
    contracts = load_contracts(Settings().contracts).values()
    assert {c.topic for c in contracts} | {c.processed_topic for c in contracts} <= set(PRODUCTION)


def test_the_embedded_default_is_small_and_otherwise_the_same() -> None:
    small = {topic.name: topic for topic in topics(Settings())}
    assert set(small) == set(PRODUCTION)
    assert {topic.partitions for topic in small.values()} == {1, 2}
    assert {topic.min_in_sync for topic in small.values()} == {1}
    kept = ("cleanup.policy", "retention.ms", "compression.type", "message.timestamp.type")
    assert all(small[n].config[key] == PRODUCTION[n].config[key] for n in small for key in kept)


@pytest.mark.parametrize(
    ("production", "asked", "found"), [(24, 2, 2), (24, 6, 24), (24, 12, 48), (1, 12, 1), (12, 1, 1)]
)
def test_partitions_follow_those_of_a_change_topic(production: int, asked: int, found: int) -> None:
    assert partitions(production, asked) == found


def test_arrival_is_stamped_by_the_broker_and_letters_fit() -> None:
    assert PRODUCTION[TRANSACTIONS].config["message.timestamp.type"] == "LogAppendTime"
    assert PRODUCTION["dead_letters"].message_bytes > 4 / 3 * PRODUCTION[TRANSACTIONS].message_bytes


def test_producers_are_safe_and_follow_the_profile() -> None:
    settings = Settings()
    config = producer_config(settings, "latency")
    assert (config["acks"], config["enable.idempotence"], config["batch.size"]) == ("all", True, 32_768)
    assert config["linger.ms"] <= 1
    assert producer_config(settings, "throughput")["linger.ms"] == 10
