"""Looks at every series of the live windows at one moment and says which are unusual.

Each series is judged over the newest minutes and over longer stretches: the short ones tell soon, the long ones see
what is slow or rare. All of them share one false-discovery limit, so that ten thousand merchants do not alarm by chance.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from headrace.anomalies.baseline import Learned
from headrace.anomalies.findings import Contributor, Finding, Key, Look
from headrace.anomalies.measures import EVERYTHING, MEASURES, Tuning
from headrace.anomalies.ring import SHOWN, Ring
from headrace.anomalies.score import Array, threshold
from headrace.anomalies.watches import CountWatch, MeanWatch, Moment, Scores, Watch

SHORT = 5
"""Minutes within which an end is seen as soon as a beginning."""


class Detector:
    """Holds the ring and the baselines; `judge` changes neither."""

    def __init__(self, tuning: Tuning | None = None) -> None:
        self.tuning = tuning or Tuning()
        self.ring = Ring()
        self._watches: list[Watch] = [
            (CountWatch if measure.kind == "count" else MeanWatch)(measure, self.tuning) for measure in MEASURES
        ]

    def learn(self, measure: str, learned: Learned) -> None:
        """New baselines of one measure; the former ones go."""
        next(watch for watch in self._watches if watch.measure.name == measure).learn(learned)

    def judge(self, at: float, following: Collection[Key] = ()) -> Look:
        """Everything that is unusual at a moment (epoch seconds), and how calm the series are that somebody follows."""
        minute = int(at // 60)
        self.ring.reach(minute)
        on = self.ring.on(minute)
        part = on.astype(float)
        part[0] *= (at % 60) / 60
        moment = Moment(at, on, part)
        for watch in self._watches:
            watch.series.follow(self.ring.cells)
        judged = [(watch, watch.judge(self.ring, moment)) for watch in self._watches]
        every = np.concatenate([scores.score.ravel() for _, scores in judged])
        limit = max(threshold(every[~np.isnan(every)], self.tuning.false_discovery), self.tuning.least_score)
        found = [
            self._finding(watch, scores, int(row), int(group), moment)
            for watch, scores in judged
            for row, group in zip(*np.nonzero(np.nan_to_num(np.abs(scores.score)) >= limit), strict=True)
        ]
        return Look(at, found, _calm(judged, following))

    def _finding(self, watch: Watch, scores: Scores, row: int, group: int, moment: Moment) -> Finding:
        minutes = scores.horizons[row] or watch.silent_minutes(self.ring, group, moment)
        seen, expected, low, high = watch.bounds(scores, row, group)
        subject, _, unit = watch.series.names[group].partition(" ")
        return Finding(
            scope="platform" if subject == EVERYTHING else "merchant", subject=subject, measure=watch.measure.name,
            unit=unit, at=moment.at, minutes=minutes, seen=seen, expected=expected, low=low, high=high,
            score=float(scores.score[row, group]), contributors=self._contributors(watch, group, moment.minute, minutes),
        )  # fmt: skip

    def _contributors(self, watch: Watch, group: int, minute: int, minutes: int) -> tuple[Contributor, ...]:
        """Rows that differ most from their own last hour."""
        rows = watch.series.members(group)
        held = self.ring.n[rows][:, self.ring.columns(minute)]
        seen, before = held[:, :minutes].sum(axis=1), held[:, minutes:].sum(axis=1)
        usual = before * minutes / max(1, SHOWN - minutes)
        largest = np.argsort(-np.abs(seen - usual), kind="stable")[:3]
        return tuple(
            Contributor(self.ring.cells[rows[place]]._asdict(), int(seen[place]), round(float(usual[place]), 1))
            for place in largest
        )


def _calm(judged: list[tuple[Watch, Scores]], following: Collection[Key]) -> dict[Key, tuple[float, float]]:
    calm: dict[Key, tuple[float, float]] = {}
    for watch, scores in judged:
        short = [row for row, minutes in enumerate(scores.horizons) if minutes <= SHORT]
        for subject, measure in following:
            if measure == watch.measure.name:
                sizes = np.abs(scores.score[:, watch.series.of_subject(subject)])
                if not np.isnan(sizes).all():
                    calm[subject, measure] = _top(sizes[short]), _top(sizes)
    return calm


def _top(sizes: Array) -> float:
    return float(np.nan_to_num(sizes).max(initial=0.0))
