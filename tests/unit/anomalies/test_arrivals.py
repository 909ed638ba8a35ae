"""Messages become figures once, whatever is repeated, late or broken; a restart takes up what was open."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from headrace.anomalies.arrivals import SPEC, People, put_rows
from headrace.anomalies.findings import Finding, Look
from headrace.anomalies.incidents import Incidents, opened
from headrace.anomalies.ledger import document
from headrace.anomalies.measures import Tuning
from headrace.anomalies.ring import MINUTES, Ring
from headrace.anomalies.users import Users

MINUTE = 30_000_000
NOW = MINUTE * 60 + 30.0


def _row(**change: Any) -> bytes:
    keys = {"merchant_id": "m1", "transaction_type": "purchase", "currency": "EUR", "region": "asia"}
    row = {
        "spec": SPEC, "window_start": MINUTE * 60, "late": False, "keys": keys, "generation": 1, "n": 4,
        "values": {"count": 4, "sum_amount": "40.00", "max_amount": "15.00", "min_amount": "5.00"},
        "last_event_ms": MINUTE * 60_000 + 5000,
    }  # fmt: skip
    return json.dumps(row | change).encode()


def test_rows_of_live_windows_fill_the_ring() -> None:
    ring = Ring()
    values = [_row(), b"nonsense", _row(late=True, n=99), _row(spec="other", n=99), _row(window_start=2 * MINUTE * 60)]
    assert put_rows(ring, values, NOW) == MINUTE
    assert len(ring.cells) == 1
    column = MINUTE % MINUTES
    assert (ring.n[0, column], ring.total[0, column], ring.largest[0, column]) == (4, 40, 15)
    assert ring.last[0] == MINUTE * 60 + 5


def _event(offset: int, partition: int = 0, **quality: Any) -> bytes:
    event = {
        "event_id": "e", "event_time": "2027-01-15T08:00:10Z", "user_id": "u1", "merchant_id": "m1",
        "transaction_type": "purchase", "region": "asia",
        "quality": {"late": False, "topic": "t", "partition": partition, "offset": offset} | quality,
    }  # fmt: skip
    return json.dumps(event).encode()


def test_an_accepted_transaction_counts_once_in_any_order() -> None:
    users = Users()
    now = 1_800_000_000.0
    people = People(users)
    people.put([_event(5_000_007), _event(5_000_003), _event(5_000_007), _event(3, partition=1), b"{}"], now)
    people.put([_event(5_000_003), _event(9_000_000, late=True), _event(5_000_003)], now)
    assert users._n[0].sum() == 3


def _finding(at: float) -> Finding:
    return Finding("merchant", "m1", "purchases", "", at, 5, 90, 30, 14, 46, 8.0)


def test_a_restart_takes_up_what_is_open() -> None:
    before = Incidents(Tuning())
    (incident,) = before.step(Look(NOW, [_finding(NOW)], {}))
    assert json.loads(document(incident))["window_start"].endswith("+00:00")
    after = Incidents(Tuning())
    after.restore([replace(incident, last_at=NOW + 60)])
    assert after.step(Look(NOW + 65, [_finding(NOW + 65)], {})) == []
    calm = {incident.key: (0.5, 0.5)}
    assert after.step(Look(NOW + 200, [], calm)) == []
    (closed,) = after.step(Look(NOW + 400, [], calm))
    assert (closed.id, closed.state, closed.closed_at) == (incident.id, "closed", NOW + 400)
    again = Incidents(Tuning())
    again.restore([closed])
    long = replace(_finding(NOW + 420), minutes=15)
    assert again.step(Look(NOW + 420, [long], {})) == []
    assert opened(_finding(NOW + 900)).id != incident.id
