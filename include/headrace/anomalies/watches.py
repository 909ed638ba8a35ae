"""One watch a measure: its series, what is usual for them, and the scores of a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from headrace.anomalies import baseline
from headrace.anomalies.baseline import CountBaseline, Learned, MeanBaseline
from headrace.anomalies.common import Common, common
from headrace.anomalies.measures import Measure, Tuning
from headrace.anomalies.ring import SHOWN, Ring
from headrace.anomalies.score import Array, count_range, count_score, mean_range, mean_score
from headrace.anomalies.series import Series

SILENCE = 0
"""In place of a number of minutes: since the newest event, which a stop shows sooner than any whole minutes."""
COUNT_HORIZONS = (SILENCE, 2, 5, 15, 60)
_SHARED_MINUTES = 5
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

    @property
    def seconds_on(self) -> float:
        """How long the platform has been at work without a pause, as far as the last hour tells."""
        minutes = len(self.on) if self.on.all() else int(self.on.argmin())
        return float(self.part[:minutes].sum()) * 60


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
        self.usual: Any = CountBaseline() if measure.kind == "count" else MeanBaseline()
        self._recent: Any = None
        self._recent_of = (0, 0)

    def learn(self, learned: Learned) -> None:
        """Takes new baselines; a merchant that is known to sell is watched from here on, also while it is silent."""
        places = [self.series.place(subject) for subject in learned.subjects]
        self.usual = learned.usual.moved(np.array(places, np.int64))

    def judge(self, ring: Ring, moment: Moment) -> Scores:
        raise NotImplementedError

    def bounds(self, scores: Scores, row: int, group: int) -> tuple[float, float, float, float]:
        """Seen, expected and the range that would be normal, as a person knows them."""
        raise NotImplementedError

    def silent_minutes(self, ring: Ring, group: int, moment: Moment) -> int:
        """How many minutes a silence reaches into, at most an hour."""
        since = max(float(self.series.last(ring)[group]), moment.at - moment.seconds_on)
        return min(SHOWN, moment.minute - int(since // 60) + 1)

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
        factor = 1.0
        for row, minutes in enumerate(COUNT_HORIZONS):
            if minutes == SILENCE:
                continue
            span = exposure[minutes - 1]
            # Of a stretch that was mostly off, the shorter ones say as much.
            if span >= max(1, minutes * 2 / 3 - 1):
                rate, width = self._rate(moment.at - minutes * 30)
                seen, expected = cumulated[:, minutes - 1], rate * span
                shared = common(seen, expected)
                if minutes == _SHARED_MINUTES and shared:
                    factor = shared.factor
                scores.put(row, *_weaker(seen, expected, width, shared))
        scores.put(COUNT_HORIZONS.index(SILENCE), *self._silence(ring, moment, factor))
        return scores

    def _silence(self, ring: Ring, moment: Moment, factor: float) -> tuple[Array, Array, Array, Array]:
        """Score, seen, expected and width of having no event since the last one.

        A merchant's silence lasts while others are heard, so that a silent platform is told once, of all together.
        """
        newest = self.series.last(ring)
        until = np.full(len(newest), newest[0])
        until[0] = moment.at
        seconds = np.clip(until - newest, 0, moment.seconds_on)
        rate, width = self._rate(moment.at - float(np.median(seconds)) / 2)
        expected = rate * seconds / 60
        expected[1:] *= min(factor, 1.0)
        seen = np.zeros(len(newest))
        return count_score(seen, expected, width), seen, expected, width

    def bounds(self, scores: Scores, row: int, group: int) -> tuple[float, float, float, float]:
        expected = float(scores.expected[row, group])
        return float(scores.seen[row, group]), expected, *count_range(expected, float(scores.width[row, group]))

    def _rate(self, at: float) -> tuple[Array, Array]:
        """Events a minute at that time, and the squared doubt of it."""
        rate, doubt2 = self.usual.at(datetime.fromtimestamp(at, UTC), len(self.series))
        known = ~np.isnan(rate)
        own = np.where(known, self.tuning.season_doubt, self.tuning.recent_doubt)
        return np.where(known, rate, self._recent[0]), np.where(known, doubt2, self._recent[1]) + own**2


def _weaker(seen: Array, expected: Array, width: Array, shared: Common | None) -> tuple[Array, Array, Array, Array]:
    """Unusual is what is so by itself and beside the others: the weaker of the two scores, with what it expected."""
    alone = count_score(seen, expected, width)
    if shared is None:
        return alone, seen, expected, width
    beside, doubt = expected * shared.factor, width + shared.doubt2
    score = count_score(seen, beside, doubt)
    # All merchants together are beside most of them.
    score[0] = count_score(np.array(shared.seen), np.array(shared.expected), width[0])
    beside[0], doubt[0] = expected[0], width[0]
    by_itself = np.abs(alone) <= np.abs(score)
    weaker = np.where(alone * score > 0, np.where(by_itself, alone, score), 0.0 * alone)
    return weaker, seen, np.where(by_itself, expected, beside), np.where(by_itself, width, doubt)


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
