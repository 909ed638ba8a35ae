"""Events that are plainly right, judged by the contract's codec: in some microseconds, where the gate's SQL takes hundreds.

Plainly right is what ingest itself would write of an event: a value that decodes without complaint and encodes to the
same bytes again. Everything else is the gate's to judge, so only the gate refuses and corrects.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from headrace.contracts.correct import UNREADABLE
from headrace.contracts.model import Contract
from headrace.contracts.structs import DecimalRule, EventCodec, RefusedEvent, decimal_rule, in_places
from headrace.streams.dialect import PLAIN_BYTES

NOTHING = "nothing"
_json: Callable[[Any], bytes] = msgspec.json.Encoder(decimal_format="number").encode


class Told(NamedTuple):
    """What the gate tells of an accepted event that it did not correct, spelt as Spark spells it."""

    stream: str
    processed_topic: str
    contract_version: str
    memory: str | None
    identity: str
    says: str
    entity_key: str | None
    named: list[str | None]
    event: str
    late: bool


class Plain:
    """Judges values of one contract."""

    def __init__(self, contract: Contract, *, future: timedelta, lateness: timedelta) -> None:
        self._contract, self._lateness = contract, lateness
        self._codec = EventCodec(contract, future=future)
        self._decimals = {field.name: rule for field in contract.fields if (rule := decimal_rule(field))}
        self._moments = [field.name for field in contract.fields if field.type == "timestamp"]
        self._always = (contract.name, contract.processed_topic, contract.version, memory_of(contract))
        self._names = [field.name for field in contract.fields]
        # Spark's spelling of such a number is Java's.
        self._possible = not any(field.type == "double" for field in contract.fields)

    def told(self, value: bytes | None, arrived_at: datetime) -> Told | None:
        """None where the gate has to judge."""
        if not self._possible or value is None or len(value) > PLAIN_BYTES:
            return None
        try:
            event = self._codec.decode(value, arrived_at)
            if self._codec.encode(event) != value or self._codec.untidy(value, (value,)):
                return None
        except (*UNREADABLE, RefusedEvent):
            return None
        fields = {name: getattr(event, name) for name in self._names}
        for name, rule in self._decimals.items():
            if fields[name] is not None:
                fields[name] = _in_all_places(fields[name], rule)
        return self._of(fields, arrived_at)

    def _of(self, fields: dict[str, Any], arrived_at: datetime) -> Told:
        contract = self._contract
        identity = "\x1f".join(text for name in contract.identity if (text := _text(fields[name])) is not None)
        says = ", ".join(f"{name} {_text(fields[name]) or NOTHING}" for name in contract.version_fields)
        named = [_text(fields[name]) for name in contract.references]
        key = _text(fields[contract.key]) if contract.kind == "entity" else None
        late = arrived_at > fields[contract.event_time] + self._lateness
        for name in self._moments:
            if fields[name] is not None:
                fields[name] = _moment(fields[name])
        return Told(*self._always, identity, says, key, named, _json(fields).decode(), late)


def memory_of(contract: Contract) -> str | None:
    """Versions are compared under one set of fields and types: a changed contract begins anew."""
    told = ", ".join(f"{name} {contract.field(name).type}" for name in contract.version_fields)
    return f"{contract.name}: {told}" if told else None


def _in_all_places(value: Decimal | msgspec.Raw, rule: DecimalRule) -> Decimal:
    number = value if isinstance(value, Decimal) else Decimal(bytes(value).decode())
    # No database knows a zero below zero.
    return in_places(number if number else abs(number), rule.scale)


def _moment(value: datetime) -> str:
    """The codec has brought it to UTC."""
    return value.isoformat(timespec="microseconds")[:-6] + "Z"


def _text(value: Any) -> str | None:
    """As Spark casts it to a string."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        whole = value.replace(tzinfo=None).isoformat(" ")
        return whole.rstrip("0") if value.microsecond else whole
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
