"""Messages of `metrics_realtime` for sinks: which window they are a version of, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from confluent_kafka import Message

from headrace.live.rows import Row, newest, row_of
from headrace.log import get_logger

log = get_logger(__name__)


class Window(msgspec.Struct):
    spec: str
    window_start: int
    late: bool
    keys: dict[str, str | int | float | bool | None]
    generation: int
    n: int
    values: dict[str, str | int | float | None]


_decode = msgspec.json.Decoder(Window).decode


def newest_windows(messages: Iterable[Message]) -> list[Window]:
    """One version of each window. What is no window is logged with its place and left out; a deletion says nothing."""
    return [_decode(row.text) for row in newest(_rows(messages))]


def _rows(messages: Iterable[Message]) -> Iterator[Row]:
    for message in messages:
        value = message.value()
        if value is None:
            continue
        try:
            row = row_of(value)
            _decode(row.text)
        except msgspec.MsgspecError as error:
            place = f"{message.topic()}:{message.partition()}:{message.offset()}"
            log.error("not a live window; left out", place=place, error=str(error))
            continue
        yield row
