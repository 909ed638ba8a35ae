"""Writes many items to DynamoDB in few requests: batches where a repeat is the same item, transactions where a version decides.

A batch knows no conditions; a transaction does, and says of each item why it failed. What has an older version than the store
leaves the transaction, and the others go again. An item that the store can never hold is found one by one, logged, left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from headrace.log import get_logger
from headrace.sinks.sink import SinkDown

log = get_logger(__name__)
Item = dict[str, Any]
REQUESTS_AT_ONCE = 2
_BATCH, _TRANSACTION = 25, 25
_TRIES, _PAUSE = 8, 0.05
_OLDER = "ConditionalCheckFailed"
_serialize = TypeSerializer().serialize


@dataclass(frozen=True)
class Put:
    table: str
    item: Item
    condition: str | None = None
    """None: a repeat is the same item."""
    values: Item | None = None

    def request(self) -> Item:
        """Raises ArithmeticError or TypeError for what no item can hold."""
        made: Item = {"TableName": self.table, "Item": _stored(self.item)}
        if self.condition is not None:
            made |= {"ConditionExpression": self.condition, "ExpressionAttributeValues": _stored(self.values or {})}
        return made


class Writer:
    def __init__(self, client: Any) -> None:
        self._client = client
        self._pool = ThreadPoolExecutor(REQUESTS_AT_ONCE, thread_name_prefix="dynamodb")

    def write(self, puts: Iterable[Put]) -> None:
        """No two of the same key. Returns when all are there; raises SinkDown. Parts may be written then."""
        free: list[Item] = []
        decided: list[Item] = []
        for put in puts:
            try:
                (free if put.condition is None else decided).append(put.request())
            except (ArithmeticError, TypeError) as error:
                _left_out(put.table, error)
        self._all(self._batch, _groups(free, _BATCH))
        self._all(self._transaction, _groups(decided, _TRANSACTION))

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _all(self, send: Callable[[Sequence[Item]], None], groups: Iterable[Sequence[Item]]) -> None:
        """Side by side; the first that fails ends it, and those that have begun are waited for."""
        futures = [self._pool.submit(_told, send, group) for group in groups]
        done, waiting = wait(futures, return_when=FIRST_EXCEPTION)
        for future in waiting:
            future.cancel()
        wait(waiting)
        if failed := [error for future in done if (error := future.exception())]:
            raise failed[0]

    def _batch(self, requests: Sequence[Item]) -> None:
        asked: dict[str, list[Item]] = {}
        for request in requests:
            asked.setdefault(request["TableName"], []).append({"PutRequest": {"Item": request["Item"]}})
        for attempt in range(_TRIES):
            try:
                asked = self._client.batch_write_item(RequestItems=asked).get("UnprocessedItems") or {}
            except ClientError as error:
                if _code(error) != "ValidationException":
                    raise
                return self._one_by_one(requests)
            if not asked:
                return None
            time.sleep(_PAUSE * 2**attempt)
        raise SinkDown("DynamoDB: it takes no more now")

    def _transaction(self, requests: Sequence[Item]) -> None:
        left = list(requests)
        for attempt in range(_TRIES):
            try:
                self._client.transact_write_items(TransactItems=[{"Put": request} for request in left])
                return None
            except ClientError as error:
                if _code(error) == "ValidationException":
                    return self._one_by_one(left)
                if _code(error) != "TransactionCanceledException":
                    raise
                reasons = [reason.get("Code") for reason in error.response["CancellationReasons"]]
            if "ValidationError" in reasons:
                return self._one_by_one(left)
            older = reasons.count(_OLDER)
            left = [request for request, reason in zip(left, reasons, strict=True) if reason != _OLDER]
            if not left:
                return None
            if not older:
                time.sleep(_PAUSE * 2**attempt)
        return self._one_by_one(left)

    def _one_by_one(self, requests: Sequence[Item]) -> None:
        for request in requests:
            try:
                self._client.put_item(**request)
            except ClientError as error:
                if _code(error) == "ValidationException":
                    _left_out(request["TableName"], error)
                elif _code(error) != "ConditionalCheckFailedException":
                    raise


def _told(send: Callable[[Sequence[Item]], None], group: Sequence[Item]) -> None:
    try:
        send(group)
    except (BotoCoreError, ClientError) as error:
        raise SinkDown(f"DynamoDB: {error}") from error


def _groups(items: Sequence[Item], most: int) -> list[Sequence[Item]]:
    return [items[begin : begin + most] for begin in range(0, len(items), most)]


def _stored(values: Item) -> Item:
    return {name: _serialize(value) for name, value in values.items()}


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def _left_out(table: str, error: Exception) -> None:
    log.error("DynamoDB cannot hold this; left out", table=table, error=repr(error)[:500])
