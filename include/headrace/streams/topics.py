"""The one catalogue of topics: what exists in Kafka, why, and for how long.

Figures are production's (requirement S8). The embedded default asks for fewer partitions and copies by settings, and
everything else stays the same, so that what is tried on a laptop is what runs on a cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from headrace.contracts.model import Contract, load_contracts
from headrace.settings import Settings

if TYPE_CHECKING:
    from headrace.streams.admin import TopicReport

Cleanup = Literal["delete", "compact,delete"]
Compression = Literal["snappy", "lz4"]
DEAD_LETTERS = "dead_letters"
METRICS = "metrics_realtime"
ALERTS = "alerts"
CHANGE_PARTITIONS = 6
MESSAGE_BYTES = 1_048_576
_MINUTE_MS = 60_000


@dataclass(frozen=True)
class Topic:
    name: str
    purpose: str
    partitions: int
    retention: timedelta
    cleanup: Cleanup
    compression: Compression
    replication: int = 3
    message_bytes: int = MESSAGE_BYTES
    arrival_time: bool = False
    """The broker stamps the time of arrival, so that no sender can claim another one."""
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def min_in_sync(self) -> int:
        return max(1, self.replication - 1)

    @property
    def segment_ms(self) -> int:
        """Retention and compaction reach closed segments only: close them well before the retention ends."""
        share = self.retention // 7 if self.cleanup == "delete" else timedelta(hours=6)
        return int(max(min(share, timedelta(days=1)), timedelta(hours=1)).total_seconds() * 1000)

    @property
    def config(self) -> dict[str, str]:
        """As Kafka names it."""
        return {
            "cleanup.policy": self.cleanup,
            "compression.type": self.compression,
            "retention.ms": str(int(self.retention.total_seconds() * 1000)),
            "segment.ms": str(self.segment_ms),
            "min.insync.replicas": str(self.min_in_sync),
            "max.message.bytes": str(self.message_bytes),
            "message.timestamp.type": "LogAppendTime" if self.arrival_time else "CreateTime",
            **self.extra,
        }


def change_topic(contract: Contract) -> Topic:
    return Topic(
        contract.topic,
        f"{contract.description.rstrip('.')}, as it came",
        CHANGE_PARTITIONS,
        timedelta(days=7),
        "delete",
        "snappy",
        arrival_time=True,
    )


def processed_topic(contract: Contract) -> Topic:
    """Keyed by the identity, so that a repeated write overwrites itself."""
    return Topic(
        contract.processed_topic,
        f"{contract.name} that passed the gate, once each",
        2 * CHANGE_PARTITIONS,
        timedelta(days=30),
        "compact,delete",
        "lz4",
        # What the platform knows of an event stands beside its fields.
        message_bytes=2 * MESSAGE_BYTES,
    )


def _platform_topics() -> tuple[Topic, ...]:
    return (
        # A dead letter holds the original bytes, encoded, and must still fit when the original was as large as allowed.
        Topic(
            DEAD_LETTERS,
            "events that failed the gate, with the reason and their bytes; keyed by topic, partition, offset",
            CHANGE_PARTITIONS,
            timedelta(days=30),
            "compact,delete",
            "lz4",
            message_bytes=4 * MESSAGE_BYTES,
        ),
        # Compaction keeps a rebuild of the live store short; the lag leaves young updates to those who read along.
        Topic(
            METRICS,
            "live windows, keyed by metric, window and keys",
            4 * CHANGE_PARTITIONS,
            timedelta(days=90),
            "compact,delete",
            "lz4",
            extra={"min.cleanable.dirty.ratio": "0.2", "min.compaction.lag.ms": str(10 * _MINUTE_MS)},
        ),
        Topic(ALERTS, "anomalies and broken rules, for people", 1, timedelta(days=1), "delete", "snappy"),
    )


def production_topics(contracts: Mapping[str, Contract]) -> tuple[Topic, ...]:
    """Every topic in the size that a cluster has."""
    changes = [change_topic(contract) for contract in contracts.values()]
    processed = [processed_topic(contract) for contract in contracts.values()]
    return (*changes, *processed, *_platform_topics())


def partitions(production: int, change_partitions: int) -> int:
    """Below production's size no topic gets more than a change topic; from there on all grow in proportion."""
    if change_partitions < CHANGE_PARTITIONS:
        return min(production, change_partitions)
    return production if production == 1 else production * change_partitions // CHANGE_PARTITIONS


def topics(settings: Settings, contracts: Mapping[str, Contract] | None = None) -> tuple[Topic, ...]:
    """Every topic of the repository's contracts, or of these, in the size that these settings ask for."""
    return tuple(
        replace(
            topic,
            partitions=partitions(topic.partitions, settings.kafka_partitions),
            replication=settings.kafka_replication,
        )
        for topic in production_topics(contracts or load_contracts(settings.contracts))
    )


def ensure_topics(settings: Settings) -> TopicReport:
    """Creates what is missing and reports drift; imported late, as most users of the catalogue need only names."""
    from headrace.streams.admin import ensure_topics as ensure

    return ensure(settings)


def producer_config(
    settings: Settings, profile: str | None = None, *, compression: Compression = "snappy"
) -> dict[str, Any]:
    """How every producer of the platform writes: acknowledged by all, in order, without repeats.

    The latency profile waits 1 ms for a batch to fill, the throughput profile 10 ms. The compression is that
    of the topic, so that the broker need not do it again. The partitioner is Java's, so that a key lands in the same
    partition whoever writes it.
    """
    return {
        "bootstrap.servers": settings.kafka,
        "acks": "all",
        "enable.idempotence": True,
        "batch.size": 32_768,
        "linger.ms": 10 if (profile or settings.producer_profile) == "throughput" else 1,
        "compression.type": compression,
        "partitioner": "murmur2_random",
        "message.max.bytes": MESSAGE_BYTES,
        "socket.nagle.disable": True,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1_000,
    }


def consumer_config(settings: Settings, group: str, *, patient: bool = True) -> dict[str, Any]:
    """How every tail of the platform reads: from the beginning, and it commits by itself what it has done.

    Who is patient lets the broker collect for a fifth of a second. Otherwise it is answered for each record, and at some
    hundred records a second the answers take more of the processor than the records.
    """
    return {
        "bootstrap.servers": settings.kafka,
        "group.id": group,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "fetch.min.bytes": 65_536 if patient else 1,
        "fetch.wait.max.ms": 200 if patient else 500,
        # The default of a second is how long a full queue would sleep.
        "fetch.queue.backoff.ms": 5,
        # What waits for a reader that is behind waits in Kafka, not here.
        "queued.max.messages.kbytes": 8_192,
        "reconnect.backoff.max.ms": 1_000,
    }
