"""Messages of `metrics_realtime` for sinks: which window they are a version of, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from confluent_kafka import Message

from headrace.contracts.correct import UNREADABLE
from headrace.live.rows import Metric, metric_of, newest
from headrace.log import get_logger

log = get_logger(__name__)


def newest_windows(messages: Iterable[Message]) -> list[Metric]:
    """One version of each window. What is no window is logged with its place and left out; a deletion says nothing."""
    return newest(_windows(messages))


def _windows(messages: Iterable[Message]) -> Iterator[Metric]:
    for message in messages:
        value = message.value()
        if value is None:
            continue
        try:
            window = metric_of(value)
        except UNREADABLE as error:
            place = f"{message.topic()}:{message.partition()}:{message.offset()}"
            log.error("not a live window; left out", place=place, error=str(error))
            continue
        yield window
