"""One dead letter: what was refused, why, where it came from, its original bytes and its original headers.

A letter is named by where the record lay, topic:partition:offset, which is also its key in the topic: a job that repeats
itself overwrites its own letters. A line of a dropped file lay in file:STREAM/NAME, and its number is the offset.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Message

from headrace.streams.topics import DEAD_LETTERS

REPLAY_OF = "headrace-replay-of"
"""The header that names the letter which a record was sent again for."""
Header = tuple[str, bytes | None]


@dataclass(frozen=True)
class DeadLetter:
    topic: str
    partition: int
    offset: int
    stream: str
    rule: str
    reason: str
    value: bytes | None
    arrived_at: datetime
    """When the broker got the original; with the name it tells two topics of the same name apart."""
    refused_at: datetime
    key: bytes | None = None
    headers: tuple[Header, ...] = ()
    correlation_id: str | None = None
    change_topic: str | None = None
    """Of a line of a file: the topic of its stream."""

    @property
    def home(self) -> str:
        """Where it is sent to again."""
        return self.change_topic or self.topic

    @property
    def name(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"

    @property
    def text(self) -> str:
        """The original as far as it is text."""
        return (self.value or b"").decode("utf-8", "backslashreplace")

    @property
    def replay_of(self) -> str | None:
        """The letter this one is a failed replay of."""
        return next((readable(value) for key, value in self.headers if key == REPLAY_OF), None)


def readable(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")


def parse(message: Message) -> DeadLetter:
    """A letter that cannot be read is shown as it is, rather than hidden."""
    raw = message.value() or b""
    written = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
    try:
        body: dict[str, Any] = json.loads(raw)
        arrived = body.get("arrived_at")
        return DeadLetter(
            topic=str(body["topic"]),
            partition=int(body["partition"]),
            offset=int(body["offset"]),
            stream=str(body.get("stream", "")),
            rule=str(body.get("rule", "")),
            reason=str(body.get("reason", "")),
            value=_decoded(body.get("value")),
            arrived_at=datetime.fromisoformat(arrived) if arrived else written,
            refused_at=written,
            key=_key(body),
            headers=tuple(message.headers() or ()),
            correlation_id=body.get("correlation_id"),
            change_topic=body.get("change_topic"),
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        place = DEAD_LETTERS, message.partition() or 0, message.offset() or 0
        sentence = f"This dead letter is not in the known form: {error!r}"
        return DeadLetter(*place, "", "unreadable", sentence, raw, written, written, message.key())


def _decoded(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def _key(body: dict[str, Any]) -> bytes | None:
    """Its bytes; letters from before they were kept have it as text only."""
    if body.get("key_bytes") is not None:
        return base64.b64decode(body["key_bytes"])
    return None if body.get("key") is None else str(body["key"]).encode()
