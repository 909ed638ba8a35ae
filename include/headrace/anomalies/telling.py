"""Tells incidents onwards: one alert each in the topic, the recent ones in the live store."""

from __future__ import annotations

import json
from typing import Any

import redis
from confluent_kafka import KafkaException, Producer

from headrace.anomalies.incidents import Incident
from headrace.anomalies.layout import LIVE_KEY
from headrace.anomalies.ledger import Ledger, document
from headrace.anomalies.tail import whole
from headrace.settings import Settings
from headrace.streams.topics import ALERTS, producer_config

_SECONDS = 10


class Alerts:
    """Whether an alert left is known from the topic itself whenever this process cannot know: after a start or an error."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self._settings, self._ledger = settings, ledger
        self._producer: Any = Producer(producer_config(settings))
        self._sure = False

    def send(self) -> list[str]:
        """Sends what is not told yet; the ids."""
        untold = self._ledger.untold()
        if not untold:
            self._sure = True
            return []
        there = set() if self._sure else self._there()
        self._sure = False
        for incident in untold:
            if incident.id not in there:
                self._producer.produce(ALERTS, document(incident), key=incident.id, on_delivery=_delivered)
        if self._producer.flush(_SECONDS):
            # What still waits here must not leave behind our back.
            self._producer.purge()
            raise TimeoutError(f"alerts were not acknowledged within {_SECONDS} s")
        ids = [incident.id for incident in untold]
        self._ledger.told(ids)
        self._sure = True
        return ids

    def _there(self) -> set[str]:
        return {str(json.loads(value).get("id")) for value in whole(self._settings, ALERTS)}


def _delivered(error: Any, _: Any) -> None:
    if error is not None:
        raise KafkaException(error)


def show(client: redis.Redis, incidents: list[Incident]) -> None:
    """Replaces what the live store shows, in one step."""
    pipeline = client.pipeline(transaction=True)
    pipeline.delete(LIVE_KEY)
    if incidents:
        pipeline.hset(LIVE_KEY, mapping={incident.id: document(incident) for incident in incidents})
    pipeline.execute()
