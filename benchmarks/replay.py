"""A simulated marketplace in arrays: events of the project's own model, weeks for baselines, days to judge."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import numpy as np

from benchmarks.planted import Plant
from headrace.anomalies.baseline import LEAST_EVENTS, Learned, Usual, trimmed_log
from headrace.anomalies.detector import Detector
from headrace.anomalies.incidents import Incident, Incidents
from headrace.anomalies.measures import AVERAGE, EVERYTHING, PURCHASES, REFUNDS, Measure, Tuning
from headrace.anomalies.ring import Cell
from headrace.anomalies.users import Users
from headrace.sources.season import intensity
from headrace.sources.traffic import Traffic
from headrace.sources.world import World, build

STEP = 5
WEEKS = 4
_POOL = 120_000
_WARM_HOURS = 1.0
"""Before the first look that counts, as after a start with an empty ring."""
_MOMENT = datetime(2026, 3, 3, tzinfo=UTC)


@dataclass
class Pool:
    """Transactions that `Traffic` made, column by column."""

    world: World
    cells: list[Cell]
    users: list[str]
    cell: Any
    user: Any
    amount: Any

    def share(self, merchant: str, transaction_type: str = "purchase") -> float:
        """Of all transactions."""
        mine = [
            n
            for n, cell in enumerate(self.cells)
            if (cell.merchant, cell.transaction_type) == (merchant, transaction_type)
        ]
        return float(np.isin(self.cell, mine).mean())


def pool(seed: int) -> Pool:
    world = build(seed, _MOMENT, 90)
    ids, rng = count(), random.Random(seed)
    traffic = Traffic(world, rng, lambda prefix: f"{prefix}-{next(ids)}")
    cells: dict[Cell, int] = {}
    users: dict[str, int] = {}
    rows = []
    while len(rows) < _POOL:
        for happening in traffic.transaction(_MOMENT):
            event = happening.event
            if happening.stream == "transactions":
                cell = Cell(event["merchant_id"], event["transaction_type"], event["currency"], event["region"])
                place = cells.setdefault(cell, len(cells)), users.setdefault(event["user_id"], len(users))
                rows.append((*place, float(event["amount"])))
    columns = np.array(rows)
    return Pool(world, list(cells), list(users), columns[:, 0].astype(int), columns[:, 1].astype(int), columns[:, 2])


class Replay:
    """One seed's marketplace with its baselines learnt, ready for a day."""

    def __init__(self, seed: int, rate: float, tuning: Tuning) -> None:
        self.pool, self.rate = pool(seed), rate
        self.rng = np.random.default_rng(seed)
        self.begin = (_MOMENT + timedelta(days=seed % 7)).timestamp()
        self.detector, self.users, self.incidents = Detector(tuning), Users(tuning), Incidents(tuning)
        self.rows = np.array([self.detector.ring.row(cell) for cell in self.pool.cells])
        self.people = np.array([self.users.row(user) for user in self.pool.users])
        for measure in (PURCHASES, REFUNDS):
            self.detector.learn(measure.name, Learned.gather("count", self._usual(measure)))
        self.detector.learn(AVERAGE.name, Learned.gather("mean", self._usual_means()))

    def run(self, planted: list[Plant], hours: float) -> list[Incident]:
        """What was told in that many hours; the hour before fills the ring."""
        found: list[Incident] = []
        steps = int(hours * 3600 / STEP)
        for step in range(-int(_WARM_HOURS * 3600 / STEP), steps):
            at = self.begin + step * STEP
            self._pass(at, [plant for plant in planted if plant.start <= at < plant.end])
            if step > 0:
                for look in (self.detector, self.users):
                    seen = look.judge(at + STEP, self.incidents.open)
                    found += [i for i in self.incidents.step(seen) if i.state == "open" and i.opened_at == seen.at]
        return found

    def _pass(self, at: float, active: list[Plant]) -> None:
        """The events of one step."""
        level = intensity(datetime.fromtimestamp(at, UTC)) * self.rate * STEP
        drawn = self.rng.integers(0, len(self.pool.cell), self.rng.poisson(level))
        cell, user, amount = self.pool.cell[drawn], self.pool.user[drawn], self.pool.amount[drawn]
        for plant in active:
            cell, user, amount = plant.change(self.rng, self.pool, at, level, (cell, user, amount))
        minute, size = int(at // 60), len(self.pool.cells)
        n = np.bincount(cell, minlength=size)
        some = np.nonzero(n)[0]
        total, largest = np.bincount(cell, amount, minlength=size), np.zeros(size)
        np.maximum.at(largest, cell, amount)
        last = at + STEP * self.rng.random(size) ** (1 / np.maximum(n, 1))
        self.detector.ring.watch(minute)
        self.detector.ring.add(self.rows[some], minute, n[some], total[some], largest[some], last[some])
        self.users.add(self.people[user], minute)

    def _usual(self, measure: Measure) -> Iterator[Usual]:
        """What the lake would say after four weeks, some merchants' bad hours among them."""
        of_type = [c.merchant if c.transaction_type == measure.transaction_type else "" for c in self.pool.cells]
        names = sorted(set(of_type) - {""})
        by_cell = np.bincount(self.pool.cell, minlength=len(self.pool.cells)) / len(self.pool.cell)
        shares = np.array([sum(by_cell[n] for n, m in enumerate(of_type) if m == name) for name in names])
        for hour in (datetime.fromtimestamp(self.begin + 3600 * n, UTC) for n in range(24)):
            minutes = [hour + timedelta(minutes=5 * n + 2.5) for n in range(12)] * WEEKS
            levels = np.array([intensity(m) for m in minutes]) * self.rate * 300
            n = self.rng.poisson(levels[:, None] * shares[None, :])
            spoilt = self.rng.random(n.shape)
            n = np.where(spoilt < 0.01, n * 6, np.where(spoilt > 0.99, 0, n))
            for name, windows in zip([EVERYTHING, *names], [n.sum(axis=1), *n.T], strict=True):
                yield _usual(name, hour.hour, windows)

    def _usual_means(self) -> Iterator[Usual]:
        for place, cell in enumerate(self.pool.cells):
            if cell.transaction_type == "purchase":
                amounts = self.pool.amount[self.pool.cell == place]
                level = self.rate * 300 * len(amounts) / len(self.pool.cell)
                sizes = [int(n) for n in self.rng.poisson(level, 300) if n >= LEAST_EVENTS]
                drawn = [self.rng.choice(amounts, n) for n in sizes]
                if drawn:
                    logs = [trimmed_log(np.array(len(v)), v.sum(), v.max()) for v in drawn]
                    quartiles = np.percentile(logs, (25, 50, 75))
                    subject = f"{cell.merchant} {cell.currency}"
                    yield Usual(subject, None, len(logs), float(np.mean(sizes)), *map(float, quartiles))


def _usual(subject: str, hour: int, windows: Any) -> Usual:
    low, middle, high = np.percentile(windows, (25, 50, 75))
    return Usual(subject, hour, len(windows), float(windows.mean()), float(low), float(middle), float(high))
