"""One watch a measure: its series, what is usual for them, and the scores of a moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from headrace.anomalies import baseline
from headrace.anomalies.baseline import CountBaseline, MeanBaseline, Usual
from headrace.anomalies.common import common_factor
from headrace.anomalies.measures import Measure, Tuning
from headrace.anomalies.ring import Ring
from headrace.anomalies.score import Array, count_range, count_score, mean_range, mean_score
from headrace.anomalies.series import Series

COUNT_HORIZONS = (2, 5, 15, 60)
MEAN_HORIZONS = (2, 5, 15)


@dataclass(frozen=True)
class Moment:
    """When is judged, and which of the last minutes, newest first, the platform was at work."""

    at: float
    on: Array
    part: Array
    """How much of each of these minutes has passed, 0 where it was not at work."""

    @property
    def minute(self) -> int:
        return int(self.at // 60)


@dataclass
class Scores:
    """A row a horizon, a column a series; NaN where nothing can be said."""

    horizons: tuple[int, ...]
    score: Array
    seen: Array
    expected: Array
    width: Array
    """Squared doubt of a count's rate, or the spread of a mean's logarithm."""

    @classmethod
    def unknown(cls, horizons: tuple[int, ...], size: int) -> Scores:
        return cls(horizons, *(np.full((len(horizons), size), np.nan) for _ in range(4)))

    def put(self, row: int, score: Array, seen: Array, expected: Array, width: Array) -> None:
        self.score[row], self.seen[row], self.expected[row], self.width[row] = score, seen, expected, width


class Watch:
    """Looks at one measure. The last hour stands in where the lake has no baseline; it is summed up once a minute."""

    def __init__(self, measure: Measure, tuning: Tuning) -> None:
        self.measure, self.tuning, self.series = measure, tuning, Series(measure)
        self.usual: Any = None
        self._recent: Any = None
        self._recent_of = (0, 0)
        self.learn(())

    def learn(self, rows: Iterable[Usual]) -> None:
        """Takes new baselines; a merchant that is known to sell is watched from here on, also while it is silent."""
        self.usual = CountBaseline() if self.measure.kind == "count" else MeanBaseline()
        for row in rows:
            self.usual.put(self.series.place(row.subject), row)

    def judge(self, ring: Ring, moment: Moment) -> Scores:
        raise NotImplementedError

    def bounds(self, scores: Scores, row: int, group: int) -> tuple[float, float, float, float]:
        """Seen, expected and the range that would be normal, as a person knows them."""
        raise NotImplementedError

    def is_stale(self, moment: Moment) -> bool:
        """Whether the last hour has to be summed up again."""
        wanted = (moment.minute, len(self.series))
        stale, self._recent_of = wanted != self._recent_of, wanted
        return stale


class CountWatch(Watch):
    def judge(self, ring: Ring, moment: Moment) -> Scores:
        events = self.series.by_minute(ring.n, ring.columns(moment.minute))
        if self.is_stale(moment):
            self._recent = baseline.recent_counts(events, moment.on)
        cumulated, exposure = (events * moment.on).cumsum(axis=1), moment.part.cumsum()
        scores = Scores.unknown(COUNT_HORIZONS, len(self.series))
        for row, minutes in enumerate(COUNT_HORIZONS):
            span = exposure[minutes - 1]
            # Of a stretch that was mostly off, the shorter ones say as much.
            if span >= max(1, minutes * 2 / 3 - 1):
                rate, width = self._rate(moment.at - minutes * 30)
                seen, expected = cumulated[:, minutes - 1], rate * span
                factor, doubt = common_factor(seen, expected)
                expected, width = expected * factor, width + doubt
                scores.put(row, count_score(seen, expected, width), seen, expected, width)
        return scores

    def bounds(self, scores: Scores, row: int, group: int) -> tuple[float, float, float, float]:
        expected = float(scores.expected[row, group])
        return float(scores.seen[row, group]), expected, *count_range(expected, float(scores.width[row, group]))

    def _rate(self, at: float) -> tuple[Array, Array]:
        """Events a minute at that time, and the squared doubt of it."""
        rate, doubt2 = self.usual.at(datetime.fromtimestamp(at, UTC), len(self.series))
        known = ~np.isnan(rate)
        own = np.where(known, self.tuning.season_doubt, self.tuning.recent_doubt)
        return np.where(known, rate, self._recent[0]), np.where(known, doubt2, self._recent[1]) + own**2


class MeanWatch(Watch):
    def judge(self, ring: Ring, moment: Moment) -> Scores:
        columns, size = ring.columns(moment.minute), len(self.series)
        events, total = (self.series.by_minute(values, columns) * moment.on for values in (ring.n, ring.total))
        largest = self.series.largest_by_minute(ring, columns) * moment.on
        if self.is_stale(moment):
            self._recent = baseline.recent_means(events, total, largest, moment.on)
        self.usual.grow(size)
        known = self.usual.values[:size]
        centre, spread, typical = np.where(np.isnan(known), self._recent, known).T
        scores = Scores.unknown(MEAN_HORIZONS, size)
        for row, minutes in enumerate(MEAN_HORIZONS):
            n, sums = (values[:, :minutes].sum(axis=1) for values in (events, total))
            seen = baseline.trimmed_log(n, sums, largest[:, :minutes].max(axis=1))
            width = spread * np.sqrt(np.maximum(1.0, typical / np.maximum(n, 1)))
            score = np.where(n >= baseline.LEAST_EVENTS, mean_score(seen - centre, width), np.nan)
            scores.put(row, score, seen, centre, width)
        return scores

    def bounds(self, scores: Scores, row: int, group: int) -> tuple[float, float, float, float]:
        seen, expected, width = (float(v[row, group]) for v in (scores.seen, scores.expected, scores.width))
        return float(np.exp(seen)), float(np.exp(expected)), *mean_range(expected, width)
