"""Closed sessions into their topic, each once: what a kill left in doubt is looked up in the topic itself."""

from __future__ import annotations

import json
from typing import Any

from confluent_kafka import KafkaException, Producer

from headrace.contracts.model import Contract
from headrace.sessions.layout import message
from headrace.sessions.ledger import Closed, Ledger
from headrace.settings import Settings
from headrace.streams.deadletters.reading import records
from headrace.streams.topics import producer_config

_SECONDS = 10


class Topic:
    def __init__(self, settings: Settings, contract: Contract, ledger: Ledger) -> None:
        self._settings, self._contract, self._ledger = settings, contract, ledger
        self._producer: Any = Producer(producer_config(settings) | {"client.id": "headrace-sessions"})
        self._sure = False
        """Whether all that was sent is marked; after a start nobody knows."""

    def send(self) -> int:
        """Sends what is not told yet; how many that were."""
        untold = self._ledger.untold()
        if not untold:
            self._sure = True
            return 0
        there = set() if self._sure else self._there(untold)
        self._sure = False
        missing = [closed for closed in untold if closed.session.id not in there]
        for closed in missing:
            self._produce(closed)
        if self._producer.flush(_SECONDS):
            # What still waits here must not leave behind our back.
            self._producer.purge()
            raise TimeoutError(f"closed sessions were not acknowledged within {_SECONDS} s")
        self._ledger.told(untold)
        self._sure = True
        return len(missing)

    def _produce(self, closed: Closed) -> None:
        session = closed.session
        headers = [
            ("correlation_id", session.id.encode()),
            ("contract_version", self._contract.version.encode()),
            ("producer", b"sessions"),
        ]
        value = message(session, closed.closed_at)
        self._producer.produce(
            self._contract.topic, value, key=session.user_id, headers=headers, on_delivery=_delivered
        )
        self._producer.poll(0)

    def _there(self, untold: list[Closed]) -> set[str]:
        """A session is told after it was closed, so what is in doubt lies behind the oldest of them."""
        found = records(self._settings, self._contract.topic, untold[0].closed_at)
        return {str(json.loads(record.value()).get("session_id")) for record in found if record.value()}


def _delivered(error: Any, _: Any) -> None:
    if error is not None:
        raise KafkaException(error)
