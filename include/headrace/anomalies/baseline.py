"""What is usual: robust figures by hour of the day or week from the lake, or of the last hour while there are none."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import numpy as np

from headrace.anomalies.measures import Kind
from headrace.anomalies.score import Array

WINDOW = 5
"""Minutes of the windows that baselines are made of."""
LEAST_WINDOWS = 24
LEAST_EVENTS = 5
"""Of an average."""
_LEAST_RECENT = 6
_QUARTILES = 1.349
"""How far they are apart, in standard deviations."""
_SLOWEST = 0.004
"""Events a minute that even a sleeping series is granted."""
_MEDIAN_NOISE = 1.57
"""Variance of a median against that of a mean."""


class Usual(NamedTuple):
    """One series in one hour of the coming day, over all such 5-minute windows, empty ones included."""

    subject: str
    hour: int | None
    """None: the same around the clock."""
    windows: int
    mean: float
    low: float
    middle: float
    high: float
    """Quartiles; of a mean's logarithm where the measure is one."""


def robust_rate(mean: Array, middle: Array) -> Array:
    """The mean as far as the median allows: a Poisson mean lies between its median less 1/3 and its median plus ln 2."""
    return np.asarray(np.clip(mean, middle - 1 / 3, middle + math.log(2)))


def rate_doubt(windows: Array, per_window: Array) -> Array:
    """How uncertain a rate is that so many windows gave, as a squared share of it."""
    return np.asarray(_MEDIAN_NOISE / np.maximum(windows * per_window, 0.5))


class CountBaseline:
    """Events a minute by hour, one row a series; unknown is NaN."""

    def __init__(self) -> None:
        self.rate, self.doubt2 = np.empty((0, 24)), np.empty((0, 24))

    def put(self, place: int, row: Usual) -> None:
        self.grow(place + 1)
        if row.hour is not None and row.windows >= LEAST_WINDOWS:
            level = robust_rate(np.array(row.mean), np.array(row.middle))
            self.rate[place, row.hour] = max(float(level) / WINDOW, _SLOWEST)
            self.doubt2[place, row.hour] = rate_doubt(np.array(row.windows), level)

    def moved(self, places: Array) -> CountBaseline:
        """The same with its rows at other places."""
        other = CountBaseline()
        other.rate, other.doubt2 = moved(self.rate, places), moved(self.doubt2, places)
        return other

    def grow(self, size: int) -> None:
        self.rate, self.doubt2 = grown(self.rate, size), grown(self.doubt2, size)

    def at(self, moment: datetime, size: int) -> tuple[Array, Array]:
        """Between the middles of two hours both have a share; where one is unknown the other stands for it."""
        self.grow(size)
        place = moment.hour + moment.minute / 60 - 0.5
        before, share = math.floor(place), place - math.floor(place)
        one, two = before % 24, (before + 1) % 24
        return _between(self.rate[:size], one, two, share), _between(self.doubt2[:size], one, two, share)


def _between(values: Array, one: int, two: int, share: float) -> Array:
    a, b = values[:, one], values[:, two]
    mixed = a * (1 - share) + b * share
    return np.where(np.isnan(a), b, np.where(np.isnan(b), a, mixed))


class MeanBaseline:
    """Centre and spread of the logarithm of a 5-minute average, and how many events such a window has."""

    def __init__(self) -> None:
        self.values = np.empty((0, 3))

    def put(self, place: int, row: Usual) -> None:
        self.grow(place + 1)
        if row.windows >= LEAST_WINDOWS:
            self.values[place] = row.middle, max((row.high - row.low) / _QUARTILES, 0.1), row.mean

    def moved(self, places: Array) -> MeanBaseline:
        """The same with its rows at other places."""
        other = MeanBaseline()
        other.values = moved(self.values, places)
        return other

    def grow(self, size: int) -> None:
        self.values = grown(self.values, size)


def moved(values: Array, places: Array) -> Array:
    other = np.full((int(places.max(initial=-1)) + 1, *values.shape[1:]), np.nan)
    other[places] = values[: len(places)]
    return other


class Learned(NamedTuple):
    """Baselines by their own list of subjects, so that they can be gathered beside the work."""

    subjects: list[str]
    usual: CountBaseline | MeanBaseline

    @classmethod
    def gather(cls, kind: Kind, rows: Iterable[Usual]) -> Learned:
        """A later row of the same subject and hour wins."""
        index: dict[str, int] = {}
        usual = CountBaseline() if kind == "count" else MeanBaseline()
        for row in rows:
            usual.put(index.setdefault(row.subject, len(index)), row)
        return cls(list(index), usual)


def grown(values: Array, size: int) -> Array:
    """With unknown rows added in large steps, so that growing costs little."""
    if len(values) >= size:
        return values
    more = np.full((max(size, 2 * len(values), 64) - len(values), *values.shape[1:]), np.nan)
    return np.concatenate([values, more])


def recent_counts(by_minute: Array, on: Array) -> tuple[Array, Array]:
    """Rate and doubt from whole 5-minute windows of the last hour but for its newest; unknown where too few are there."""
    windows, whole = _windows(by_minute, on)
    known = windows[:, whole]
    if known.shape[1] < _LEAST_RECENT:
        return np.full(len(by_minute), np.nan), np.full(len(by_minute), np.nan)
    level = robust_rate(known.mean(axis=1), np.median(known, axis=1))
    doubt2 = rate_doubt(np.array(known.shape[1]), level)
    return np.maximum(level / WINDOW, _SLOWEST), doubt2


def _windows(by_minute: Array, on: Array) -> tuple[Array, Array]:
    """Sums of five minutes each, newest first, without the newest five; which of them are whole."""
    older, lit = by_minute[:, WINDOW:], on[WINDOW:]
    number = older.shape[1] // WINDOW
    shaped = older[:, : number * WINDOW].reshape(len(older), number, WINDOW)
    return shaped.sum(axis=2), np.asarray(lit[: number * WINDOW].reshape(number, WINDOW).all(axis=1))


def recent_means(events: Array, total: Array, largest: Array, on: Array) -> Array:
    """The values of a MeanBaseline from the same windows."""
    n, whole = _windows(events, on)
    sums, _ = _windows(total, on)
    number = n.shape[1]
    tops = largest[:, WINDOW : WINDOW + number * WINDOW].reshape(len(largest), number, WINDOW).max(axis=2)
    logs = np.where(whole & (n >= LEAST_EVENTS), trimmed_log(n, sums, tops), np.nan)
    number_known = (~np.isnan(logs)).sum(axis=1)
    ranked = np.sort(logs, axis=1)
    low, middle, high = (_ranked(ranked, number_known, share) for share in (0.25, 0.5, 0.75))
    spread = np.maximum((high - low) / _QUARTILES, 0.25)
    size = n[:, whole].sum(axis=1) / max(1, whole.sum())
    values = np.stack([middle, spread, size], axis=1)
    return np.where((number_known >= _LEAST_RECENT)[:, None], values, np.nan)


def _ranked(ranked: Array, number: Array, share: float) -> Array:
    """A quantile of each row, of its known values, which sorting put first."""
    places = np.maximum(number - 1, 0) * share
    return np.asarray(np.take_along_axis(ranked, places.round().astype(np.int64)[:, None], axis=1)[:, 0])


def trimmed_log(n: Array, total: Array, largest: Array) -> Array:
    """Logarithm of the average without the largest: one very large order says nothing about the others."""
    return np.asarray(np.log(np.maximum(total - largest, 0.005) / np.maximum(n - 1, 1)))
