"""Where landing begins when its checkpoint is gone: after what the raw tables hold, so that nothing lands twice."""

from __future__ import annotations

import json
from collections.abc import Mapping

from headrace.log import get_logger

log = get_logger(__name__)
EARLIEST = -2
Place = tuple[str, int]


def starting_offsets(landed: Mapping[Place, int], present: Mapping[Place, tuple[int, int]]) -> str:
    """Spark's JSON for every partition: `landed` is the last offset in raw, `present` what Kafka has, from and to."""
    chosen: dict[str, dict[str, int]] = {}
    for (topic, partition), (low, high) in sorted(present.items()):
        last = landed.get((topic, partition))
        chosen.setdefault(topic, {})[str(partition)] = _next(topic, partition, last, low, high)
    return json.dumps(chosen)


def _next(topic: str, partition: int, last: int | None, low: int, high: int) -> int:
    if last is None:
        return EARLIEST
    if last + 1 < low:
        log.error("records were removed before they landed", topic=topic, partition=partition, missing=low - last - 1)
        return EARLIEST
    if last + 1 > high:
        log.error("the topic is not the one that was landed; it is landed whole", topic=topic, partition=partition)
        return EARLIEST
    return last + 1
