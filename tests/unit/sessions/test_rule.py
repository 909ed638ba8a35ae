"""Another rule: what is open is found anew from its events and by it, what was closed stays, nothing is kept half."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headrace.contracts.model import Contract, load_contracts
from headrace.contracts.sessions import Sessions
from headrace.sessions import part
from headrace.sessions.arrivals import Record
from headrace.sessions.book import Session, session_id
from headrace.sessions.ledger import Kept, Step
from headrace.settings import REPO, Settings

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
CONTRACTS = load_contracts(REPO / "include" / "contracts")
STREAM, OLD, PLACE = "app_events", Sessions("user_id", 30, "event_type"), ("app_events", 0)


def _record(offset: int, at: float, user: str = "ann", kind: str = "page_view", after: float = 1) -> Record:
    moment = NOW + timedelta(seconds=at)
    event = {
        "event_id": f"action-{offset:04d}", "event_time": moment.isoformat(), "user_id": user, "session_id": "visit",
        "event_type": kind, "platform": "web", "country": "DE", "region": "europe",
    }  # fmt: skip
    return Record(STREAM, 0, offset, moment + timedelta(seconds=after), json.dumps(event).encode())


def _session(first: int, begin: float, end: float, events: int, user: str = "ann") -> Session:
    begun, ended = (NOW + timedelta(seconds=second) for second in (begin, end))
    return Session(STREAM, user, f"action-{first:04d}", begun, ended, events, {"page_view": events})


class Ledger:
    def __init__(self, kept: Kept) -> None:
        self._kept, self.written = kept, list[Step]()

    def kept(self) -> Kept:
        return self._kept

    def write(self, steps: Iterable[Step]) -> None:
        self.written += steps

    def recent(self, since: datetime) -> list[Any]:
        return []

    def close(self) -> None: ...


class Topic:
    """The change topic: hands over what it is told to, and knows until where the part had read."""

    since: datetime | None

    def __init__(self, begin: dict[tuple[str, int], int], since: datetime | None) -> None:
        self.begin, self.since, self.coming, self._next = begin, since, list[Record](), 0

    def read(self, seconds: float) -> list[Record]:
        found, self.coming = self.coming, []
        self._next = max([self._next, *(record.offset + 1 for record in found)])
        return found

    def recalls(self, stream: str) -> bool:
        return self._next < self.begin.get(PLACE, 0)

    def through(self, stream: str) -> datetime:
        return NOW

    def prove(self) -> None: ...

    def send(self) -> int:
        return 0


class Shown:
    def __init__(self) -> None:
        self.gone, self.there = list[tuple[str, str]](), dict[str, int]()

    def filled(self) -> bool:
        return True

    def fill(self, sessions: Iterable[Session], closed: Iterable[Any]) -> None:
        self.show([], sessions)

    def show(self, gone: Iterable[tuple[str, str]], sessions: Iterable[Session]) -> None:
        self.gone += gone
        self.there |= {session.id: session.events for session in sessions}

    def put_away(self, closed: Iterable[Any]) -> None: ...


class World:
    def __init__(self, patch: pytest.MonkeyPatch, rule: Sessions, kept: Kept) -> None:
        contracts: dict[str, Contract] = CONTRACTS | {STREAM: replace(CONTRACTS[STREAM], sessions=rule)}
        self.ledger, self.shown = Ledger(kept), Shown()
        patch.setattr(part.published, "read", lambda _: contracts)
        patch.setattr(part, "Ledger", lambda _: self.ledger)
        patch.setattr(part, "valkey", lambda *_, **__: None)
        patch.setattr(part, "Shown", lambda *_: self.shown)
        patch.setattr(part, "Topic", lambda *_: Topic({}, None))
        patch.setattr(part, "Changes", lambda _, __, begin, since: Topic(begin, since))
        patch.setattr(part, "SHOW_SECONDS", 0.0)
        patch.setattr(part, "STEP_SECONDS", 0.0)
        self.keeper = part.Keeper(Settings())
        self.topic: Any = self.keeper._changes

    def step(self, *records: Record) -> None:
        self.topic.coming = list(records)
        self.keeper.step()


def _kept(*sessions: Session, offset: int, rule: Sessions | None = OLD) -> Kept:
    return Kept({PLACE: offset}, {STREAM: NOW}, {STREAM: rule} if rule else {}, list(sessions))


def test_a_longer_pause_joins_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what was closed before it, though it would be near enough now."""
    first, second = _session(2, -200, -190, 2), _session(4, -90, -90, 1)
    world = World(monkeypatch, replace(OLD, gap_seconds=600), _kept(first, second, offset=6))
    assert world.topic.since <= first.started_at - timedelta(minutes=41)
    world.step(_record(0, -400), _record(1, -400, "bob"), _record(2, -200), _record(3, -190))
    assert (world.ledger.written, world.shown.there) == ([], {}), "half found is neither kept nor shown"
    world.step(_record(4, -90), _record(4, -90), _record(5, -195, after=301), _record(6, -5))
    (step,) = world.ledger.written
    assert step.rule == replace(OLD, gap_seconds=600)
    (session,) = step.open
    assert (session.id, session.events, session.ended_at) == (first.id, 4, NOW - timedelta(seconds=5))
    assert (step.touched, step.offsets, step.closed) == (["ann"], {PLACE: 7}, [])
    world.step()
    assert world.shown.there == {first.id: 4}
    assert (second.user_id, second.id) in world.shown.gone


def test_a_shorter_pause_parts_them_and_closes_what_is_final_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, replace(OLD, gap_seconds=10), _kept(_session(0, -335, -300, 3), offset=3))
    world.step(_record(0, -335), _record(1, -320), _record(2, -300))
    (step,) = world.ledger.written
    assert [(one.session.first_event, one.session.events) for one in step.closed] == [
        ("action-0000", 1),
        ("action-0001", 1),
    ]
    assert [session.id for session in step.open] == [session_id(STREAM, "action-0002")]


def test_events_are_counted_by_what_the_rule_counts_now(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, replace(OLD, count="platform"), _kept(_session(0, -20, -10, 2), offset=2))
    world.step(_record(0, -20), _record(1, -10, kind="search"))
    assert [session.by_type for session in world.ledger.written[0].open] == [{"web": 2}]


@pytest.mark.parametrize("rule", [OLD, None], ids=["the same", "not noted by an earlier version"])
def test_by_the_same_rule_sessions_go_on(rule: Sessions | None, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, OLD, _kept(_session(0, -20, -10, 2), offset=2, rule=rule))
    assert world.topic.since == NOW - timedelta(minutes=40)
    world.step(_record(0, -20), _record(1, -10), _record(2, -5))
    assert [(session.events, session.by_type) for session in world.ledger.written[0].open] == [(3, {"page_view": 3})]
