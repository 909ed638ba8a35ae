"""Rows of the raw zone made by hand, as the lake job lands them, for tests that need the lake and no Spark."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from headrace.contracts.model import Contract

_OFFSETS = count(int(datetime.now(UTC).timestamp()) * 1000)


@dataclass(frozen=True)
class Landed:
    """A record with how it came; by default it arrived a second after its own time and landed at once."""

    event: dict[str, Any] | bytes | None
    """None is a record without a value, which says that the entity of its key was deleted."""
    arrived_at: datetime
    landed_at: datetime
    origin: str = "stream"
    partition: int = 0
    offset: int = field(default_factory=lambda: next(_OFFSETS))
    key: str | None = None
    """Only where the event does not say it."""

    @property
    def value(self) -> bytes | None:
        return self.event if isinstance(self.event, bytes | None) else json.dumps(self.event).encode()


def create(cursor: Any, contracts: dict[str, Contract]) -> None:
    """The raw tables of every contract, as the lake job makes them at its start."""
    _run(cursor, "create schema if not exists lake.raw")
    for contract in contracts.values():
        persons = "".join(f", {name} varchar" for name in contract.person_fields)
        _run(
            cursor,
            f'create table if not exists lake.raw.{contract.name} (topic varchar, partition integer, "offset" bigint, '
            "key varchar, value varbinary, headers map(varchar, varchar), arrived_at timestamp(6) with time zone, "
            "landed_at timestamp(6) with time zone, correlation_id varchar, contract_version varchar, origin varchar"
            f"{persons}) with (partitioning = ARRAY['day(arrived_at)'])",
        )


def land(cursor: Any, contract: Contract, records: list[Landed]) -> None:
    """Appends the records, a few hundred a statement."""
    columns = 'topic, partition, "offset", key, value, headers, arrived_at, landed_at, correlation_id, contract_version, origin'
    names = ", ".join([columns, *contract.person_fields])
    for start in range(0, len(records), 200):
        rows = ", ".join(_row(contract, record) for record in records[start : start + 200])
        _run(cursor, f"insert into lake.raw.{contract.name} ({names}) values {rows}")


def event(seed: int, at: datetime, **changes: Any) -> dict[str, Any]:
    """A valid transaction; the same seed gives the same event."""
    currency = ("USD", "EUR", "JPY")[seed % 3]
    region = {"USD": "north_america", "EUR": "europe", "JPY": "asia"}[currency]
    made = {
        "event_id": f"hand-{seed:08d}",
        "event_time": at.isoformat(),
        "user_id": f"user-{seed % 7}",
        "merchant_id": f"merchant-{seed % 4}",
        "transaction_type": ("purchase", "purchase", "refund", "fee", "payout")[seed % 5],
        "amount": (seed * 137 % 99_999) / 100,
        "currency": currency,
        "region": region,
    }
    return made | changes


def landed(event: dict[str, Any], delay: timedelta = timedelta(seconds=1), **how: Any) -> Landed:
    arrived = datetime.fromisoformat(event["event_time"]) + delay
    return Landed(event, how.pop("arrived_at", arrived), how.pop("landed_at", arrived), **how)


def _row(contract: Contract, record: Landed) -> str:
    event = record.event if isinstance(record.event, dict) else {}
    persons = [_text(event.get(name)) for name in contract.person_fields]
    topic = contract.topic if record.origin == "stream" else f"file:{contract.name}/hand.jsonl"
    values = [
        _text(topic), str(record.partition), str(record.offset), _text(record.key or event.get(contract.key)),
        "null" if record.value is None else f"X'{record.value.hex()}'", "map()", _moment(record.arrived_at), _moment(record.landed_at),
        _text("by-hand"), _text(contract.version), _text(record.origin), *persons,
    ]  # fmt: skip
    return f"({', '.join(values)})"


def _text(value: Any) -> str:
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"


def _moment(value: datetime) -> str:
    return f"timestamp '{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC'"


def _run(cursor: Any, sql: str) -> list[Any]:
    cursor.execute(sql)
    return cursor.fetchall()  # type: ignore[no-any-return]
