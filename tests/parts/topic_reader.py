"""Everything in topics, read to their end by a consumer of no group's."""

from __future__ import annotations

import json
from typing import Any

from confluent_kafka import Message

from headrace.settings import Settings
from headrace.streams.deadletters import reading


def records(settings: Settings, *topics: str) -> list[Message]:
    """Everything in the topics."""
    return [message for topic in topics for message in reading.records(settings, topic)]


def documents(settings: Settings, topic: str) -> dict[str, dict[str, Any]]:
    """As readers of a compacted topic see it: the newest document of each key."""
    return {message.key().decode(): json.loads(message.value()) for message in records(settings, topic)}
