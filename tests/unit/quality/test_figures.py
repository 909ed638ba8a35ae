"""Figures and verdicts from counts, and which tables are measured against what."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from headrace.contracts.model import load_contracts
from headrace.lake.results import Result
from headrace.quality.figures import Figure, Verdict, verdicts
from headrace.quality.measure import NO_TESTS, Tally, counted, unmeasured_since
from headrace.quality.tables import Curated, Processed, Summary, curated

REPO = Path(__file__).resolve().parents[3]
DAY = date(2026, 3, 3)
CONTRACTS = load_contracts(REPO / "include" / "contracts")


def figure(good: int, of: int, asked: str = "99.99", name: str = "completeness") -> Figure:
    return Figure("curated.fct_orders", DAY, name, good, of, Decimal(asked))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("good", "of", "asked", "state", "percent"),
    [
        (10_000, 10_000, "100", "passed", "100.0000"),
        (9_999, 10_000, "99.99", "passed", "99.9900"),
        (9_998, 10_000, "99.99", "failed", "99.9800"),
        (99_999_999, 100_000_000, "100", "failed", "99.9999"),
        (0, 0, "100", "empty", None),
    ],
)
def test_a_figure_is_judged_by_its_counts(good: int, of: int, asked: str, state: str, percent: str | None) -> None:
    found = figure(good, of, asked)
    assert found.state == state
    assert found.percent == (None if percent is None else Decimal(percent))


def test_a_verdict_quotes_what_falls_short() -> None:
    verdict = Verdict("curated.fct_orders", DAY, (figure(90, 100), figure(5, 5, "100", "uniqueness")))
    assert verdict.state == "failed"
    assert (
        verdict.sentence
        == "curated.fct_orders on 2026-03-03: completeness 90 % (asked for 99.99 %), 10 of 100 rows are not"
    )
    assert Verdict("t", DAY, (figure(0, 0),)).state == "empty"
    assert len(verdicts([figure(1, 1), figure(1, 1, name="accuracy")])) == 1


def _model(name: str, parent: str, keys: list[str], columns: list[str]) -> dict[str, object]:
    model = {
        "resource_type": "model", "schema": "curated", "name": name, "unique_id": f"model.headrace.{name}",
        "columns": {key: {} for key in columns}, "depends_on": {"nodes": [f"model.headrace.{parent}"]},
    }  # fmt: skip
    test = {
        "resource_type": "test", "unique_id": f"test.headrace.{name}", "attached_node": f"model.headrace.{name}",
        "test_metadata": {"name": "one_row_per", "kwargs": {"keys": keys}},
    }  # fmt: skip
    return {str(model["unique_id"]): model, str(test["unique_id"]): test}


def test_a_table_with_the_same_grain_is_compared_with_its_source() -> None:
    manifest = {
        "nodes": {
            **_model("fct_transactions", "transactions", ["event_id"], ["event_id", "amount", "usd_rate"]),
            **_model("by_day", "transactions", ["event_date"], ["event_date"]),
            **_model("fct_sessions", "sessions", ["session_id"], ["session_id"]),
        }
    }
    found = curated(manifest, {name: Processed(contract) for name, contract in CONTRACTS.items()})
    kinds = {table.name: type(table) for table in found}
    assert kinds == {"curated.fct_transactions": Curated, "curated.by_day": Summary, "curated.fct_sessions": Summary}
    fact = found[0]
    assert isinstance(fact, Curated)
    assert fact.shared == ("event_id", "amount")


def test_tests_of_uniqueness_count_for_uniqueness_and_others_for_consistency() -> None:
    nodes = [("one_row_per", "pass", 0), ("not_null", "fail", 7), ("unique", "error", 0)]
    total = NO_TESTS
    for name, status, failures in nodes:
        total = counted(total, {"test_metadata": {"name": name}}, Result(name, status, failures))
    assert total == Tally(run=1, failed=1, rows=7, unique_run=2, unique_failed=1, unique_rows=0)


@pytest.mark.parametrize(
    ("measured", "first"),
    [
        (None, date(2026, 3, 30)),
        (date(2026, 3, 31), date(2026, 3, 30)),
        (date(2026, 3, 30), date(2026, 3, 30)),
        (date(2026, 3, 27), date(2026, 3, 27)),
        (date(2025, 1, 1), date(2026, 3, 17)),
    ],
)
def test_days_on_which_the_platform_rested_are_measured_when_it_is_back(measured: date | None, first: date) -> None:
    assert unmeasured_since(date(2026, 3, 31), measured) == first
