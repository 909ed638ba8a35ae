"""How often each person appears, in bounded memory: the last minutes exactly, what was before as a fading average."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import numpy as np

from headrace.anomalies.findings import Contributor, Finding, Key, Look
from headrace.anomalies.measures import USER_TRANSACTIONS, Tuning
from headrace.anomalies.score import Array, count_range, count_score, threshold

MINUTES = 20
"""How far back a look is possible, as after a restart."""
_HORIZONS = (2, 5)
_WINDOW = 5
_FADE = 0.5 ** (1 / 120)
"""A minute's weight in the average halves in two hours."""
_PRIOR = 0.5
"""Events that a person without a past is granted."""
_WARM_MINUTES = 15
_NEW_MINUTES = 15
_STEP = 5
"""Events by which a minute may raise what is usual, beyond its double."""
_MOST = 50_000
_HOT = 4
"""Where somebody's events come from is remembered from this many a window on."""


class Users:
    def __init__(self, tuning: Tuning | None = None) -> None:
        self.tuning = tuning or Tuning()
        self.newest = 0
        self._began = 0
        self._names: list[str] = []
        self._index: dict[str, int] = {}
        self._n = np.zeros((1024, MINUTES))
        self._past, self._time = np.zeros(1024), np.zeros(1024)
        self._hot: dict[str, Counter[tuple[str, str, str]]] = {}

    def __len__(self) -> int:
        return len(self._names)

    def row(self, user: str) -> int:
        place = self._index.get(user)
        if place is not None:
            return place
        if len(self._names) >= _MOST:
            self._forget()
        place = self._index[user] = len(self._names)
        self._names.append(user)
        if place == len(self._n):
            self._n = np.concatenate([self._n, np.zeros_like(self._n)])
            self._past, self._time = (np.concatenate([v, np.zeros_like(v)]) for v in (self._past, self._time))
        self._n[place], self._past[place], self._time[place] = 0, 0, -_WINDOW
        return place

    def put(self, user: str, minute: int, merchant: str, transaction_type: str, region: str) -> None:
        """One event; an old one belongs to the past."""
        place = self.row(user)
        self.reach(minute)
        if minute <= self.newest - _WINDOW:
            self._past[place] += 1
        if minute <= self.newest - MINUTES:
            return
        self._n[place, minute % MINUTES] += 1
        if self._n[place, np.arange(minute, minute - _WINDOW, -1) % MINUTES].sum() >= _HOT:
            self._hot.setdefault(user, Counter())[merchant, transaction_type, region] += 1

    def add(self, rows: Array, minute: int) -> None:
        """Many events at once, without where they come from."""
        self.reach(minute)
        self._n[:, minute % MINUTES] += np.bincount(rows, minlength=len(self._n))

    def reach(self, minute: int) -> None:
        """Folds minutes that have left the window into the past, one by one."""
        if self.newest == 0 or minute - self.newest > 60 * 24:
            self.newest, self._began = minute, minute
            self._n[:] = 0
        while self.newest < minute:
            self.newest += 1
            leaving = self._n[:, (self.newest - _WINDOW) % MINUTES]
            rate, _ = self._rate()
            # A burst must not become what is usual, and somebody new has no usual yet.
            kept = np.where(self._time < _NEW_MINUTES, leaving, np.minimum(leaving, 2 * rate + _STEP))
            self._past = self._past * _FADE + kept
            self._time = self._time * _FADE + 1
            self._n[:, self.newest % MINUTES] = 0
            if self._hot:
                recent = self._recent(self.newest, _WINDOW)
                self._hot = {user: c for user, c in self._hot.items() if recent[self._index[user]] > 0}

    def judge(self, at: float, following: Collection[Key] = ()) -> Look:
        """Persons who appear far more often than they do, or than people do."""
        minute = int(at // 60)
        self.reach(minute)
        too_late = minute < self.newest - MINUTES + _WINDOW
        if minute - self._began < _WARM_MINUTES or too_late or not self._names:
            return Look(at, [], {})
        size = len(self._names)
        rate, events = (values[:size] for values in self._rate())
        width = 1 / events + self.tuning.user_doubt**2
        seen = np.stack([self._recent(minute, minutes)[:size] for minutes in _HORIZONS])
        spans = np.array(_HORIZONS)[:, None] - 1 + (at % 60) / 60
        expected = rate * spans
        scores = np.maximum(count_score(seen, expected, np.broadcast_to(width, expected.shape)), 0)
        limit = max(threshold(scores.ravel(), self.tuning.false_discovery), self.tuning.least_score)
        passed = (scores >= limit) & (seen >= self.tuning.least_user_count)
        found = [
            self._finding(self._names[group], at, _HORIZONS[row], seen[row, group], expected[row, group], width[group], scores[row, group])
            for row, group in zip(*np.nonzero(passed), strict=True)
        ]  # fmt: skip
        return Look(at, found, self._calm(scores, following))

    def _calm(self, scores: Array, following: Collection[Key]) -> dict[Key, tuple[float, float]]:
        """Somebody who is forgotten is calm."""
        tops = {
            subject: float(scores[:, self._index[subject]].max()) if subject in self._index else 0.0
            for subject, measure in following
            if measure == USER_TRANSACTIONS
        }
        return {(subject, USER_TRANSACTIONS): (top, top) for subject, top in tops.items()}

    def _finding(
        self, user: str, at: float, minutes: int, seen: float, expected: float, width: float, score: float
    ) -> Finding:
        low, high = count_range(float(expected), float(width))
        top = self._hot.get(user, Counter()).most_common(3)
        names = ("merchant", "transaction_type", "region")
        return Finding(
            scope="user", subject=user, measure=USER_TRANSACTIONS, unit="", at=at, minutes=minutes, seen=float(seen),
            expected=float(expected), low=low, high=high, score=float(score),
            contributors=tuple(Contributor(dict(zip(names, keys, strict=True)), n, 0.0) for keys, n in top),
        )  # fmt: skip

    def _rate(self) -> tuple[Array, Array]:
        """Events a minute, and how many events speak for it, drawn towards the average person."""
        size = max(1, len(self._names))
        average = max(float(self._past[:size].sum()) / max(float(np.maximum(self._time[:size], 0).sum()), 1.0), 1e-4)
        events = _PRIOR + self._past
        return events / (_PRIOR / average + np.maximum(self._time, 0)), events

    def _recent(self, minute: int, minutes: int) -> Array:
        columns = np.arange(minute, minute - minutes, -1) % MINUTES
        return np.asarray(self._n[:, columns].sum(axis=1))

    def _forget(self) -> None:
        """Keeps the half that appears most."""
        size = len(self._names)
        weight = self._past[:size] + 1000 * self._n[:size].sum(axis=1)
        kept = np.sort(np.argsort(-weight, kind="stable")[: _MOST // 2])
        self._names = [self._names[place] for place in kept]
        self._index = {name: place for place, name in enumerate(self._names)}
        half = len(kept)
        for values in (self._n, self._past, self._time):
            values[:half] = values[kept]
            values[half:] = 0
        self._hot = {user: places for user, places in self._hot.items() if user in self._index}
