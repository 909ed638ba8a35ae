"""What is unusual about a profile, told by the profiles before it: medians and their spread, nothing configured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

import numpy as np

from headrace.anomalies.score import RANGE, count_range, count_score, mean_score
from headrace.quality.profile import Profile, merged, total_of

Pillar = Literal["freshness", "volume", "schema", "distribution", "lineage"]
PILLARS: tuple[Pillar, ...] = ("freshness", "volume", "schema", "distribution", "lineage")
_NORMAL = 1.4826
"""Median absolute deviation to standard deviation."""
_QUANTILES_APART = 2.56
"""Of a normal variable: from the tenth to the ninetieth hundredth, in standard deviations."""


@dataclass(frozen=True)
class Limits:
    """Chosen by `./headrace bench quality --tune` on traffic that it is not judged by."""

    volume_score: float = 4.5
    share_score: float = 6.0
    level_score: float = 5.0
    least_windows: int = 12
    """Profiles before nothing is said."""
    horizons: tuple[int, ...] = (1, 3, 6)
    """How many of the newest profiles are judged together: few records need longer to say something."""
    recent: int = 12
    """Profiles that volume is compared with: earlier ones are of another time of the day."""
    volume_doubt: float = 0.15
    share_doubt: float = 0.15
    least_spread: float = 0.06
    """Of a level, in logarithms."""
    least_volume_change: float = 0.35
    least_share_change: float = 0.02
    least_level_change: float = 0.2


@dataclass(frozen=True)
class Finding:
    subject: str
    pillar: Pillar
    measure: str
    start: int
    seconds: int
    seen: float
    expected: float
    low: float
    high: float
    score: float
    sentence: str

    @property
    def about(self) -> str:
        """Its pillar, the kind of measure and the field: one incident each."""
        kind, _, rest = self.measure.partition(":")
        field = rest.partition("=")[0].partition(":")[0] if kind != "delay" else ""
        return " ".join(dict.fromkeys(word for word in (self.pillar, kind, field) if word))


def judge(profile: Profile, before: Sequence[Profile], limits: Limits | None = None) -> list[Finding]:
    """`before`: the same subject's profiles, oldest first. The strongest finding comes first, each measure once."""
    limits = limits or Limits()
    strongest: dict[str, Finding] = {}
    for horizon in limits.horizons:
        together = [*before[len(before) - horizon + 1 :], profile] if horizon > 1 else [profile]
        past = before[: len(before) - horizon + 1]
        if len(past) >= limits.least_windows:
            for finding in _Judging(merged(together), past, limits, horizon).findings():
                known = strongest.get(finding.measure)
                if known is None or abs(finding.score) > abs(known.score):
                    strongest[finding.measure] = finding
    return sorted(strongest.values(), key=lambda finding: -abs(finding.score))


class _Judging:
    def __init__(self, profile: Profile, before: Sequence[Profile], limits: Limits, horizon: int) -> None:
        self._profile, self._before, self._limits, self._horizon = profile, before, limits, horizon

    def findings(self) -> list[Finding]:
        return [*self._volume(), *self._shares(), *self._levels()]

    def _volume(self) -> list[Finding]:
        counts = [known.count for known in self._before[-self._limits.recent :]]
        one, seen = float(median(counts)), self._profile.count
        usual = one * self._horizon
        if usual < 1 or abs(seen - usual) < self._limits.least_volume_change * usual:
            return []
        # What chance alone makes of so few is in the score already.
        excess = max(0.0, (_spread(counts, one) / one) ** 2 - 1 / one)
        doubt2 = max(self._limits.volume_doubt**2, excess)
        score = float(count_score(np.array(float(seen)), np.array(usual), np.array(doubt2)))
        low, high = count_range(usual, doubt2)
        minutes = self._profile.seconds // 60
        if seen == 0:
            said = f"nothing for {minutes} minutes, about {usual:,.0f} records would be usual"
            return self._found("freshness", "silence", seen, usual, low, high, (score, self._limits.volume_score), said)
        change = (
            f"{seen / usual:.1f} times as many as usual" if seen > usual else f"{1 - seen / usual:.0%} fewer than usual"
        )
        said = f"{seen:,} records in {minutes} minutes, {change}"
        return self._found("volume", "volume", seen, usual, low, high, (score, self._limits.volume_score), said)

    def _shares(self) -> list[Finding]:
        found: list[Finding] = []
        for name in sorted(
            set(self._profile.shares).union(*(known.shares for known in self._before[-self._limits.recent :]))
        ):
            total = total_of(self._profile, name)
            if total > 0:
                found += self._share(name, self._profile.shares.get(name, (0, total))[0], total)
        return found

    def _share(self, name: str, seen: int, total: int) -> list[Finding]:
        pairs = [(past.shares.get(name, (0, 0))[0], total_of(past, name)) for past in self._before]
        known = [(k, n) for k, n in pairs if n > 0]
        if len(known) < self._limits.least_windows:
            return []
        rates, records = [k / n for k, n in known], sum(n for _, n in known)
        usual = float(median(rates))
        # Of what is seldom the median of windows is nothing: then all of them together know more.
        if usual < 0.01 or usual > 0.99:
            usual = (_without_bursts(known, rates) + 0.5) / (records + 1)
        share, rare = seen / total, usual <= 0.5
        if abs(share - usual) < self._limits.least_share_change:
            return []
        level, number = (usual, seen) if rare else (1 - usual, total - seen)
        excess = max(
            0.0, (_spread(rates, usual) / level) ** 2 - 1 / max(level * float(median(n for _, n in known)), 1e-6)
        )
        doubt2 = max(self._limits.share_doubt**2, excess, 1 / (level * records + 0.5))
        score = float(count_score(np.array(float(number)), np.array(level * total), np.array(doubt2)))
        half = RANGE * math.sqrt(usual * (1 - usual) / total + doubt2 * level**2)
        told = (score if rare else -score), self._limits.share_score
        said = _of_share(name, share, usual)
        return self._found(
            _pillar(name), name, share, usual, max(0.0, usual - half), min(1.0, usual + half), told, said
        )

    def _levels(self) -> list[Finding]:
        found: list[Finding] = []
        for name, (seen, number) in self._profile.levels.items():
            known = [past.levels[name] for past in self._before if name in past.levels]
            if len(known) < self._limits.least_windows:
                continue
            usual = float(median(value for value, _ in known))
            if abs(seen - usual) < self._limits.least_level_change:
                continue
            spread = self._spread_of(name, [value for value, _ in known], usual, number)
            score = float(mean_score(np.array(seen - usual), np.array(spread)))
            low, high = (math.exp(usual + side * RANGE * spread) for side in (-1, 1))
            said, told = _of_level(name, math.exp(seen), math.exp(usual)), (score, self._limits.level_score)
            found += self._found(_pillar(name), name, math.exp(seen), math.exp(usual), low, high, told, said)
        return found

    def _spread_of(self, name: str, values: list[float], usual: float, number: int) -> float:
        """As windows differed so far, and no less than so few values must differ by chance."""
        stem = name.rpartition(":")[0]
        sides = [
            [p.levels[f"{stem}:{side}"][0] for p in self._before if f"{stem}:{side}" in p.levels]
            for side in ("low", "high")
        ]
        chance = 0.0
        if stem and all(sides):
            chance = 1.7 * (median(sides[1]) - median(sides[0])) / _QUANTILES_APART / math.sqrt(number)
        return max(_spread(values, usual) / math.sqrt(self._horizon), chance, self._limits.least_spread)

    def _found(
        self,
        pillar: Pillar,
        measure: str,
        seen: float,
        usual: float,
        low: float,
        high: float,
        told: tuple[float, float],
        said: str,
    ) -> list[Finding]:
        score, least = told
        if abs(score) < least:
            return []
        p = self._profile
        return [
            Finding(
                p.subject, pillar, measure, p.start, p.seconds, seen, usual, low, high, score, f"{p.subject}: {said}."
            )
        ]


def _spread(values: Sequence[float], middle: float) -> float:
    return _NORMAL * float(median(abs(value - middle) for value in values))


def _without_bursts(known: Sequence[tuple[int, int]], rates: Sequence[float]) -> int:
    """How many there were, where a window counts as at most one that has unusually many: what was told of is not usual."""
    most = sorted(rates)[int(0.8 * (len(rates) - 1))]
    return sum(min(k, max(1, math.ceil(most * n))) for k, n in known)


def _pillar(measure: str) -> Pillar:
    kind = measure.partition(":")[0]
    known: dict[str, Pillar] = {"type": "schema", "unreadable": "schema", "late": "freshness", "delay": "freshness",
                                "age": "freshness", "repeated": "volume", "missing": "lineage"}  # fmt: skip
    return known.get(kind, "distribution")


def _of_share(name: str, seen: float, usual: float) -> str:
    kind, _, rest = name.partition(":")
    field, _, sort = rest.partition(":")
    what = {
        "unreadable": "is no readable JSON object",
        "repeated": "repeats an event that came before",
        "late": "comes late",
        "missing": "of its source is not in it",
        "null": f"has no {field}",
        "type": f"has {field} as {sort}",
        "value": f"has {rest.replace('=', ' = ')}",
    }[kind]
    return f"{seen:.1%} {what}, {usual:.1%} would be usual"


def _of_level(name: str, seen: float, usual: float) -> str:
    kind, _, rest = name.partition(":")
    place = (
        {"low": "a small", "middle": "a usual", "high": "a large"}[name.rpartition(":")[2]] if ":" in name else "the"
    )
    what = {"delay": "delay in seconds", "age": "age of the newest row in minutes"}.get(
        kind, rest.partition(":")[0].replace("_", " ")
    )
    ratio = max(seen, usual) / max(min(seen, usual), 1e-9)
    hint = " Values may be in another unit." if kind == "level" and ratio >= 20 else ""
    return f"{place} {what} is {seen:,.2f}, {usual:,.2f} would be usual.{hint}".rstrip(".")
