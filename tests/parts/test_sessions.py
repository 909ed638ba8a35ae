"""Sessions on real Kafka, PostgreSQL and Valkey: each closed once with the right figures, through kill -9 at bad moments."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from confluent_kafka import Producer

from headrace.contracts.model import load_contracts
from headrace.live.client import valkey
from headrace.sessions.book import session_id
from headrace.sessions.layout import RUN, activity_key, session_key
from headrace.sessions.ledger import AnotherRuns
from headrace.sessions.part import Keeper
from headrace.sessions.reading import SessionsNotFilled, activity, open_session
from headrace.settings import Settings
from headrace.streams import published
from headrace.streams.deadletters.reading import records
from headrace.streams.topics import producer_config
from tests.parts.own_process import OwnProcess

SECONDS = 200
STREAM = "app_events"
GAP, LATENESS = timedelta(seconds=30), timedelta(minutes=5)
KINDS = ("page_view", "search", "purchase")
Figures = tuple[str, datetime, datetime, int, dict[str, int]]


@dataclass
class Sent:
    """What was sent, and by the broker's own time of arrival which sessions must come of it."""

    settings: Settings
    events: list[tuple[dict[str, Any], datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._topic = load_contracts(self.settings.contracts)[STREAM].topic
        self._producer = Producer(producer_config(self.settings))

    def event(self, user: str, at: datetime, kind: str = "page_view") -> dict[str, Any]:
        return {
            "event_id": f"action-{uuid.uuid4().hex}", "event_time": at.isoformat(), "user_id": user, "session_id": "visit",
            "event_type": kind, "platform": "web", "country": "DE", "region": "europe",
        }  # fmt: skip

    def send(self, *events: dict[str, Any]) -> None:
        for event in events:

            def delivered(error: Any, message: Any, event: dict[str, Any] = event) -> None:
                assert error is None
                self.events.append((event, datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)))

            self._producer.produce(self._topic, json.dumps(event), key=event["user_id"], on_delivery=delivered)
        assert self._producer.flush(30) == 0

    def firsts(self) -> list[tuple[dict[str, Any], datetime]]:
        first: dict[str, tuple[dict[str, Any], datetime]] = {}
        for event, arrived in self.events:
            first.setdefault(event["event_id"], (event, arrived))
        return list(first.values())

    def sessions(self) -> dict[str, Figures]:
        of: defaultdict[str, list[tuple[datetime, str, str]]] = defaultdict(list)
        for event, arrived in self.firsts():
            at = datetime.fromisoformat(event["event_time"])
            if arrived <= at + LATENESS:
                of[event["user_id"]].append((at, event["event_id"], event["event_type"]))
        found: dict[str, Figures] = {}
        for user, happened in of.items():
            island: list[tuple[datetime, str, str]] = []
            for at, event_id, kind in [*sorted(happened), (datetime.max.replace(tzinfo=UTC), "", "")]:
                if island and at - island[-1][0] >= GAP:
                    kinds = dict(Counter(kind for _, _, kind in island))
                    begun, first, _ = island[0]
                    found[session_id(STREAM, first)] = (user, begun, island[-1][0], len(island), kinds)
                    island = []
                island.append((at, event_id, kind))
        return found

    def late(self) -> int:
        return sum(arrived > datetime.fromisoformat(e["event_time"]) + LATENESS for e, arrived in self.firsts())


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Settings:
    return start_parts("kafka", "postgres", "valkey")


@pytest.fixture(scope="module")
def sent(settings: Settings) -> Sent:
    return Sent(settings)


@pytest.fixture
def part(settings: Settings) -> Iterator[Callable[[], OwnProcess]]:
    started: list[OwnProcess] = []

    def start() -> OwnProcess:
        started.append(OwnProcess(settings, "headrace.sessions.part"))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()


def _rows(settings: Settings, sql: str) -> list[Any]:
    with psycopg.connect(settings.postgres_dsn("headrace"), options="-c timezone=UTC") as connection:
        return connection.execute(sql).fetchall()


def _closed(settings: Settings) -> dict[str, Figures]:
    rows = _rows(settings, "select session_id, user_id, started_at, ended_at, events, by_type from closed_sessions")
    return {row[0]: row[1:] for row in rows}


def _told(settings: Settings) -> list[dict[str, Any]]:
    topic = load_contracts(settings.contracts)["sessions"].topic
    return [json.loads(record.value()) for record in records(settings, topic)]


def _told_figures(settings: Settings) -> dict[str, Figures]:
    return {
        one["session_id"]: (
            one["user_id"], datetime.fromisoformat(one["started_at"]), datetime.fromisoformat(one["ended_at"]),
            one["events"], json.loads(one["by_type"]),
        )
        for one in _told(settings)
    }  # fmt: skip


def _until(seen: Callable[[], object], wanted: object, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while (found := seen()) != wanted:
        assert time.monotonic() < deadline, f"after {seconds} s: {found}\nwanted: {wanted}"
        time.sleep(0.1)


def _live(settings: Settings, user: str) -> list[tuple[int, str, bool]]:
    """Events and state of each session of the last hour, and whether it is there by its id."""
    client = valkey(settings)
    try:
        return [
            (one["events"], one["state"], open_session(client, one["session_id"]) is not None)
            for one in activity(client, user)
        ]
    except SessionsNotFilled:
        return []


def _traffic(sent: Sent, random_: random.Random, users: list[str], begin: datetime) -> list[dict[str, Any]]:
    """Pauses just below and just at the limit, out of order; a repeat now and then, some late ones."""
    found = []
    for user in users:
        at = begin
        for _ in range(random_.randrange(1, 4)):
            at += timedelta(seconds=random_.choice((0.5, 12, 29.999, 30)))
            found.append(sent.event(user, at, random_.choice(KINDS)))
    random_.shuffle(found)
    found += random_.sample(found, len(found) // 5)
    found += [sent.event(user, begin - timedelta(minutes=2), "purchase") for user in users[:5]]
    return found


def test_an_open_session_is_seen_grows_and_joins(
    settings: Settings, sent: Sent, part: Callable[[], OwnProcess]
) -> None:
    part()
    sent.send(sent.event("zoe", datetime.now(UTC)))
    _until(lambda: len(_live(settings, "zoe")), 1)
    now = datetime.now(UTC)
    first, second, between = (sent.event("ann", now - timedelta(seconds=s)) for s in (45, 0, 22))
    sent.send(first)
    _until(lambda: _live(settings, "ann"), [(1, "ended", True)])
    sent.send(second)
    _until(lambda: _live(settings, "ann"), [(1, "ended", True), (1, "open", True)])
    began = time.monotonic()
    sent.send(between, first)
    _until(lambda: _live(settings, "ann"), [(3, "open", True)])
    print(f"seen after {time.monotonic() - began:.2f} s")
    client, whole = valkey(settings), session_id(STREAM, first["event_id"])
    assert 0 < client.ttl(session_key(whole)) <= 1800
    assert 0 < client.execute_command("HTTL", activity_key("ann"), "FIELDS", 1, whole)[0] <= 3600
    assert not client.exists(session_key(session_id(STREAM, second["event_id"])))


def test_sessions_are_closed_once_through_kills(settings: Settings, sent: Sent, part: Callable[[], OwnProcess]) -> None:
    random_ = random.Random(5)
    # Old enough to be closed within the test, young enough to be in time.
    begin = datetime.now(UTC) - timedelta(seconds=285)
    made = _traffic(sent, random_, [f"u{number:02d}" for number in range(70)], begin)
    share = len(made) // 4
    for number in range(4):
        running = part()
        sent.send(*made[number * share : (number + 1) * share if number < 3 else None])
        time.sleep(random_.uniform(0, 7))
        running.kill()
    valkey(settings).flushall()
    running = part()
    early = {key: found for key, found in sent.sessions().items() if found[0].startswith("u")}
    assert len(early) > 60
    # A kill while sessions are being closed and told.
    _until(lambda: len(_told(settings)) > len(early) // 3, True)
    running.kill()
    part()
    _until(lambda: {key for key in _closed(settings) if key in early} == set(early), True)
    assert {key: found for key, found in _closed(settings).items() if key in early} == early
    _until(lambda: {key for key in _told_figures(settings) if key in early} == set(early), True)
    _until(lambda: valkey(settings).get(RUN) is not None, True)


def test_what_is_in_doubt_is_told_once(settings: Settings, sent: Sent, part: Callable[[], OwnProcess]) -> None:
    """Killed after a session was told and before that was marked; then after it was closed and before it was told."""
    with psycopg.connect(settings.postgres_dsn("headrace")) as connection:
        connection.execute("update closed_sessions set told = false")
    sent.send(sent.event("bob", datetime.now(UTC) - timedelta(seconds=296), "purchase"))
    keeper = Keeper(settings)

    def died() -> int:
        raise InterruptedError

    keeper._topic.send = died  # type: ignore[method-assign]
    bob = next(key for key, found in sent.sessions().items() if found[0] == "bob")
    deadline = time.monotonic() + SECONDS
    while bob not in _closed(settings):
        assert time.monotonic() < deadline
        try:
            keeper.step()
        except InterruptedError:
            continue
    keeper.close()
    assert bob not in _told_figures(settings)
    part()
    _until(lambda: bob in _told_figures(settings), True)
    _until(lambda: _rows(settings, "select count(*) from closed_sessions where not told"), [(0,)])
    told = Counter(one["session_id"] for one in _told(settings))
    assert set(told.values()) == {1}
    closed = {key: found for key, found in sent.sessions().items() if key in told}
    assert _told_figures(settings) == closed == _closed(settings)
    # The figures are kept in the same transaction as the offsets.
    counted = (sent.late(), len(sent.events) - len(sent.firsts()), 0)
    assert _rows(settings, "select late, repeated, refused from session_streams") == [counted]
    assert _live(settings, "bob") == [(1, "closed", False)]
    with pytest.raises(AnotherRuns):
        Keeper(settings)


def test_another_rule_finds_what_is_open_anew(settings: Settings, sent: Sent, part: Callable[[], OwnProcess]) -> None:
    def kept() -> list[int]:
        found = _rows(settings, "select events from open_sessions where user_id = 'eve' order by started_at")
        return [row[0] for row in found]

    part()
    now = datetime.now(UTC)
    first, second = (sent.event("eve", now - timedelta(seconds=s)) for s in (105, 5))
    sent.send(first, second)
    _until(kept, [1, 1])
    contracts = published.read(settings)
    rule = contracts[STREAM].sessions
    assert rule is not None
    longer = replace(contracts[STREAM], sessions=replace(rule, gap_seconds=600))
    published.publish(settings, contracts | {STREAM: longer})
    try:
        _until(kept, [2])
        _until(lambda: _live(settings, "eve"), [(2, "open", True)])
        assert not valkey(settings).exists(session_key(session_id(STREAM, second["event_id"])))
        sent.send(sent.event("eve", datetime.now(UTC)))
        _until(kept, [3])
    finally:
        published.publish(settings, contracts)
