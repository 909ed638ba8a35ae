"""Requests become Trino SQL of the published definitions, and a value never becomes anything but a value."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from headrace.semantics import CannotCompile, Condition, Request, compile_sql
from headrace.semantics import manifest as manifests
from headrace.settings import Settings
from tests.unit.semantics.declared import raw_manifest

START, END = datetime(2026, 1, 1, 22, 30, tzinfo=UTC), datetime(2026, 1, 3, 7, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings(home=tmp_path_factory.mktemp("home"))
    made.etc.mkdir()
    manifests.path(made).write_text(json.dumps(raw_manifest()))
    return made


def test_columns_come_as_asked(settings: Settings) -> None:
    request = Request(
        ("sales", "net_sales"), ("transaction__region",), start=START, end=END, grain="hour", order=("-sales",), limit=3
    )
    parsed = sqlglot.parse_one(compile_sql(request, settings), dialect="trino")
    assert [e.alias_or_name for e in parsed.expressions] == [
        "metric_time__hour",
        "transaction__region",
        "sales",
        "net_sales",
    ]
    assert "timestamp '2026-01-01 22:30:00 UTC'" in compile_sql(request, settings)
    assert {t.name for t in parsed.find_all(exp.Table) if t.db} == {"fct_transactions"}


def test_a_hostile_value_stays_a_value(settings: Settings) -> None:
    hostile = "x') or 1=1; drop table curated.fct_transactions --"
    sql = compile_sql(Request(("sales",), where=(Condition("transaction__region", (hostile, "o'hara")),)), settings)
    [statement] = sqlglot.parse(sql, dialect="trino")
    literals = {literal.this for literal in statement.find_all(exp.Literal)}
    assert {hostile, "o'hara"} <= literals
    assert not list(statement.find_all(exp.Or))


@pytest.mark.parametrize(
    "request_",
    [
        Request(("sals",)),
        Request(("sales",), ("order__order_status",)),
        Request(("sales",), where=(Condition("transaction__region", ("{{ 1 }}",)),)),
        Request(("sales",), where=(Condition("region') }} or true --", ("x",)),)),
        Request(("sales",), start=datetime(2026, 1, 1)),
        Request(("sales",), start=datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)),
    ],
    ids=["metric", "dimension", "braces", "name", "no zone", "seconds"],
)
def test_what_cannot_be_compiled_says_why(settings: Settings, request_: Request) -> None:
    with pytest.raises(CannotCompile) as error:
        compile_sql(request_, settings)
    assert str(error.value)


def test_before_publication_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(manifests.NotPublished, match="headrace up"):
        compile_sql(Request(("sales",)), Settings(home=tmp_path))


def test_no_values_means_nothing_matches(settings: Settings) -> None:
    assert "in (null)" in compile_sql(Request(("sales",), where=(Condition("transaction__region", ()),)), settings)
