"""How far a Real-Time query is inside of a batch of minutes: what its Kafka consumers say of themselves.

Spark reports progress when a batch ends; the consumers live in the same Java process and publish their own lag.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_LAG = "kafka.consumer:type=consumer-fetch-manager-metrics,client-id=*,topic=*,partition=*"
_POLL = "kafka.consumer:type=consumer-metrics,client-id=*"


@dataclass(frozen=True)
class Consumption:
    lag: int
    idle_seconds: float
    """Since the consumer that worked last asked for records; large means that no task is alive."""


def consumption(spark: Any) -> Consumption | None:
    """None while there is no consumer yet."""
    jvm = spark._jvm
    server = jvm.java.lang.management.ManagementFactory.getPlatformMBeanServer()
    lags = _values(jvm, server, _LAG, "records-lag")
    polls = _values(jvm, server, _POLL, "last-poll-seconds-ago")
    if not polls:
        return None
    return Consumption(int(sum(lags)), min(polls))


def _values(jvm: Any, server: Any, pattern: str, attribute: str) -> list[float]:
    names = server.queryNames(jvm.javax.management.ObjectName(pattern), None)
    values = (float(server.getAttribute(name, attribute)) for name in names)
    return [value for value in values if value == value and value >= 0]
