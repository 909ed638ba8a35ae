"""Events and entities by id: from the live store where they are kept, else from the lake, and kept then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import redis

from headrace.contracts.model import Contract
from headrace.live.kept import REFERENCE_SECONDS, WRITE_NEWEST, event_key, reference_key
from headrace.live.records import Record, record_of, text_of
from headrace.log import get_logger

_LOG = get_logger(__name__)


class Lake(Protocol):
    def find(self, contract: Contract, key: str) -> Record | None: ...


@dataclass(frozen=True)
class Found:
    record: Record
    source: str
    """live, or the zone of the lake that it was read from now."""


class Records:
    """A live store that is down is passed over: it only saves time here."""

    def __init__(self, client: redis.Redis, lake: Lake, *, event_seconds: int) -> None:
        self._client, self._lake, self._seconds = client, lake, event_seconds
        self._newest = client.register_script(WRITE_NEWEST)

    def event(self, contracts: Iterable[Contract], event_id: str) -> Found | None:
        """The first of these streams that has an event of this id."""
        asked = list(contracts)
        held = self._held_event(event_id)
        for contract in asked:
            if contract.name in held:
                return Found(record_of(held[contract.name]), "live")
        for contract in asked:
            if record := self._lake.find(contract, event_id):
                self._keep_event(record)
                return Found(record, record.found_in)
        return None

    def entity(self, contract: Contract, key: str) -> Found | None:
        if held := self._held_entity(contract.name, key):
            return Found(record_of(held), "live")
        record = self._lake.find(contract, key)
        if record is None:
            return None
        self._keep_entity(record)
        return Found(record, record.found_in)

    def _held_event(self, event_id: str) -> dict[str, str]:
        try:
            found: Any = self._client.hgetall(event_key(event_id))
        except redis.RedisError as error:
            _LOG.warning("live_store_passed_over", reason=str(error))
            return {}
        return dict(found)

    def _held_entity(self, entity: str, key: str) -> Any:
        try:
            return self._client.get(reference_key(entity, key))
        except redis.RedisError as error:
            _LOG.warning("live_store_passed_over", reason=str(error))
            return None

    def _keep_event(self, record: Record) -> None:
        key = event_key(record.id)
        try:
            with self._client.pipeline() as pipeline:
                pipeline.hset(key, record.stream, text_of(record).decode())
                pipeline.expire(key, self._seconds)
                pipeline.execute()
        except redis.RedisError as error:
            _LOG.warning("not_kept_in_live_store", reason=str(error))

    def _keep_entity(self, record: Record) -> None:
        try:
            key = reference_key(record.stream, record.id)
            self._newest(keys=[key], args=[record.version, text_of(record), REFERENCE_SECONDS])
        except redis.RedisError as error:
            _LOG.warning("not_kept_in_live_store", reason=str(error))
