"""The anomalies that the benchmark plants: what each does to the events of a step."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from headrace.anomalies.findings import Key
from headrace.anomalies.measures import AVERAGE, PURCHASES, REFUNDS, USER_TRANSACTIONS
from headrace.sources.season import intensity

SHAPES = ("rise", "drop", "drift", "unit_change", "refund_wave", "user_burst")
_MEASURE = {"unit_change": AVERAGE.name, "refund_wave": REFUNDS.name, "user_burst": USER_TRANSACTIONS}
_MINUTES = {"rise": 15, "drop": 20, "drift": 90, "unit_change": 15, "refund_wave": 15, "user_burst": 6}
_SIZES = {"rise": (4, 10), "drop": (0, 0), "drift": (2.5, 4), "unit_change": (100, 100), "refund_wave": (0.4, 1.2), "user_burst": (15, 60)}  # fmt: skip
_APART = 3 * 3600.0
Events = tuple[Any, Any, Any]


@dataclass(frozen=True)
class Plant:
    shape: str
    subject: str
    start: float
    end: float
    size: float
    """A multiple of the usual; of a refund wave its share of purchases; of a user burst events a minute."""
    share: float
    """Of all events, the subject's purchases."""
    per_minute: float
    """Purchases of the subject when it begins."""

    @property
    def key(self) -> Key:
        return self.subject, _MEASURE.get(self.shape, PURCHASES.name)

    def change(self, rng: np.random.Generator, pool: Any, at: float, level: float, events: Events) -> Events:
        """The events of a step with this in them; `level` is how many events the whole marketplace expects in it."""
        cell, user, amount = events
        if self.shape == "user_burst":
            extra = rng.integers(0, len(pool.cell), rng.poisson(self.size * 5 / 60))
            person = np.full(len(extra), pool.users.index(self.subject))
            return _joined(events, (pool.cell[extra], person, pool.amount[extra]))
        kind = "refund" if self.shape == "refund_wave" else "purchase"
        mine = [n for n, c in enumerate(pool.cells) if (c.merchant, c.transaction_type) == (self.subject, kind)]
        here = np.isin(cell, mine)
        if self.shape == "drop":
            return cell[~here], user[~here], amount[~here]
        if self.shape == "unit_change":
            return cell, user, np.where(here, amount * self.size, amount)
        grown = (self.size - 1) * (at - self.start) / (self.end - self.start)
        more = {"rise": self.size - 1, "drift": grown, "refund_wave": self.size}[self.shape]
        source = np.nonzero(np.isin(pool.cell, mine))[0]
        extra = rng.choice(source, rng.poisson(level * self.share * more))
        return _joined(events, (pool.cell[extra], pool.user[extra], pool.amount[extra]))


def _joined(events: Events, extra: Events) -> Events:
    one, two, three = (np.concatenate(pair) for pair in zip(events, extra, strict=True))
    return one, two, three


def plants(
    pool: Any, seed: int, shapes: tuple[str, ...], each: int, begin: float, hours: float, rate: float
) -> list[Plant]:
    """Any merchant that has refunds, any person; the same subject again only hours later."""
    rng = random.Random(seed)
    merchants = sorted({c.merchant for c in pool.cells if c.transaction_type == "refund"})
    found: list[Plant] = []
    for shape in shapes:
        while sum(plant.shape == shape for plant in found) < each:
            subject = rng.choice(pool.users if shape == "user_burst" else merchants)
            start = begin + rng.uniform(600, hours * 3600 - _MINUTES[shape] * 60 - 600)
            if all(plant.subject != subject or abs(plant.start - start) > _APART for plant in found):
                share = 0.0 if shape == "user_burst" else pool.share(subject)
                size = rng.uniform(*_SIZES[shape])
                usual = share * rate * 60 * intensity(datetime.fromtimestamp(start, UTC))
                found.append(Plant(shape, subject, start, start + _MINUTES[shape] * 60, size, share, usual))
    return found
