"""A question's whole way over stores in memory: routing at the coverage point, policy, audit, evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from headrace.assistant.answer import Answer
from headrace.assistant.history import HistoryUnavailable
from headrace.assistant.pipeline import Assistant, Question
from headrace.assistant.rates import RatesUnknown
from headrace.assistant.run import Runner
from headrace.policy import Identity
from headrace.policy.audit import AuditUnavailable
from headrace.quality.figures import Figure, Verdict
from tests.unit.assistant.world import ADMIN, NOW, RATES, VIEWER, VOCABULARY, Event, FakeAudit, FakeHistory, FakeStore

COVERED = NOW.replace(hour=10, minute=0, second=0)
EVENTS = [
    Event(NOW.replace(hour=8), Decimal("100.10")),
    Event(NOW.replace(hour=9), Decimal("50"), "refund"),
    Event(NOW.replace(hour=10, minute=20), Decimal("10.01"), region="asia"),
    Event(NOW.replace(hour=10, minute=37), Decimal("8"), currency="EUR"),
    Event(NOW - timedelta(days=1), Decimal("70")),
]


class World:
    def __init__(self, coverage: datetime | None = COVERED) -> None:
        self.store = FakeStore([e for e in EVENTS if coverage is None or e.at >= coverage])
        self.history = FakeHistory([e for e in EVENTS if coverage and e.at < coverage])
        self.audit = FakeAudit()
        self.runner = Runner(self.store, self.history, lambda: RATES, lambda: coverage, seconds=5)
        self.assistant = Assistant(lambda: VOCABULARY, self.runner, self.audit, clock=lambda: NOW)

    def ask(self, text: str, who: Identity = ADMIN, conversation: str | None = "c") -> Answer:
        return self.assistant.answer(who, Question(text, conversation), "id-1")


def test_a_figure_that_spans_the_coverage_point_is_the_whole() -> None:
    answer = World().ask("sales today including the last minute")
    assert answer.status == "answered"
    assert answer.data.rows == [[119.11]]  # 100.10 + 10.01 + 8 × 1.125
    assert "119.11 USD" in answer.text
    assert answer.plan["source"] == "both"
    assert [f.part for f in answer.freshness] == ["historical", "live"]
    assert answer.freshness[0].through == COVERED
    assert [s.engine for s in answer.sql] == ["trino", "live"]
    assert answer.confidence and answer.confidence.level == "high"


def test_what_is_wholly_history_does_not_touch_the_live_store() -> None:
    world = World()
    assert world.ask("sales yesterday").data.rows == [[70.0]]
    assert world.store.reads == 0


def test_the_last_minutes_do_not_need_trino() -> None:
    world = World()
    world.history.error = HistoryUnavailable("down")
    answer = world.ask("transactions in the last 20 minutes")
    assert answer.data.rows == [[2]]
    assert answer.plan["source"] == "live"


def test_what_is_not_kept_live_says_through_when() -> None:
    world = World()
    answer = world.ask("sales by merchant country today")
    assert answer.plan["source"] == "historical"
    assert world.history.requests[0].stretch.end == COVERED
    assert "complete through 2026-11-21 10:00 UTC" in answer.text
    assert answer.confidence and answer.confidence.level == "medium"


def test_before_history_is_built_live_answers_and_says_so() -> None:
    answer = World(coverage=None).ask("transactions today")
    assert answer.data.rows == [[4]]
    assert "History is still being built" in answer.text


def test_before_history_is_built_the_rest_is_declined() -> None:
    answer = World(coverage=None).ask("sales by merchant country today")
    assert answer.status == "declined"
    assert "still being built" in answer.text
    assert not answer.data.rows


def test_late_events_are_in_the_figure_and_are_named() -> None:
    world = World()
    world.store.events.append(Event(NOW.replace(minute=5), Decimal(1), late=True))
    answer = world.ask("sales today")
    assert answer.data.rows == [[120.11]]
    assert "1 events came late" in answer.text or "1 event came late" in answer.text


def test_a_ranking_is_cut_after_the_join() -> None:
    answer = World().ask("top region by sales today")
    assert answer.data.rows == [["europe", 109.1]]
    assert answer.insights[0].startswith("Europe has the most sales: 109.10 USD, 91.6 % of the total")
    assert answer.charts[0]["mark"]["type"] == "bar"


def test_a_comparison_reads_both_periods() -> None:
    answer = World().ask("sales today vs yesterday")
    assert answer.insights == ["Sales: up 49.11 USD (70.2 %) against yesterday (70.00 USD)."]


def test_a_series_is_a_line_with_utc_buckets() -> None:
    answer = World().ask("transactions by hour today")
    assert [r[0] for r in answer.data.rows] == [f"2026-11-21T{h:02}:00:00+00:00" for h in (8, 9, 10)]
    assert answer.charts[0]["mark"]["type"] == "line"


def test_a_follow_up_continues_the_conversation_of_the_same_person_only() -> None:
    world = World()
    world.ask("sales by region today")
    assert world.ask("and yesterday?").data.rows == [["europe", 70.0]]
    assert world.ask("and yesterday?", VIEWER).status == "asked"


def test_the_reply_to_a_question_back_completes_it() -> None:
    world = World()
    asked = world.ask("revenue yesterday")
    assert (asked.status, asked.suggestions) == ("asked", ["Sales", "Net sales"])
    assert world.ask("2").plan["metrics"] == ["net_sales"]
    world.ask("revenue yesterday")
    assert world.ask("net sales").data.rows == [[70.0]]


def test_a_refusal_says_why_and_is_recorded() -> None:
    world = World()
    answer = world.ask("sales by user today", VIEWER)
    assert answer.status == "declined"
    assert "dimension user_id" in answer.text
    assert not answer.data.rows
    assert [(e.actor, e.allowed) for e in world.audit.entries] == [("vera", False)]
    assert world.store.reads == 0 and not world.history.requests


def test_every_answer_is_recorded_with_its_plan() -> None:
    world = World()
    world.ask("sales today")
    (entry,) = world.audit.entries
    assert entry.allowed and entry.detail["plan"]["metrics"] == ["sales"] and entry.detail["correlation_id"] == "id-1"


def test_no_record_no_figures() -> None:
    world = World()
    world.audit.broken = True
    with pytest.raises(AuditUnavailable):
        world.ask("sales today")


def test_without_rates_no_amount_is_invented() -> None:
    world = World()

    def none() -> object:
        raise RatesUnknown("No rate is known for EUR.")

    world.assistant._runner._rates = none  # type: ignore[assignment]
    answer = world.ask("sales in the last 5 minutes")
    assert (answer.status, answer.data.rows) == ("declined", [])
    assert world.ask("transactions in the last 5 minutes").status == "answered"


def test_a_live_store_that_stands_still_is_said() -> None:
    world = World()
    world.store.events.clear()
    answer = world.ask("transactions in the last 5 minutes")
    assert answer.data.rows == [[0]]
    assert "The live store holds no events" in answer.text
    world.store.events.append(Event(NOW - timedelta(minutes=20), Decimal(1)))
    answer = world.ask("transactions in the last 5 minutes")
    assert "No live event is newer than 2026-11-21 10:17 UTC" in answer.text
    assert answer.confidence and answer.confidence.level == "medium"


def _limited(monkeypatch: pytest.MonkeyPatch, limits: dict[str, tuple[str, ...]]) -> None:
    monkeypatch.setattr("headrace.assistant.permit.row_limits", lambda _: limits)


def test_a_person_with_row_limits_sees_their_rows_live_and_historical(monkeypatch: pytest.MonkeyPatch) -> None:
    _limited(monkeypatch, {"region": ("asia",)})
    world = World()
    answer = world.ask("sales today", VIEWER)
    assert answer.data.rows == [[10.01]]
    assert "Only the rows that you may see are counted" in answer.text
    assert [(d.name, f.values) for d, f in world.history.requests[0].filters] == [("region", ("asia",))]
    assert world.ask("sales in europe today", VIEWER).data.rows == [[0.0]]


def test_row_limits_that_cannot_be_kept_give_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    _limited(monkeypatch, {"region": ()})
    assert world.ask("sales today", VIEWER).status == "declined"
    _limited(monkeypatch, {"shoe_size": ("43",)})
    answer = world.ask("sales today", VIEWER)
    assert (answer.status, answer.data.rows) == ("declined", [])
    assert world.store.reads == 0 and not world.history.requests


def test_an_answer_quotes_how_good_its_tables_are() -> None:
    world = World()
    fact = replace(VOCABULARY.metrics["sales"], tables=("curated.fct_transactions",))
    vocabulary = replace(VOCABULARY, metrics={**VOCABULARY.metrics, "sales": fact})
    figure = Figure("curated.fct_transactions", NOW.date(), "completeness", 9, 10, Decimal("99.99"))
    asked: list[tuple[str, ...]] = []

    def verdicts(tables: tuple[str, ...]) -> list[Verdict]:
        asked.append(tables)
        return [Verdict(tables[0], NOW.date(), (figure,))]

    assistant = Assistant(lambda: vocabulary, world.runner, world.audit, clock=lambda: NOW, quality=verdicts)
    answer = assistant.answer(ADMIN, Question("sales yesterday"))
    assert asked == [("curated.fct_transactions",)]
    assert answer.quality[0].state == "failed" and "1 of 10 rows are not" in answer.quality[0].sentence
    assert answer.confidence and answer.confidence.level == "medium"
    assert answer.quality[0].sentence in answer.confidence.reasons
