"""Customers, merchants, products and every other entity in the live store, by key: as their topics bring them.

Always on, beside the sinks of the settings: what a reader keeps there for a day would else be old for a day. A repeat or an
older version changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import redis
from confluent_kafka import Message

from headrace.contracts.model import load_contracts
from headrace.live.client import valkey
from headrace.live.kept import REFERENCE_SECONDS, WRITE_NEWEST, reference_key
from headrace.live.records import Record, named_by_one_field, text_of, version_of
from headrace.settings import Settings
from headrace.sinks.events import Event, by_topic, events_of
from headrace.sinks.sink import SinkDown

NAME = "reference"
_AT_ONCE = 500


class ReferenceSink:
    def __init__(self, settings: Settings) -> None:
        contracts = load_contracts(settings.contracts)
        kept = {name: one for name, one in contracts.items() if one.kind == "entity" and named_by_one_field(one)}
        self._contracts = by_topic(kept)
        self.topics = tuple(self._contracts)
        self._store = valkey(settings)
        self._write = self._store.register_script(WRITE_NEWEST)

    def write(self, messages: Sequence[Message]) -> None:
        events = events_of(messages, self._contracts)
        try:
            for begin in range(0, len(events), _AT_ONCE):
                with self._store.pipeline(transaction=False) as pipeline:
                    for event in events[begin : begin + _AT_ONCE]:
                        self._put(pipeline, event)
                    pipeline.execute()
        except redis.RedisError as error:
            raise SinkDown(f"Valkey: {error}") from error

    def tidy(self) -> None:
        """What expires goes by itself."""

    def close(self) -> None:
        self._store.close()

    def _put(self, pipeline: Any, event: Event) -> None:
        record = record_of_event(event)
        arguments: list[int | bytes] = [record.version, text_of(record), REFERENCE_SECONDS]
        self._write(keys=[reference_key(record.stream, record.id)], args=arguments, client=pipeline)


def record_of_event(event: Event) -> Record:
    contract, quality = event.contract, event.document.get("quality") or {}
    arrived = quality.get("arrived_at")
    return Record(
        stream=contract.name,
        id=str(event.document[named_by_one_field(contract) or contract.key]),
        version=version_of(event.at),
        at=event.at,
        arrived_at=datetime.fromisoformat(arrived) if arrived else None,
        document={field.name: _exact(event.document.get(field.name)) for field in contract.fields},
        found_in="topic",
    )


def _exact(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | str) else str(value)
