"""Watches what is not configured: profiles each topic's last minutes and each table's last hours, judges, tells, keeps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Self

from headrace.anomalies.ledger import Ledger
from headrace.contracts.model import Contract
from headrace.log import get_logger
from headrace.quality import incidents
from headrace.quality.history import History
from headrace.quality.judge import Finding, judge
from headrace.quality.profile import Profile, Record, of_topic
from headrace.settings import Settings
from headrace.streams import published
from headrace.streams.deadletters.reading import records

_LOG = get_logger(__name__)
_MOST_WINDOWS = 12
"""How many stretches one look makes up for after a pause; what lies before is left out."""


def topics(settings: Settings, now: float | None = None) -> list[Finding]:
    """Every stretch that has ended since the last look, topic by topic."""
    now = now or time.time()
    seconds = settings.quality_window_minutes * 60
    end = int(now // seconds) * seconds
    contracts = published.read(settings).values()
    found: list[Finding] = []
    with Look(settings, "topic") as look:
        known = look.history.before([contract.topic for contract in contracts], end)
        for contract in contracts:
            past = known[contract.topic]
            for profile in _profiles(settings, contract, past, end, seconds):
                found += look.judged(profile, past)
    return found


class Look:
    """At many subjects, with one connection for what is known of them and one for what is told."""

    def __init__(self, settings: Settings, scope: incidents.Scope) -> None:
        self._settings, self._scope = settings, scope

    def __enter__(self) -> Self:
        self.history, self._ledger = History(self._settings), Ledger(self._settings)
        return self

    def __exit__(self, *_: object) -> None:
        self.history.close()
        self._ledger.close()

    def judged(self, profile: Profile, past: list[Profile]) -> list[Finding]:
        """Beside the past, which it then belongs to. Written only after it was told: a look that a kill ended is made again."""
        findings = judge(profile, past)
        looked = {profile.subject: profile.seconds} if past else {}
        for incident in incidents.tell(self._ledger, findings, looked, profile.start + profile.seconds, self._scope):
            _LOG.info(
                "quality_incident",
                state=incident.state,
                subject=incident.subject,
                pillar=incident.measure,
                told=incident.sentence,
            )
        self.history.keep([profile])
        past.append(profile)
        return findings


def _profiles(settings: Settings, contract: Contract, past: list[Profile], end: int, seconds: int) -> Iterator[Profile]:
    """An empty topic has no profile until its first record: nothing is not unusual before something was."""
    first = max(past[-1].start + seconds if past else 0, end - _MOST_WINDOWS * seconds)
    windows: dict[int, list[Record]] = {start: [] for start in range(first, end, seconds)}
    if not windows:
        return
    for record in _records(settings, contract.topic, first, end):
        window = windows.get(int(record.arrived_at // seconds) * seconds)
        if window is not None:
            window.append(record)
    begun = bool(past)
    for start, held in sorted(windows.items()):
        begun = begun or bool(held)
        if begun:
            yield _profiled(settings, contract, held, start, seconds)


def _profiled(settings: Settings, contract: Contract, held: list[Record], start: int, seconds: int) -> Profile:
    """All are counted; of very many, evenly chosen ones are looked into."""
    step = max(1, -(-len(held) // settings.quality_window_records))
    profile = of_topic(contract, held[::step], start, seconds, settings.lateness_minutes)
    return Profile(profile.subject, start, seconds, len(held), profile.shares, profile.levels)


def _records(settings: Settings, topic: str, first: int, end: int) -> Iterator[Record]:
    since, until = (datetime.fromtimestamp(moment, UTC) for moment in (first, end))
    for message in records(settings, topic, since, until):
        yield Record(message.value(), message.timestamp()[1] / 1000)
