"""Puts records on their change topic again, with their headers as they were and the letter they are sent for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from headrace.settings import Settings
from headrace.streams.deadletters.letter import REPLAY_OF, DeadLetter, Header
from headrace.streams.topics import producer_config

ACK_SECONDS = 30.0


@dataclass(frozen=True)
class Again:
    """A letter and what is sent for it: the original, or what a person made of it."""

    letter: DeadLetter
    key: bytes | None
    value: bytes | None

    @classmethod
    def as_it_was(cls, letter: DeadLetter) -> Again:
        return cls(letter, letter.key, letter.value)

    @property
    def headers(self) -> list[Header]:
        kept = [(name, value) for name, value in self.letter.headers if name != REPLAY_OF]
        return [*kept, (REPLAY_OF, self.letter.name.encode())]


@dataclass
class Delivery:
    sent_to: dict[str, str] = field(default_factory=dict)
    """Letter -> topic:partition:offset of the record that was sent for it."""
    refused: dict[str, str] = field(default_factory=dict)
    """Letter -> why Kafka will never take it."""
    unsure: str | None = None
    """Why at least one record was not acknowledged: it may be in the topic or not."""


class Sender:
    def __init__(self, settings: Settings) -> None:
        limit = {"delivery.timeout.ms": int(ACK_SECONDS * 1000), "client.id": "headrace-replay"}
        self._producer = Producer({**producer_config(settings), **limit})

    def send(self, batch: Iterable[Again]) -> Delivery:
        """Returns when each is acknowledged, refused or given up."""
        done = Delivery()
        for again in batch:
            letter = again.letter
            try:
                self._producer.produce(
                    letter.home,
                    again.value,
                    again.key,
                    headers=again.headers,
                    on_delivery=lambda error, message, name=letter.name: _note(done, name, error, message),
                )
            except KafkaException as error:
                _note(done, letter.name, error.args[0], None)
        if self._producer.flush(ACK_SECONDS + 5):
            done.unsure = f"Kafka did not acknowledge within {ACK_SECONDS:g} s"
        return done


def _note(done: Delivery, name: str, error: KafkaError | None, message: Message | Any) -> None:
    if error is None:
        done.sent_to[name] = f"{message.topic()}:{message.partition()}:{message.offset()}"
    elif error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        done.refused[name] = error.str()
    else:
        done.unsure = error.str()
