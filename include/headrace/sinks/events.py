"""Messages of `processed_…` for sinks: which event each is, whom it is about, and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from confluent_kafka import Message

from headrace.contracts.model import Contract
from headrace.log import get_logger

log = get_logger(__name__)


@dataclass(frozen=True)
class Event:
    contract: Contract
    identity: str
    at: datetime
    document: dict[str, Any]
    """The fields of the contract and `quality`; numbers as they were written, decimals exact."""
    text: str

    @property
    def key(self) -> str:
        """What its order is kept by: the user of an event, the id of an entity."""
        return str(self.document[self.contract.key])

    @property
    def person(self) -> str:
        """The first field that names a person, or nothing."""
        return next((str(self.document[n]) for n in self.contract.person_fields if self.document.get(n)), "")


def by_topic(contracts: Mapping[str, Contract]) -> dict[str, Contract]:
    return {contract.processed_topic: contract for contract in contracts.values()}


def events_of(messages: Iterable[Message], contracts: Mapping[str, Contract]) -> list[Event]:
    """The newest of each identity: a repeated write is the same event. What cannot be read is logged and left out."""
    found: dict[tuple[str, str], Event] = {}
    for event in _read(messages, contracts):
        place = event.contract.name, event.identity
        known = found.get(place)
        if known is None or event.at >= known.at:
            found[place] = event
    return list(found.values())


def _read(messages: Iterable[Message], contracts: Mapping[str, Contract]) -> Iterator[Event]:
    for message in messages:
        contract, value = contracts.get(message.topic()), message.value()
        if contract is None or value is None:
            continue
        try:
            text = value.decode()
            document = json.loads(text, parse_float=Decimal)
            at = datetime.fromisoformat(document[contract.event_time])
            event = Event(contract, (message.key() or b"").decode(), at, document, text)
            _ = event.key
        except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
            place = f"{message.topic()}:{message.partition()}:{message.offset()}"
            log.error("not an accepted event; left out", place=place, error=repr(error))
            continue
        yield event
