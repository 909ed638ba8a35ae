"""The benchmark's own arithmetic: what must come out of a backlog, and how two results are compared."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from benchmarks.window_job.job import SPEC, Figures, Place
from benchmarks.window_job.report import ratio, report
from benchmarks.window_job.results import differences
from benchmarks.window_job.traffic import Backlog, records
from headrace.contracts.model import load_contracts
from headrace.contracts.structs import EventCodec, RefusedEvent
from headrace.settings import get_settings

EVENTS = 3_000
PLACE = Place(False, 1_800_000_000, "m0001", "purchase", "EUR", "europe")


@pytest.fixture(scope="module")
def made() -> tuple[Backlog, list[tuple[str, bytes, int]]]:
    contract = load_contracts(get_settings().contracts)[SPEC.stream]
    backlog = Backlog("topic", 0, 0, 0, 0, {})
    return backlog, list(records(contract, EVENTS, 3, datetime(2026, 5, 4, 10, tzinfo=UTC), backlog))


def test_the_backlog_holds_repeats_late_and_bad_events(made: tuple[Backlog, list[tuple[str, bytes, int]]]) -> None:
    backlog, sent = made
    counts = Counter(value for _, value, _ in sent)
    assert backlog.records == len(sent) == EVENTS
    assert sum(count - 1 for count in counts.values()) == backlog.repeated > 50
    assert backlog.late > 30
    assert backlog.bad > 10


@pytest.mark.parametrize("dedupe", [True, False])
def test_the_expected_windows_are_those_of_the_records(
    made: tuple[Backlog, list[tuple[str, bytes, int]]], dedupe: bool
) -> None:
    """Worked out a second time, from the bytes."""
    backlog, sent = made
    contract = load_contracts(get_settings().contracts)[SPEC.stream]
    codec = EventCodec(contract, future=timedelta(days=1000))
    amounts: dict[Place, list[Decimal]] = {}
    every = [(value, arrived) for _, value, arrived in sent]
    for value, arrived_ms in dict(reversed(every)).items() if dedupe else every:
        try:
            event = codec.decode(value, datetime.now(UTC))
        except (msgspec.DecodeError, UnicodeDecodeError, RefusedEvent):
            continue
        moment, arrived = event.event_time.timestamp(), arrived_ms / 1000
        if moment <= arrived + 60:
            keys = (getattr(event, name) for name in SPEC.keys)
            place = Place(arrived > moment + 300, int(moment // 60) * 60, *keys)
            amounts.setdefault(place, []).append(Decimal(event.amount).quantize(Decimal("0.01")))
    found = {place: Figures(len(seen), sum(seen, Decimal(0)), min(seen), max(seen)) for place, seen in amounts.items()}
    assert differences(backlog.expected[dedupe], found) == []
    counted = EVENTS - backlog.bad - (backlog.repeated if dedupe else 0)
    assert sum(row.n for row in backlog.expected[dedupe].values()) == counted


def test_a_cent_and_a_missing_row_are_differences() -> None:
    right = {PLACE: Figures(2, Decimal("3.00"), Decimal("1.00"), Decimal("2.00"))}
    assert differences(right, dict(right)) == []
    assert len(differences(right, {PLACE: right[PLACE]._replace(total=Decimal("3.01"))})) == 1
    assert len(differences(right, {PLACE: right[PLACE]._replace(total=Decimal("3.000"))})) == 1
    assert differences(right, {})[0].startswith("missing")
    assert differences({}, right)[0].startswith("too many")


def test_the_ratio_is_the_median_of_the_rounds() -> None:
    found = [
        ("spark", 0, 100),
        ("flink", 0, 50),
        ("spark", 1, 90),
        ("flink", 1, 100),
        ("spark", 2, 80),
        ("flink", 2, 80),
    ]
    runs = [{"engine": engine, "job": "with dedupe", "run": run, "rate": rate} for engine, run, rate in found]
    assert ratio(runs, "with dedupe", "flink", "rate") == {"median": 1.0, "least": 0.9, "most": 2.0}
    assert ratio(runs[:1], "with dedupe", "flink", "rate") is None
    assert ratio(runs, "with dedupe", "quix", "rate") is None


def test_a_run_that_failed_is_told_and_has_no_rate() -> None:
    run = {"engine": "spark", "job": "with dedupe", "run": 0}
    good = {**run, "events_per_second": 10, "events_per_second_whole": 5, "equal": True}
    found = report([good, {**run, "run": 1, "failed": "it ended", "equal": False}], ["with dedupe"], ["spark", "flink"])
    assert found["outputs_equal"] is False
    assert found["ratio_to_flink"] is None
    assert found["rates"] == [
        {
            "engine": "spark",
            "job": "with dedupe",
            "runs": 2,
            "running": {"median": 10, "least": 10, "most": 10},
            "whole_process": {"median": 5, "least": 5, "most": 5},
        }
    ]
