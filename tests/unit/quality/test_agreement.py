"""Differing windows are one incident a stream, whatever their number, until all that can be compared agrees."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from headrace.anomalies.ledger import document
from headrace.quality.agreement import judged
from headrace.semantics.comparisons import EVERYTHING, Row, State
from headrace.semantics.reconcile import Standing, Summary

FIRST = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def _summary(spec: str, *states: State, standing: Standing = "compared") -> Summary:
    rows = [
        Row(FIRST + n * timedelta(minutes=1), {}, EVERYTHING, None, Decimal(1), None, state)
        for n, state in enumerate(states)
    ]
    return Summary(spec, FIRST, standing, windows=len(rows), states=Counter(states), rows=rows)


def test_a_difference_opens_follows_and_closes_one_incident() -> None:
    found = [
        _summary("by_user", "equal", "missing_live", "differs"),
        _summary("by_minute", "equal", "equal", "differs"),
    ]
    opened = judged("orders", found, 100.0, None)
    assert opened is not None
    assert (opened.id, opened.state, opened.seen) == (f"orders|reconciliation|{opened.window_start}", "open", 2.0)
    assert opened.window_start == int(FIRST.timestamp()) + 60
    assert "2 of 3 closed windows" in opened.sentence and "by_user (1 differs, 1 missing_live)" in opened.sentence
    assert '"kind": "quality"' in document(opened)
    followed = judged("orders", [_summary("by_user", "differs")], 200.0, opened)
    assert followed is not None
    assert (followed.id, followed.opened_at, followed.last_at) == (opened.id, 100.0, 200.0), "the same: told once"
    closed = judged("orders", [_summary("by_user", "equal")], 300.0, followed)
    assert closed is not None
    assert (closed.state, closed.closed_at) == ("closed", 300.0)


def test_nothing_is_told_of_agreement_and_nothing_is_closed_unseen() -> None:
    assert judged("orders", [_summary("by_user", "equal")], 100.0, None) is None
    known = judged("orders", [_summary("by_user", "differs")], 100.0, None)
    assert judged("orders", [_summary("by_user", standing="filling")], 200.0, known) is None
