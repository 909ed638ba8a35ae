"""The lake benchmark's own arithmetic: what is filled in, how answers are compared, and how times are told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlglot

from benchmarks.curated import rows
from benchmarks.curated.asking import normal, spread
from benchmarks.curated.builds import read_by_model, seconds_by_model, size, unseen
from benchmarks.curated.questions import TABLES, asked_by_metric, questions
from benchmarks.curated.showing import verdicts
from headrace.contracts.model import load_contracts
from headrace.settings import get_settings

NOW = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)
LAST = date(2026, 5, 2)


def test_the_days_end_early_enough_for_increments() -> None:
    days = rows.days_before(NOW, 60, 1_000_007)
    assert (days.start, days.end) == (datetime(2026, 3, 4, tzinfo=UTC), datetime(2026, 5, 3, tzinfo=UTC))


def test_a_stretch_is_cut_into_pieces_without_a_gap() -> None:
    cut = list(rows.pieces(rows.Stretch(5, 450_000, NOW, NOW + timedelta(days=1))))
    assert cut == [(0, 200_000), (200_000, 400_000), (400_000, 450_000)]


def test_the_statements_that_fill_are_sql_of_trino() -> None:
    contracts = load_contracts(get_settings().contracts)
    for statement in (
        rows.insert_events(contracts["transactions"], rows.days_before(NOW, 60, 100_000), 0, 100_000, 200),
        rows.merchants(contracts["merchants"], NOW),
        rows.people(contracts["customers"], 200, NOW),
        rows.rates(contracts["exchange_rates"], NOW, 61),
    ):
        assert sqlglot.parse_one(statement, read="trino").key == "insert"


@pytest.mark.parametrize(("dialect", "prefix"), [("trino", "lake.curated."), ("duckdb", ""), ("clickhouse", "")])
def test_twenty_questions_are_sql_of_every_engine(dialect: str, prefix: str) -> None:
    asked = questions(LAST)
    assert len({question.name for question in asked}) == 20
    for question in asked:
        parsed = sqlglot.parse_one(question.on(prefix), read=dialect)
        assert {table.name for table in parsed.find_all(sqlglot.exp.Table)} <= set(TABLES)
        assert parsed.args.get("order") or not parsed.args.get("group"), "rows are compared in order"


def test_questions_are_about_whole_days() -> None:
    by_name = {question.name: question.sql for question in questions(LAST)}
    assert "date_day between date '2026-05-02' and date '2026-05-02'" in by_name["sales of a day"]
    assert "event_date between date '2026-04-26' and" in by_name["sales by day from the events, 7 days"]
    assert {request.end for _, request in asked_by_metric(LAST)} == {datetime(2026, 5, 3, tzinfo=UTC)}


def test_cells_are_equal_however_an_engine_writes_them() -> None:
    trino = [[date(2026, 5, 2), Decimal("12.3000000000"), 7, None, "europe"]]
    others = [["2026-05-02", "12.30001", "7", None, "europe"]]
    assert normal(trino) == normal(others)
    assert normal([[Decimal("12.31")]]) != normal([["12.30"]])


def test_percentiles_are_times_that_were_measured() -> None:
    assert spread([float(n) for n in range(1, 101)]) == {"p50": 50.0, "p95": 95.0}
    assert spread([3.0, 1.0, 2.0, 9.0, 4.0]) == {"p50": 3.0, "p95": 9.0}


def test_rows_and_bytes_belong_to_the_model_that_read_them() -> None:
    def said(node: str, positions: int, bytes_read: str) -> dict[str, Any]:
        stats = {"rawInputPositions": positions, "physicalInputDataSize": bytes_read}
        return {"query": f'/* {{"app": "dbt", "node_id": "{node}"}} */ select 1', "queryStats": stats}

    statements = {
        "1": said("model.headrace.merchant_day", 10, "1.5MB"),
        "2": said("model.headrace.merchant_day", 5, "2kB"),
        "3": said("test.headrace.not_null_merchant_day.0a1", 3, "0B"),
        "4": {"query": "select 2", "queryStats": {"rawInputPositions": 99, "physicalInputDataSize": "1GB"}},
    }
    assert read_by_model(statements) == (
        {"merchant_day": 15, "not_null_merchant_day": 3, "unnamed": 99},
        1_001_502_000.0,
    )
    assert size("12.50kB") == 12_500


def test_tests_are_told_apart_from_models() -> None:
    ran = [("model.headrace.a", 1.234), ("test.headrace.b.0", 2.0), ("test.headrace.c.1", 0.5)]
    results = {"results": [{"unique_id": name, "execution_time": took} for name, took in ran]}
    assert seconds_by_model(results) == ({"a": 1.23}, 2.5)


def test_a_statement_that_trino_forgot_is_named() -> None:
    ran = {"model.headrace.a": "q1", "model.headrace.b": "q2", "test.headrace.c.1": "q3"}
    results = {"results": [{"unique_id": name, "adapter_response": {"query_id": q}} for name, q in ran.items()]}
    assert unseen(results, {"q1": {}}) == ["b"]


def test_slow_and_different_answers_are_named() -> None:
    def found(name: str, p95: float, different: list[str]) -> dict[str, Any]:
        took = {"trino": {"p50": 1, "p95": p95}, "kept": {"p50": 1, "p95": p95 / 10}}
        return {"question": name, "milliseconds": took, "different": different}

    told = verdicts({"questions": [found("a", 20, []), found("b", 201, ["chdb"])], "by_metric": []})
    assert told == [
        "p95 of Trino under 200 ms: 1 of 2; not: b",
        "p95 of what the API keeps under 200 ms: 2 of 2",
        "Answers equal, row by row: no; not: b: chdb",
    ]
