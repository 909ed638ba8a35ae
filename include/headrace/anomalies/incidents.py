"""Findings into incidents: opened once, followed while they last, closed after some calm minutes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from headrace.anomalies.detector import SHORT
from headrace.anomalies.findings import Contributor, Finding, Key, Look, sentence
from headrace.anomalies.measures import Scope, Tuning

State = Literal["open", "closed"]


@dataclass(frozen=True)
class Incident:
    """`id` names subject, measure and the window it was first seen in: the same incident always has the same."""

    id: str
    scope: Scope
    subject: str
    measure: str
    state: State
    opened_at: float
    window_start: int
    window_minutes: int
    seen: float
    expected: float
    low: float
    high: float
    score: float
    """The largest so far."""
    unit: str
    sentence: str
    contributors: tuple[Contributor, ...] = ()
    last_at: float = 0.0
    """When it was last unusual."""
    closed_at: float | None = None

    @property
    def key(self) -> Key:
        return self.subject, self.measure


def opened(finding: Finding) -> Incident:
    return Incident(
        id=f"{finding.subject}|{finding.measure}|{finding.window_start}",
        scope=finding.scope, subject=finding.subject, measure=finding.measure, state="open", opened_at=finding.at,
        window_start=finding.window_start, window_minutes=finding.minutes, seen=finding.seen, expected=finding.expected,
        low=finding.low, high=finding.high, score=finding.score, unit=finding.unit, sentence=sentence(finding),
        contributors=finding.contributors, last_at=finding.at,
    )  # fmt: skip


@dataclass
class Incidents:
    """What is open, and what closed lately; built again from the table after a restart."""

    tuning: Tuning
    open: dict[Key, Incident] = field(default_factory=dict)
    ended: dict[Key, float] = field(default_factory=dict)

    def restore(self, incidents: list[Incident]) -> None:
        for incident in incidents:
            if incident.closed_at is None:
                self.open[incident.key] = incident
            else:
                self.ended[incident.key] = max(incident.closed_at, self.ended.get(incident.key, 0.0))

    def step(self, look: Look) -> list[Incident]:
        """Incidents that this look opened, raised or closed."""
        strongest: dict[Key, Finding] = {}
        for finding in look.findings:
            known = strongest.get(finding.key)
            if not self._told(finding) and (known is None or abs(finding.score) > abs(known.score)):
                strongest[finding.key] = finding
        changed = [self._follow(finding) for finding in strongest.values()]
        closed = [self._close(incident, look) for incident in list(self.open.values()) if incident.key not in strongest]
        return [incident for incident in (*changed, *closed) if incident is not None]

    def _told(self, finding: Finding) -> bool:
        """A long stretch still holds what a closed incident has said already."""
        return finding.window_start < self.ended.get(finding.key, 0.0)

    def _follow(self, finding: Finding) -> Incident | None:
        known = self.open.get(finding.key)
        if known is None:
            self.open[finding.key] = opened(finding)
            return self.open[finding.key]
        raised = abs(finding.score) > abs(known.score) + 0.5
        self.open[finding.key] = replace(
            known, last_at=finding.at, score=finding.score if raised else known.score, sentence=sentence(finding) if raised else known.sentence
        )  # fmt: skip
        return self.open[finding.key] if raised else None

    def _close(self, incident: Incident, look: Look) -> Incident | None:
        scores = look.calm.get(incident.key)
        if scores is None:
            return None
        near, far = scores
        score = near if incident.window_minutes <= SHORT else far
        if score >= self.tuning.calm_score:
            self.open[incident.key] = replace(incident, last_at=look.at)
            return None
        if look.at - incident.last_at < self.tuning.calm_minutes * 60:
            return None
        del self.open[incident.key]
        self.ended[incident.key] = look.at
        return replace(incident, state="closed", closed_at=look.at)
