"""Brings Kafka to what the catalogue of topics says, and tells where it differs instead of changing it silently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import stamina
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from headrace.contracts.model import Contract
from headrace.log import get_logger
from headrace.settings import Settings
from headrace.streams.topics import Topic, topics

log = get_logger(__name__)
_SECONDS = 20


class KafkaUnavailable(ConnectionError):
    """No broker answered in time; the message names the address and the next step."""


@dataclass(frozen=True)
class Drift:
    """A topic that is not as the catalogue says; an operator decides, as a change may move keys or lose data."""

    topic: str
    setting: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.setting} is {self.found}, the catalogue says {self.wanted}"


@dataclass(frozen=True)
class TopicReport:
    created: tuple[str, ...]
    present: tuple[str, ...]
    drift: tuple[Drift, ...]


def admin_client(settings: Settings) -> AdminClient:
    return AdminClient({"bootstrap.servers": settings.kafka, "socket.timeout.ms": _SECONDS * 1000}, logger=_quiet())


def _quiet() -> Any:
    """Librdkafka reports each failed connection; we report the outcome."""
    import logging

    logger = logging.getLogger("librdkafka")
    logger.setLevel(logging.CRITICAL)
    return logger


@stamina.retry(on=KafkaUnavailable, attempts=4, timeout=60.0, wait_initial=0.5)
def _metadata(client: AdminClient, settings: Settings) -> dict[str, Any]:
    try:
        return dict(client.list_topics(timeout=_SECONDS).topics)
    except KafkaException as error:
        raise KafkaUnavailable(
            f"Kafka at {settings.kafka} did not answer within {_SECONDS} s ({error.args[0].str()}): see `./headrace status`."
        ) from error


def ensure_topics(settings: Settings, contracts: Mapping[str, Contract] | None = None) -> TopicReport:
    """Creates what is missing; safe to repeat and to run twice at once."""
    client = admin_client(settings)
    wanted = topics(settings, contracts)
    existing = _metadata(client, settings)
    missing = [topic for topic in wanted if topic.name not in existing]
    created = _create(client, missing)
    kept = [topic for topic in wanted if topic.name not in created]
    report = TopicReport(created, tuple(t.name for t in kept), tuple(_drift(client, kept, existing)))
    log.info("topics ensured", created=len(created), present=len(kept), drift=[str(d) for d in report.drift])
    return report


def _create(client: AdminClient, missing: list[Topic]) -> tuple[str, ...]:
    if not missing:
        return ()
    asked = [
        NewTopic(t.name, num_partitions=t.partitions, replication_factor=t.replication, config=t.config)
        for t in missing
    ]
    created = []
    for name, future in client.create_topics(asked, operation_timeout=_SECONDS, request_timeout=_SECONDS).items():
        try:
            future.result(timeout=2 * _SECONDS)
            created.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return tuple(created)


def _drift(client: AdminClient, kept: list[Topic], existing: dict[str, Any]) -> Iterable[Drift]:
    known = [topic for topic in kept if topic.name in existing]
    found = _configs(client, known)
    for topic in known:
        count = len(existing[topic.name].partitions)
        if count != topic.partitions:
            yield Drift(topic.name, "partitions", str(topic.partitions), str(count))
        for setting, wanted in topic.config.items():
            value = found[topic.name].get(setting, "unset")
            if set(value.split(",")) != set(wanted.split(",")):
                yield Drift(topic.name, setting, wanted, value)


def _configs(client: AdminClient, known: list[Topic]) -> dict[str, dict[str, str]]:
    if not known:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, topic.name) for topic in known]
    futures = client.describe_configs(resources, request_timeout=_SECONDS)
    answers = ((resource.name, future.result(timeout=2 * _SECONDS)) for resource, future in futures.items())
    return {name: {key: str(entry.value) for key, entry in entries.items()} for name, entries in answers}
