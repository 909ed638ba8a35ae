"""What is kept of one event or entity in the live store, whoever found it: its fields, its version and its arrival."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from headrace.contracts.model import Contract


class Record(msgspec.Struct):
    stream: str
    id: str
    version: int
    """Microseconds since 1970 of its own time: of an entity, the larger one is its state."""
    at: datetime
    arrived_at: datetime | None
    document: dict[str, Any]
    """The fields of the contract; numbers with a fraction are text, so that they stay exact."""
    found_in: str
    """Where it was read when it was kept: topic, processed or raw."""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode


def text_of(record: Record) -> bytes:
    return _encode(record)


def record_of(text: str | bytes) -> Record:
    return _decode(text)


def version_of(at: datetime) -> int:
    moment = at.astimezone(UTC)
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond


def named_by_one_field(contract: Contract) -> str | None:
    """The field that one event, or one entity whatever its version, is found by; None where it takes several."""
    names = [name for name in contract.identity if contract.kind == "events" or name != contract.event_time]
    return names[0] if len(names) == 1 else None
