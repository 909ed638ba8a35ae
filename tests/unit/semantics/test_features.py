"""Features as the repository declares them, and the statement that reads them as of a moment."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pytest
import sqlglot

from headrace.contracts.model import load_contracts
from headrace.keys.features import fields_of, moment
from headrace.live.layout import SEPARATOR
from headrace.semantics.asof import asof_sql, columns, streams
from headrace.semantics.catalogue import SemanticCatalogue, build
from headrace.semantics.features import NotAFeature, feature_sets
from headrace.semantics.manifest import as_written
from headrace.semantics.measures import specs
from headrace.settings import get_settings
from tests.unit.semantics.declared import raw_manifest

CONTRACTS = load_contracts(get_settings().contracts)
ASKED = [("u'1", datetime(2026, 11, 21, 10, 0, 30, tzinfo=UTC)), ("u2", datetime(2026, 11, 20, 9, 5, tzinfo=UTC))]


@lru_cache(maxsize=1)
def declared() -> tuple[Any, SemanticCatalogue]:
    manifest = as_written(raw_manifest())
    return manifest, build(manifest, CONTRACTS)


def test_customers_and_merchants_have_features() -> None:
    manifest, known = declared()
    found = feature_sets(manifest, known)
    assert set(found) == {"customer", "merchant"}
    assert streams(found["customer"], manifest, known) == {"transactions", "app_events"}
    simple = {name for name, _ in columns(found["merchant"], known)}
    assert simple == {"purchases", "sales", "refunds", "largest_purchase", "orders_placed"}


def test_the_statement_is_one_and_its_words_are_data() -> None:
    manifest, known = declared()
    for features in feature_sets(manifest, known).values():
        sql = asof_sql(features, ASKED, manifest, known)
        (parsed,) = sqlglot.parse(sql, dialect="trino")
        assert parsed is not None
        assert "'u''1'" in sql and "transaction_type = 'purchase'" in sql and "Dimension" not in sql
        assert "if(fact.origin = 'stream', fact.arrived_at, fact.event_time) <= moments.asked_at" in sql
        assert "where fact.event_time >= timestamp '2026-11-20 08:05:00 UTC'" in sql


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"minutes": [61]}, "live windows reach 60 back"),
        ({"metrics": ["nonsense"]}, "no metric nonsense"),
        ({"metrics": ["active_customers"]}, "not added up live"),
        ({"metrics": ["orders"]}, "not added up live"),
    ],
)
def test_what_cannot_be_known_at_any_moment_is_refused(change: dict[str, Any], told: str) -> None:
    raw = raw_manifest()
    model = next(m for m in raw["semantic_models"] if m["name"] == "customers")
    model["config"]["meta"]["features"].update(change)
    manifest = as_written(raw)
    with pytest.raises(NotAFeature, match=told):
        feature_sets(manifest, build(manifest, CONTRACTS))


def test_the_rows_of_one_entity_are_named_one_by_one() -> None:
    manifest, _ = declared()
    by_name = {spec.name: spec for spec in specs(manifest, CONTRACTS)}
    fields = fields_of(by_name["transactions_by_user"], "user_id", "u1", CONTRACTS["transactions"])
    assert len(fields) == 2 * 4 * 6 * 4
    assert SEPARATOR.join(["0", "u1", "purchase", "EUR", "europe"]) in fields
    assert fields_of(by_name["transaction_amounts"], "currency", "EUR", CONTRACTS["transactions"]) == []


def test_a_moment_without_a_zone_is_utc() -> None:
    assert moment("2026-11-21T10:00:00") == moment("2026-11-21T12:00:00+02:00")
