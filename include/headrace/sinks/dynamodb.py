"""Live windows and accepted events in DynamoDB, to be read by key from anywhere.

`{prefix}windows`: key `series` (specification, late mark, values of its keys) and `window_start`; an older version never
overwrites a newer one: the condition is the store's. `{prefix}events`: key `subject` (event type and its key: the user, or the id
of an entity) and `event` (time and identity; of an entity the identity alone, so that its newest state is the one item). A
repeat is the same item. `expires_at` is for the store's own removal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import UTC
from functools import partial
from typing import Any

import boto3
from boto3.dynamodb.types import TypeSerializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import Message

from headrace.contracts.model import load_contracts
from headrace.live.layout import LATE, PUNCTUAL, SEPARATOR
from headrace.log import get_logger
from headrace.settings import Settings
from headrace.sinks.events import Event, by_topic, events_of
from headrace.sinks.sink import SinkDown
from headrace.sinks.windows import Window, newest_windows
from headrace.streams.topics import METRICS

log = get_logger(__name__)
Item = dict[str, Any]
KEYS = {"windows": (("series", "S"), ("window_start", "N")), "events": (("subject", "S"), ("event", "S"))}
_AT_ONCE = 16
_NEWER = "attribute_not_exists(series) OR generation < :generation OR (generation = :generation AND n < :n)"
_LATER = "attribute_not_exists(subject) OR event_ms <= :event_ms"
_serialize = TypeSerializer().serialize


class DynamoSink:
    def __init__(self, settings: Settings) -> None:
        self._contracts = by_topic(load_contracts(settings.contracts))
        self.topics = (METRICS, *self._contracts)
        self._prefix, self._kept = settings.dynamodb_prefix, settings.sinks_days * 86_400
        self._client = _client(settings)
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="dynamodb")

    def write(self, messages: Sequence[Message]) -> None:
        windows = newest_windows(message for message in messages if message.topic() == METRICS)
        events = events_of(messages, self._contracts)
        self._all(self._put_window, windows)
        self._all(self._put_event, events)

    def tidy(self) -> None:
        """Makes the tables where nobody made them; removing what expired is the store's work."""
        for name, keys in KEYS.items():
            self._call(partial(self._ensure, f"{self._prefix}{name}", keys))

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def _all(self, put: Callable[[Any], None], found: Iterable[Any]) -> None:
        """Side by side; the first that fails ends it, and those that have begun are waited for."""
        futures = [self._pool.submit(self._call, partial(put, one)) for one in found]
        done, waiting = wait(futures, return_when=FIRST_EXCEPTION)
        for future in waiting:
            future.cancel()
        wait(waiting)
        failed = [error for future in done if (error := future.exception())]
        if failed:
            raise failed[0]

    def _put_window(self, window: Window) -> None:
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
        self._put("windows", item, _NEWER, {":generation": window.generation, ":n": window.n})

    def _put_event(self, event: Event) -> None:
        entity = event.contract.kind == "entity"
        moment = event.at.astimezone(UTC).isoformat(timespec="microseconds")
        item: Item = {
            "subject": SEPARATOR.join([event.contract.name, event.key]),
            "event": event.identity if entity else SEPARATOR.join([moment, event.identity]),
            "event_ms": int(event.at.timestamp() * 1000),
            "document": event.document,
        }
        if not entity:
            item["expires_at"] = int(event.at.timestamp()) + self._kept
        self._put("events", item, _LATER, {":event_ms": item["event_ms"]})

    def _put(self, table: str, item: Item, condition: str, values: Item) -> None:
        """What is there and as new stays. What the store can never hold (400 KB, a number of 39 digits) is logged and left out."""
        try:
            self._client.put_item(
                TableName=f"{self._prefix}{table}",
                Item={name: _serialize(value) for name, value in item.items()},
                ConditionExpression=condition,
                ExpressionAttributeValues={name: _serialize(value) for name, value in values.items()},
            )
        except (ClientError, ArithmeticError, TypeError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else "ValidationException"
            if code == "ValidationException":
                log.error("DynamoDB cannot hold this; left out", table=table, error=repr(error))
            elif code != "ConditionalCheckFailedException":
                raise

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

    def _call(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (BotoCoreError, ClientError) as error:
            raise SinkDown(f"DynamoDB: {error}") from error


def _client(settings: Settings) -> Any:
    """Credentials are found as every AWS client finds them: variables, profile, or the role of the machine."""
    retries: Any = {"mode": "standard", "max_attempts": 3}
    config = Config(connect_timeout=3, read_timeout=10, retries=retries, max_pool_connections=_AT_ONCE)
    region, url = settings.dynamodb_region, settings.dynamodb_url
    return boto3.client("dynamodb", region_name=region, endpoint_url=url, config=config)
