"""What a look at the figures brings: findings, each with its evidence, and the sentence a person reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headrace.anomalies.measures import AVERAGE, EVERYTHING, MEASURES, USER_TRANSACTIONS, Scope

_NOUNS = {measure.name: measure.noun for measure in MEASURES} | {USER_TRANSACTIONS: "transactions"}
_UNIT_CHANGE = 20.0
Key = tuple[str, str]
"""Subject and measure: what an incident is about."""


@dataclass(frozen=True)
class Contributor:
    keys: dict[str, Any]
    seen: int
    usual: float


@dataclass(frozen=True)
class Finding:
    scope: Scope
    subject: str
    measure: str
    unit: str
    at: float
    minutes: int
    seen: float
    expected: float
    low: float
    high: float
    score: float
    contributors: tuple[Contributor, ...] = ()

    @property
    def key(self) -> Key:
        return self.subject, self.measure

    @property
    def window_start(self) -> int:
        return (int(self.at // 60) - self.minutes + 1) * 60


@dataclass(frozen=True)
class Look:
    """One moment: what passed the limit, and the scores of every series that can be judged."""

    at: float
    findings: list[Finding]
    calm: dict[Key, tuple[float, float]]
    """Of followed series that can be judged: the largest score over the short horizons, and over all."""


def sentence(finding: Finding) -> str:
    who = {
        "platform": "All merchants together",
        "merchant": f"Merchant {finding.subject}",
        "user": f"User {finding.subject}",
    }[finding.scope]
    noun, minutes = _NOUNS[finding.measure], "1 minute" if finding.minutes == 1 else f"{finding.minutes} minutes"
    usual = f"{_number(finding.expected)} would be usual at this time, {_number(finding.low)} to {_number(finding.high)} normal"
    if finding.measure == AVERAGE.name:
        return _of_average(finding, who, minutes)
    if finding.seen == 0:
        return f"{who}: no {noun} at all in {minutes}; {usual}."
    change = finding.seen / max(finding.expected, 0.05)
    words = f"{change:.1f} times as many as usual" if change >= 1 else f"{1 - change:.0%} fewer than usual"
    return f"{who}: {_number(finding.seen)} {noun} in {minutes}, {words}; {usual}.{_mostly(finding)}"


def _of_average(finding: Finding, who: str, minutes: str) -> str:
    change = finding.seen / finding.expected
    words = f"{change:.1f} times" if change >= 1 else f"one {1 / change:.1f}th of"
    hint = " Amounts may be in another unit." if max(change, 1 / change) >= _UNIT_CHANGE else ""
    return (
        f"{who}: a purchase was {finding.seen:,.2f} {finding.unit} on average over {minutes}, {words} the usual "
        f"{finding.expected:,.2f}; {finding.low:,.2f} to {finding.high:,.2f} would be normal.{hint}"
    )


def _mostly(finding: Finding) -> str:
    """Where it comes from, when that is not the subject itself."""
    if not finding.contributors or finding.seen < finding.expected:
        return ""
    keys = finding.contributors[0].keys
    parts = [str(keys[name]) for name in ("merchant", "region") if keys.get(name) not in (None, "", finding.subject)]
    if finding.scope == "merchant" or EVERYTHING in parts or not parts:
        return ""
    return f" Mostly: {', '.join(parts)}."


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
