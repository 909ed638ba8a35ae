"""Each identity counts once, late ones are counted and left out, and what the contract refuses is no event."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.contracts.model import load_contracts
from headrace.sessions.arrivals import LATE, REFUSED, REPEATED, Arrivals, Record
from headrace.sessions.identities import SPAN
from headrace.settings import REPO, Settings

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
CONTRACT = load_contracts(REPO / "include" / "contracts")["app_events"]


def _arrivals() -> Arrivals:
    return Arrivals(CONTRACT, Settings())


def _record(number: int, at: datetime = NOW, after: float = 1, **changes: Any) -> Record:
    event = {
        "event_id": f"action-{number:04d}", "event_time": at.isoformat(), "user_id": "ann", "session_id": "visit",
        "event_type": "page_view", "platform": "web", "country": "DE", "region": "europe",
    }  # fmt: skip
    value = json.dumps(event | changes).encode()
    return Record("app_events", 0, number, at + timedelta(seconds=after), value)


def test_a_repeat_counts_once_and_the_first_version_is_the_event() -> None:
    arrivals = _arrivals()
    arrivals.take(_record(1))
    arrivals.take(_record(1))
    arrivals.take(_record(1, NOW + timedelta(seconds=10), event_type="purchase"))
    arrivals.take(_record(1, after=600))
    (session,) = arrivals.book
    assert (session.events, session.by_type) == (1, {"page_view": 1})
    assert arrivals.counted == {REPEATED: 3}


def test_a_late_event_is_counted_and_changes_nothing() -> None:
    arrivals = _arrivals()
    arrivals.take(_record(1))
    arrivals.take(_record(2, after=300))
    arrivals.take(_record(3, after=300.001))
    (session,) = arrivals.book
    assert (session.events, arrivals.counted) == (2, {LATE: 1})


def test_what_the_gate_corrects_is_read_as_the_gate_reads_it() -> None:
    arrivals = _arrivals()
    arrivals.take(_record(1, user_id=" ann "))
    arrivals.take(_record(2, event_type="Purchase", event_time=int(NOW.timestamp()) + 5))
    arrivals.take(_record(3, event_type="dance"))
    arrivals.take(Record("app_events", 0, 4, NOW, b"{not json"))
    arrivals.take(_record(5, NOW, after=-90))
    arrivals.take(Record("app_events", 0, 6, NOW, b'{"a":' * 100_000))
    arrivals.take(_record(7, user_id="an\0n"))
    (session,) = arrivals.book
    assert (session.user_id, session.by_type) == ("ann", {"page_view": 1, "purchase": 1})
    assert session.ended_at == NOW + timedelta(seconds=5)
    assert arrivals.counted == {REFUSED: 5}


def test_after_a_restart_identities_are_known_again_and_forgotten_in_time() -> None:
    arrivals = _arrivals()
    arrivals.recall(_record(1))
    assert not list(arrivals.book)
    arrivals.take(_record(1))
    assert arrivals.counted == {REPEATED: 1}
    arrivals.forget(NOW + timedelta(seconds=1))
    arrivals.take(_record(1))
    assert arrivals.counted == {REPEATED: 2}
    arrivals.forget(NOW + SPAN)
    arrivals.take(_record(1))
    assert len(list(arrivals.book)) == 1


def test_where_the_brokers_clock_went_back_nothing_comes_beside_a_closed_session() -> None:
    arrivals = _arrivals()
    arrivals.clock = NOW + timedelta(minutes=5, seconds=1)
    arrivals.take(_record(1))
    assert not list(arrivals.book)
    assert arrivals.counted == {LATE: 1}
