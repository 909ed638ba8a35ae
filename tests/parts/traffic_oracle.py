"""Made traffic with everything that may go wrong in it, and what must come out, worked out in plain Python."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from confluent_kafka import Producer

from headrace.contracts.model import Contract
from headrace.live.store import LiveStore
from headrace.settings import Settings
from headrace.streams.spec import Accumulator, LiveSpec
from headrace.streams.topics import producer_config

_ADDED = (
    Accumulator("transactions", "count", "*", "bigint"),
    Accumulator("amount_sum", "sum", "amount", "decimal(28,2)", "usd_rate"),
    Accumulator("amount_min", "min", "amount", "decimal(18,2)", "usd_rate"),
    Accumulator("amount_max", "max", "amount", "decimal(18,2)", "usd_rate"),
)
BASE = 1.02
BUCKET = f"CASE WHEN amount > 0 THEN CAST(CEIL(LN(amount) / LN({BASE})) AS INT) END"
SPEC = LiveSpec(
    "transactions_1m", "transactions", 60, ("merchant_id", "transaction_type", "currency", "region"), _ADDED
)
BY_USER = LiveSpec(
    "transactions_by_user", "transactions", 60, ("user_id", "transaction_type", "currency"), _ADDED, person=True
)
AMOUNTS = LiveSpec(
    "transaction_amounts", "transactions", 60, ("amount_bucket", "transaction_type", "currency"), _ADDED,
    exprs=(("amount_bucket", BUCKET),),
)  # fmt: skip
TOTAL = LiveSpec("transactions_total", "transactions", 60, (), _ADDED)
SPECS = (SPEC, BY_USER, AMOUNTS, TOTAL)
Place = tuple[bool, datetime, tuple[str | None, ...]]
Figures = tuple[int, Decimal, Decimal, Decimal]


@dataclass
class Oracle:
    """What was sent under one made-up prefix, so that a shared topic does not matter."""

    contract: Contract
    seed: int = 7
    prefix: str = field(default_factory=lambda: f"m-{uuid.uuid4().hex[:8]}")
    accepted: dict[str, tuple[bool, dict[str, Any]]] = field(default_factory=dict)
    refused: list[tuple[bytes, str]] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    """Every record as it was sent, repeats too."""
    untidy: dict[str, list[str]] = field(default_factory=dict)
    """What the gate corrects, by event id."""
    sent_as: dict[str, bytes] = field(default_factory=dict)
    """The value of each accepted event."""
    told: set[str] = field(default_factory=set)
    """Events from before a test told of the entities that they name."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def traffic(self, events: int) -> Iterator[tuple[str, bytes]]:
        """(key, value) of good, late, repeated, contradicted, untidy, refunded and bad events, mixed."""
        for _ in range(events):
            kind = self._random.random()
            event = self._event(late=kind < 0.1)
            if kind > 0.9:
                yield event["user_id"], self._spoilt(event)
                continue
            self.accepted[event["event_id"]] = (kind < 0.1, event)
            value = json.dumps(self._untidy(event) if 0.3 <= kind < 0.4 else event).encode()
            self.sent_as[event["event_id"]] = value
            for _ in range(3 if 0.1 <= kind < 0.2 else 1):
                yield event["user_id"], value
            if 0.2 <= kind < 0.3:
                yield event["user_id"], self._contradicted(event)

    def _event(self, *, late: bool) -> dict[str, Any]:
        age = timedelta(minutes=12) if late else timedelta(seconds=self._random.uniform(0, 100))
        moment = datetime.now(UTC) - age
        kind = self._random.choice(["purchase", "purchase", "refund"])
        return {
            "event_id": f"evt-{self._random.getrandbits(64):016x}",
            "event_time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "user_id": f"u{self._random.randrange(40)}",
            "merchant_id": f"{self.prefix}-{self._random.randrange(4)}",
            "transaction_type": kind,
            "amount": self._amount(),
            "currency": "EUR",
            "region": "europe",
        }

    def _amount(self) -> float:
        """Nothing at all, a bound of a bucket, or anything up to a thousand."""
        return self._random.choice([0, 1.0, 1.02, *(self._random.randrange(1, 100_000) / 100 for _ in range(7))])

    def _untidy(self, event: dict[str, Any]) -> dict[str, Any]:
        self.untidy[event["event_id"]] = ["event_id:spaces", "amount:number as text", "currency:currency symbol"]
        return event | {"event_id": f" {event['event_id']}", "amount": str(event["amount"]), "currency": "€"}

    def _contradicted(self, event: dict[str, Any]) -> bytes:
        """The same event once more, with another amount or another time: the first one counts."""
        moment = datetime.fromisoformat(event["event_time"].replace("Z", "+00:00")) - timedelta(seconds=70)
        time = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        value = json.dumps(
            event | self._random.choice([{"amount": round(event["amount"] + 1, 2)}, {"event_time": time}])
        ).encode()
        self.refused.append((value, "conflict"))
        return value

    def _spoilt(self, event: dict[str, Any]) -> bytes:
        change, rule = self._random.choice(
            [
                ({"amount": -1}, "range:amount"),
                ({"amount": 1.234}, "places:amount"),
                ({"currency": "XXX"}, "enum:currency"),
                ({"event_time": "2999-01-01T00:00:00Z"}, "future:event_time"),
                ({"user_id": None}, "required:user_id"),
            ]
        )
        value = json.dumps(event | change).encode()
        if self._random.random() < 0.2:
            value, rule = value[:-5], "json"
        self.refused.append((value, rule))
        return value

    def send(self, settings: Settings, events: int) -> None:
        producer = Producer(producer_config(settings))
        for key, value in self.traffic(events):
            producer.produce(self.contract.topic, value, key=key, headers={"correlation_id": f"c-{len(self.values)}"})
            producer.poll(0)
            self.values.append(value)
        assert producer.flush(30) == 0

    def windows(self, spec: LiveSpec = SPEC) -> dict[Place, Figures]:
        """Every live row that must be there, once each event."""
        amounts: dict[Place, list[Decimal]] = {}
        for late, event in self.accepted.values():
            moment = datetime.fromisoformat(event["event_time"].replace("Z", "+00:00"))
            amount = Decimal(str(event["amount"])).quantize(Decimal("0.01"))
            computed = {"amount_bucket": str(bucket(amount)) if amount else None}
            keys = tuple(computed.get(key, event.get(key)) for key in spec.keys)
            amounts.setdefault((late, moment.replace(second=0, microsecond=0), keys), []).append(amount)
        return {place: figures(found) for place, found in amounts.items()}

    def live(self, store: LiveStore, spec: LiveSpec = SPEC) -> dict[Place, Figures]:
        """The same from the live store, which holds nobody else's events."""
        end = datetime.now(UTC) + timedelta(minutes=2)
        return {
            (late, row.window_start, tuple(row.keys[key] for key in spec.keys)): read_figures(row.n, row.values)
            for late in (False, True)
            for row in store.windows(spec.name, end - timedelta(hours=1), end, late=late)
        }


def bucket(amount: Decimal) -> int:
    """The first power of the base that is not smaller, found by multiplying: no logarithm is trusted here."""
    power, number = Decimal(1), 0
    base = Decimal(str(BASE))
    while power < amount:
        power, number = power * base, number + 1
    while power / base >= amount:
        power, number = power / base, number - 1
    return number


def figures(amounts: list[Decimal]) -> Figures:
    return len(amounts), sum(amounts, Decimal(0)), min(amounts), max(amounts)


def read_figures(n: int, values: dict[str, Any]) -> Figures:
    assert values["transactions"] == n
    return n, values["amount_sum"], values["amount_min"], values["amount_max"]
