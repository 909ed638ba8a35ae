"""The rules that a contract becomes; what engines decide by them is tested on real engines."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlglot
import sqlparse

from headrace.contracts.model import Contract, Field, load_contracts
from headrace.settings import REPO
from headrace.streams.correcting import marks
from headrace.streams.dialect import SPARK, TRINO
from headrace.streams.gate import columns, given, reason, refusal, rules, texts
from headrace.streams.gate_model import trino_model

CONTRACTS = load_contracts(REPO / "include" / "contracts")


@pytest.fixture
def transactions() -> Contract:
    return CONTRACTS["transactions"]


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_both_dialects_ask_the_same_rules_in_the_same_order(contract: Contract) -> None:
    spark, trino = rules(contract, SPARK), rules(contract, TRINO)
    assert [(r.name, r.reason) for r in spark] == [(r.name, r.reason) for r in trino]
    assert [r.name for r in spark][:6] == ["empty", "excess", "encoding", "surrogate", "json", "nul"]
    assert f"future:{contract.event_time}" in [r.name for r in spark]


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_every_expression_parses(contract: Contract) -> None:
    for dialect, name in ((SPARK, "spark"), (TRINO, "trino")):
        found = rules(contract, dialect)
        steps = [step(contract, dialect).values() for step in (given, texts, columns)]
        verdict = refusal(found, dialect), reason(found, dialect), marks(contract, dialect)
        for sql in (*verdict, *(sql for step in steps for sql in step)):
            sqlglot.parse_one(f"SELECT {sql}", dialect=name)


def test_the_model_is_one_select_that_jinja_leaves_alone(transactions: Contract) -> None:
    sql = trino_model(transactions, "raw.transactions", where="landed_at > current_date")
    names = sqlglot.parse_one(sql, dialect="trino").find(sqlglot.exp.CTE)
    assert names is not None
    assert not any(mark in sql for mark in ("{{", "{%", "{#"))
    assert len(sqlparse.split(sql)) == 1, "dbt sends it in pieces"


def test_every_sentence_is_one_sentence(transactions: Contract) -> None:
    for rule in rules(transactions, TRINO):
        assert rule.reason[0].isalnum()
        assert rule.reason.endswith(".")


def test_what_each_type_is_asked() -> None:
    base = CONTRACTS["transactions"]
    extra = (
        Field("a", "decimal(9,3)", minimum=0.5),
        Field("b", "bigint", maximum=10),
        Field("c", "double"),
        Field("d", "boolean"),
        Field("e", "date"),
    )
    names = [rule.name for rule in rules(replace(base, fields=(*base.fields, *extra)), TRINO)]
    assert [name for name in names if name[-2:] in (":a", ":b", ":c", ":d", ":e")] == [
        "type:a", "type:b", "type:c", "type:d", "type:e", "places:a", "range:a", "range:a", "range:b", "range:b", "range:c",
    ]  # fmt: skip


def test_rules_ask_for_schema_then_nullability_then_range(transactions: Contract) -> None:
    stages = ["type", "required", "range", "future", "outlier"]
    asked = [name.split(":")[0] for name in [rule.name for rule in rules(transactions, TRINO)][6:]]
    asked = ["range" if name in ("places", "length", "enum") else name for name in asked]
    assert asked == sorted(asked, key=stages.index)


def test_a_contract_that_corrects_nothing_marks_nothing_and_takes_no_text_for_a_number(transactions: Contract) -> None:
    strict = replace(transactions, fields=tuple(replace(field, corrected_by=()) for field in transactions.fields))
    assert marks(strict, TRINO) == "CAST(filter(ARRAY[], x -> x IS NOT NULL) AS array(varchar))"
    assert texts(strict, SPARK)["text_currency"] == "given_currency"
    amount = next(rule for rule in rules(strict, SPARK) if rule.name == "type:amount")
    assert SPARK.is_string("amount") in amount.refuses


def test_quotes_and_backslashes_stay_what_they_are() -> None:
    assert TRINO.literal(r"o'h\a") == r"'o''h\a'"
    assert SPARK.literal(r"o'h\a") == r"'o\'h\\a'"


def test_limits_are_written_without_exponents(transactions: Contract) -> None:
    most = next(rule for rule in rules(transactions, TRINO) if "above" in rule.reason)
    assert most.refuses == "amount > 1000000"
