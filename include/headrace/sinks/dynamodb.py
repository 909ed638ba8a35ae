"""Live windows and accepted events in DynamoDB, to be read by key from anywhere.

`{prefix}windows`: key `series` (specification, late mark, values of its keys) and `window_start`; an older version never
overwrites a newer one: the condition is the store's. `{prefix}events`: key `subject` (event type and its key: the user, or the id
of an entity) and `event` (time and identity; of an entity what names it, so that its newest state is the one item). A
repeat is the same item. `expires_at` is for the store's own removal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import Message

from headrace.contracts.model import load_contracts
from headrace.live.layout import LATE, PUNCTUAL, SEPARATOR
from headrace.live.rows import Metric
from headrace.settings import Settings
from headrace.sinks.dynamodb_writing import REQUESTS_AT_ONCE, Item, Put, Writer
from headrace.sinks.events import Event, by_topic, events_of
from headrace.sinks.sink import SinkDown
from headrace.sinks.windows import newest_windows
from headrace.streams.topics import METRICS

KEYS = {"windows": (("series", "S"), ("window_start", "N")), "events": (("subject", "S"), ("event", "S"))}
_NEWER = "attribute_not_exists(series) OR generation < :generation OR (generation = :generation AND n < :n)"
_LATER = "attribute_not_exists(subject) OR event_ms <= :event_ms"


class DynamoSink:
    def __init__(self, settings: Settings) -> None:
        self._contracts = by_topic(load_contracts(settings.contracts))
        self.topics = (METRICS, *self._contracts)
        self._prefix, self._kept = settings.dynamodb_prefix, settings.sinks_days * 86_400
        self._client = _client(settings)
        self._writer = Writer(self._client)

    def write(self, messages: Sequence[Message]) -> None:
        windows = newest_windows(message for message in messages if message.topic() == METRICS)
        puts = [self._window(window) for window in windows]
        self._writer.write(puts + self._newest(self._event(event) for event in events_of(messages, self._contracts)))

    def tidy(self) -> None:
        """Makes the tables where nobody made them; removing what expired is the store's work."""
        try:
            for name, keys in KEYS.items():
                self._ensure(f"{self._prefix}{name}", keys)
        except (BotoCoreError, ClientError) as error:
            raise SinkDown(f"DynamoDB: {error}") from error

    def close(self) -> None:
        self._writer.close()
        self._client.close()

    def _window(self, window: Metric) -> Put:
        late = LATE if window.late else PUNCTUAL
        values = ("" if value is None else str(value) for value in window.keys.values())
        item: Item = {
            "series": SEPARATOR.join([window.spec, late, *values]),
            "window_start": window.window_start,
            "generation": window.generation,
            "n": window.n,
            "spec": window.spec,
            "late": window.late,
            "keys": {name: None if value is None else str(value) for name, value in window.keys.items()},
            "figures": {name: None if value is None else str(value) for name, value in window.values.items()},
            "expires_at": window.window_start + self._kept,
        }
        return Put(f"{self._prefix}windows", item, _NEWER, {":generation": window.generation, ":n": window.n})

    def _event(self, event: Event) -> Put:
        """An event's time is in its key, so that a repeat is the same item; of an entity the later state is kept."""
        contract = event.contract
        entity = contract.kind == "entity"
        moment = event.at.astimezone(UTC).isoformat(timespec="microseconds")
        names = [name for name in contract.identity if name != contract.event_time]
        item: Item = {
            "subject": SEPARATOR.join([contract.name, event.key]),
            "event": SEPARATOR.join([str(event.document[n]) for n in names] if entity else [moment, event.identity]),
            "event_ms": int(event.at.timestamp() * 1000),
            "document": event.document,
        }
        table = f"{self._prefix}events"
        if entity:
            return Put(table, item, _LATER, {":event_ms": item["event_ms"]})
        return Put(table, item | {"expires_at": int(event.at.timestamp()) + self._kept})

    def _newest(self, puts: Iterable[Put]) -> list[Put]:
        """One a key: a request may not hold two."""
        found: dict[tuple[str, str], Put] = {}
        for put in sorted(puts, key=lambda put: int(put.item["event_ms"])):
            found[put.item["subject"], put.item["event"]] = put
        return list(found.values())

    def _ensure(self, table: str, keys: tuple[tuple[str, str], ...]) -> None:
        try:
            self._client.describe_table(TableName=table)
            return
        except self._client.exceptions.ResourceNotFoundException:
            pass
        (hashed, _), (ranged, _) = keys
        self._client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in keys],
            KeySchema=[{"AttributeName": hashed, "KeyType": "HASH"}, {"AttributeName": ranged, "KeyType": "RANGE"}],
        )
        self._client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 2, "MaxAttempts": 30})
        expiry = {"Enabled": True, "AttributeName": "expires_at"}
        self._client.update_time_to_live(TableName=table, TimeToLiveSpecification=expiry)


def _client(settings: Settings) -> Any:
    """Credentials are found as every AWS client finds them: variables, profile, or the role of the machine."""
    retries: Any = {"mode": "standard", "max_attempts": 3}
    config = Config(connect_timeout=3, read_timeout=10, retries=retries, max_pool_connections=REQUESTS_AT_ONCE)
    region, url = settings.dynamodb_region, settings.dynamodb_url
    return boto3.client("dynamodb", region_name=region, endpoint_url=url, config=config)
