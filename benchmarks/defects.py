"""The defects that the benchmark of quality plants, and the traffic that they are planted in."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from headrace.anomalies.incidents import Incident
from headrace.contracts.model import Contract, load_contracts
from headrace.quality.profile import Record
from headrace.settings import REPO
from headrace.sources.season import intensity
from headrace.sources.simulate import STREAMS
from headrace.sources.traffic import Happening, Traffic
from headrace.sources.trickle import Trickle
from headrace.sources.world import build

DEFECTS = ("late", "duplicate", "drift", "null_spike", "volume_drop", "unit_change")
PILLARS: dict[str, tuple[str, ...]] = {
    "late": ("freshness",), "duplicate": ("volume",), "drift": ("schema", "distribution"), "null_spike": ("distribution",),
    "volume_drop": ("volume", "freshness"), "unit_change": ("distribution",),
}  # fmt: skip
_MONEY = ("transactions", "orders", "payouts")
_WHOLE = ("transactions", "orders", "app_events", "payouts", "application_logs")
_MINUTES = (20, 60)
_APART = 2 * 3600.0
_GRACE = 600.0
_AFTER = 3600.0
"""How long what follows a defect (the way back is a change too) still belongs to it."""
_MOMENT = datetime(2026, 3, 3, tzinfo=UTC)
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True)
class Defect:
    kind: str
    stream: str
    topic: str
    start: float
    end: float
    share: float
    """Of the stream's events that are wrong."""
    field: str = ""
    form: str = ""

    def __str__(self) -> str:
        what = " ".join(word for word in (self.form, self.field) if word)
        return f"{self.kind} of {self.share:.0%} in {self.stream} for {(self.end - self.start) / 60:.0f} minutes {what}".strip()

    def shown_by(self, incident: Incident) -> bool:
        in_time = (
            self.start <= incident.window_start + incident.window_minutes * 60
            and incident.opened_at <= self.end + _GRACE
        )
        return incident.subject == self.topic and incident.measure.split()[0] in PILLARS[self.kind] and in_time

    def explains(self, incident: Incident) -> bool:
        return incident.subject == self.topic and self.start <= incident.opened_at <= self.end + _AFTER

    def spoil(  # noqa: PLR0911 - one return a kind
        self, rng: random.Random, event: dict[str, Any], contract: Contract
    ) -> list[dict[str, Any]]:
        if rng.random() >= self.share:
            return [event]
        match self.kind:
            case "volume_drop":
                return []
            case "duplicate":
                return [event, event]
            case "late":
                past = event[contract.event_time] - timedelta(minutes=rng.uniform(8, 60))
                return [{**event, contract.event_time: past}]
            case "null_spike":
                return [{**event, self.field: None}]
            case "unit_change":
                return [{**event, "amount": float(event["amount"]) * (100 if self.form == "times 100" else 0.01)}]
            case _:
                return [self._drifted(event)]

    def _drifted(self, event: dict[str, Any]) -> dict[str, Any]:
        changed = dict(event)
        match self.form:
            case "renamed":
                changed[f"{self.field}_v2"] = changed.pop(self.field, None)
            case "as a list":
                changed[self.field] = [changed.get(self.field)]
            case _:
                changed["channel"] = "partner"
        return changed


class Marketplace:
    """One seed's events, stream by stream, as records that arrive within a second."""

    def __init__(self, seed: int, rate: float) -> None:
        self.rng, self.rate = random.Random(seed), rate
        self.counting = np.random.default_rng(seed)
        self.contracts = load_contracts(REPO / "include" / "contracts")
        self.begin = (_MOMENT + timedelta(days=seed % 7)).timestamp()
        self.traffic = Traffic(
            build(seed, _MOMENT, 90), self.rng, lambda p: f"{p}-{uuid.UUID(int=self.rng.getrandbits(128)).hex}"
        )
        self.trickle = Trickle(self.traffic)

    def stretch(self, start: int, seconds: int, planted: list[Defect]) -> Iterator[tuple[Contract, list[Record]]]:
        """Every stream's records of these seconds, defects included."""
        level = self.rate * intensity(datetime.fromtimestamp(start, UTC)) * seconds
        made: dict[str, list[tuple[float, dict[str, Any]]]] = {name: [] for name in _WHOLE}
        for stream, weight in STREAMS.items():
            for _ in range(self.counting.poisson(level * weight / sum(STREAMS.values()))):
                at = start + self.rng.random() * seconds
                for happening in self._make(stream, datetime.fromtimestamp(at, UTC)):
                    made[happening.stream].append((at, happening.event))
        for name, events in made.items():
            yield self.contracts[name], list(self._arriving(name, sorted(events, key=lambda e: e[0]), planted))

    def _make(self, stream: str, at: datetime) -> Iterator[Happening]:
        makers: dict[str, Any] = {
            "transactions": self.traffic.transaction, "orders": self.traffic.order, "app_events": self.traffic.app_event,
            "application_logs": self.trickle.log_line, "payouts": self.trickle.payout,
        }  # fmt: skip
        made = makers[stream](at)
        return iter([made]) if isinstance(made, Happening) else made

    def _arriving(
        self, stream: str, events: list[tuple[float, dict[str, Any]]], planted: list[Defect]
    ) -> Iterator[Record]:
        for at, event in events:
            spoilt = [event]
            for defect in planted:
                if defect.stream == stream and defect.start <= at < defect.end:
                    spoilt = [one for known in spoilt for one in defect.spoil(self.rng, known, self.contracts[stream])]
            for one in spoilt:
                yield Record(_encode(one), at + self.rng.expovariate(20))


def defects(
    place: Marketplace, seed: int, kinds: tuple[str, ...], each: int, begin: float, hours: float
) -> list[Defect]:
    """Any stream of some size, any field it has; the same stream again only hours later, or not at all that day."""
    rng, found = random.Random(seed * 7 + 1), []
    tries: Counter[str] = Counter()
    for number in range(each * len(kinds)):
        kind = kinds[number % len(kinds)]
        while tries[kind] < 400:
            tries[kind] += 1
            made = _one(rng, place, kind, begin, hours)
            if all(d.stream != made.stream or abs(d.start - made.start) > _APART for d in found):
                found.append(made)
                break
    return found


def _one(rng: random.Random, place: Marketplace, kind: str, begin: float, hours: float) -> Defect:
    stream = rng.choice(_MONEY if kind == "unit_change" else _WHOLE)
    contract = place.contracts[stream]
    length = rng.uniform(*_MINUTES) * 60
    start = begin + rng.uniform(0, hours * 3600 - length)
    share = {"volume_drop": (0.6, 1.0), "unit_change": (0.4, 1.0), "drift": (0.3, 1.0)}.get(kind, (0.15, 0.7))
    fields = [f.name for f in contract.fields if f.required and f.name not in (*contract.identity, contract.event_time)]
    form = {"drift": ("renamed", "as a list", "a new field"), "unit_change": ("times 100", "a hundredth")}.get(
        kind, ("",)
    )
    chosen = rng.choice(form)
    field = rng.choice(fields) if kind == "null_spike" or chosen in ("renamed", "as a list") else ""
    return Defect(kind, stream, contract.topic, start, start + length, rng.uniform(*share), field, chosen)
