"""What can be added up live follows from the definitions, and only what is additive does."""

from __future__ import annotations

import pytest
from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from metricflow_semantic_interfaces.validations.semantic_manifest_validator import SemanticManifestValidator

from headrace.assistant.lexicon import stem
from headrace.contracts.model import load_contracts
from headrace.semantics import minute_model
from headrace.semantics.catalogue import SemanticCatalogue, build
from headrace.semantics.manifest import as_written, parse
from headrace.semantics.measures import NotLive, accumulator, key_limits, live_model, specs
from headrace.settings import REPO
from tests.unit.semantics.declared import MODELS, raw_manifest

CONTRACTS = load_contracts(REPO / "include" / "contracts")
KEYS = ("merchant_id", "transaction_type", "currency", "region")


@pytest.fixture(scope="module")
def catalogue() -> SemanticCatalogue:
    return build(as_written(raw_manifest()), CONTRACTS)


def test_the_live_specification_holds_what_the_measures_need() -> None:
    spec, by_user, amounts = (s for s in specs(as_written(raw_manifest()), CONTRACTS) if s.stream == "transactions")
    assert (by_user.name, by_user.keys[0], by_user.person) == ("transactions_by_user", "user_id", True)
    assert (amounts.name, amounts.keys[0], amounts.person) == ("transaction_amounts", "amount_bucket", False)
    assert amounts.expr("amount_bucket").startswith("CASE WHEN amount > 0") and amounts.expr("region") == "region"
    assert spec.accumulators == by_user.accumulators == amounts.accumulators
    assert (spec.fact, spec.time, spec.table, by_user.table) == (
        "fct_transactions",
        "event_time",
        "transactions_by_minute",
        "",
    )
    assert (spec.name, spec.stream, spec.window_seconds, spec.keys) == ("transactions_1m", "transactions", 60, KEYS)
    assert {(a.name, a.agg, a.expr, a.type) for a in spec.accumulators} == {
        ("count", "count", "1", "bigint"),
        ("sum_amount", "sum", "amount", "decimal(38,2)"),
        ("min_amount", "min", "amount", "decimal(18,2)"),
        ("max_amount", "max", "amount", "decimal(18,2)"),
    }
    assert {a.factor for a in spec.accumulators if a.name != "count"} == {"usd_rate"}


def test_the_minute_table_is_what_the_measures_say() -> None:
    for path, content in minute_model.files(MODELS, CONTRACTS).items():
        assert path.read_text() == content, f"{path.name}: run `python -m headrace.semantics.minute_model`"


def test_a_simple_metric_is_read_live_through_its_filter(catalogue: SemanticCatalogue) -> None:
    sales = catalogue.metrics["sales"].live
    assert sales is not None
    assert (sales.stream, sales.accumulator, sales.factor) == ("transactions", "sum_amount", "usd_rate")
    assert sales.only == (("transaction_type", ("purchase",)),)
    transactions = catalogue.metrics["transactions"].live
    assert transactions is not None
    assert (transactions.accumulator, transactions.only) == ("count", ())


def test_distinct_counts_and_percentiles_are_read_from_keys(catalogue: SemanticCatalogue) -> None:
    people, p95 = catalogue.metrics["active_customers"].live, catalogue.metrics["p95_purchase"]
    assert people and (people.agg, people.over, people.needs) == ("distinct", "user_id", {"user_id"})
    assert p95.live and (p95.live.agg, p95.live.over, p95.live.share) == ("percentile", "amount_bucket", 0.95)
    assert p95.live.needs == {"amount_bucket", "transaction_type", "currency"}
    assert p95.percentile and p95.percentile.counter == "purchases"
    assert p95.percentile.bucket == "transaction__value_bucket"
    assert "amount_bucket" not in catalogue.dimensions and "value_bucket" not in catalogue.dimensions


def test_a_dimension_that_is_not_buckets_may_not_say_so() -> None:
    raw = raw_manifest()
    model = next(m for m in raw["semantic_models"] if m["name"] == "transactions")
    next(d for d in model["dimensions"] if d["name"] == "amount_bucket")["expr"] = "CAST(amount AS INT)"
    with pytest.raises(ValueError, match="its expr must be: CASE WHEN amount > 0"):
        specs(as_written(raw), CONTRACTS)


def test_a_window_may_not_reach_over_midnight() -> None:
    raw = raw_manifest()
    model = next(m for m in raw["semantic_models"] if m["name"] == "transactions")
    model["config"]["meta"]["live"]["window_seconds"] = 7 * 3600
    with pytest.raises(ValueError, match="a day is no whole number of windows of 25200 seconds"):
        specs(as_written(raw), CONTRACTS)


@pytest.mark.parametrize("name", ["orders", "net_sales"])
def test_what_is_not_additive_is_not_live(catalogue: SemanticCatalogue, name: str) -> None:
    assert catalogue.metrics[name].live is None


@pytest.mark.parametrize(
    ("filters", "limits"),
    [
        ([], ()),
        (["{{ Dimension('transaction__region') }} in ('asia', 'europe')"], (("region", ("asia", "europe")),)),
        (
            ["{{Dimension('transaction__region')}} = 'asia' and ({{ Dimension('transaction__currency') }} = 'JPY')"],
            (("currency", ("JPY",)), ("region", ("asia",))),
        ),
        (
            ["{{ Dimension('t__region') }} in ('asia', 'europe')", "{{ Dimension('t__region') }} = 'asia'"],
            (("region", ("asia",)),),
        ),
    ],
)
def test_filters_on_keys_become_limits(filters: list[str], limits: object) -> None:
    assert key_limits(filters, KEYS) == limits


@pytest.mark.parametrize(
    "filter_",
    [
        "{{ Dimension('transaction__is_late') }} = 'true'",
        "{{ Dimension('transaction__region') }} <> 'asia'",
        "{{ Dimension('transaction__region') }} = 'asia' or {{ Dimension('transaction__region') }} = 'europe'",
        "{{ Dimension('transaction__region') }} not in ('asia')",
        "{{ Dimension('transaction__region') }} like 'a%'",
        "lower({{ Dimension('transaction__region') }}) = 'asia'",
    ],
)
def test_any_other_filter_keeps_a_metric_out_of_the_live_windows(filter_: str) -> None:
    with pytest.raises(NotLive):
        key_limits([filter_], KEYS)


@pytest.mark.parametrize(
    ("agg", "expr"),
    [
        ("average", "amount"),
        ("sum", "amount * 2"),
        ("sum", "amount / usd_rate"),
        ("count", "order_id"),
        ("sum", "usd_rate"),
    ],
)
def test_other_measures_are_refused_with_a_reason(agg: str, expr: str) -> None:
    raw = raw_manifest()
    model = next(m for m in raw["semantic_models"] if m["name"] == "transactions")
    model["measures"][0] |= {"agg": agg, "expr": expr}
    [changed] = [m for m in as_written(raw).semantic_models if m.name == "transactions"]
    live = live_model(changed, CONTRACTS)
    assert live is not None
    with pytest.raises(NotLive):
        accumulator(changed.measures[0], live)


def test_the_catalogue_knows_words_values_and_how_parts_add_up(catalogue: SemanticCatalogue) -> None:
    assert "revenue" in catalogue.metrics["sales"].synonyms
    assert catalogue.metrics["sales"].agg == "sum"
    assert catalogue.metrics["largest_purchase"].agg == "max"
    assert catalogue.metrics["active_customers"].agg is None
    assert catalogue.metrics["average_purchase"].inputs == (("sales", "sales"), ("purchases", "purchases"))
    assert catalogue.dimensions["region"].values == CONTRACTS["transactions"].field("region").values
    assert catalogue.dimensions["region"].live_key == "region"
    assert catalogue.dimensions["merchant_category"].qualified == "merchant__category"
    assert all(m.label and m.description and m.owner and m.unit for m in catalogue.metrics.values())


def test_a_dimension_has_the_name_of_the_fact_that_is_asked(catalogue: SemanticCatalogue) -> None:
    assert catalogue.qualified("region", "sales") == "transaction__region"
    assert catalogue.qualified("region", "orders") == "order__region"
    assert catalogue.qualified("region", "payouts_count") == "payout__region"
    assert catalogue.dimensions["region"].qualified == "transaction__region", "a stream that came later renames nothing"
    assert "area" in catalogue.dimensions["region"].synonyms
    assert catalogue.qualified("merchant_category", "orders") == "merchant__category"
    assert catalogue.qualified("order_status", "sales") is None


def test_what_looks_at_another_period_is_never_put_together_of_parts(catalogue: SemanticCatalogue) -> None:
    growth = catalogue.metrics["sales_growth_from_week_before"]
    assert (growth.inputs, growth.agg, growth.live, growth.finest, growth.by) == ((), None, None, "day", "week")
    assert "transaction__region" in growth.dimensions and growth.tables == ("curated.fct_transactions",)
    conversion = catalogue.metrics["search_to_purchase_rate"]
    assert (conversion.inputs, conversion.agg, conversion.live, conversion.finest) == ((), None, None, "minute")
    assert "app_event__platform" in conversion.dimensions and conversion.tables == ("curated.fct_app_events",)
    assert catalogue.metrics["funnel_conversion"].inputs, "a share of the same days is made of its parts"
    assert catalogue.metrics["buying_visitors"].finest == catalogue.metrics["cumulative_sales"].finest == "day"


def test_metrics_are_valid_for_metricflow_and_of_every_kind() -> None:
    raw = raw_manifest()
    found = SemanticManifestValidator[PydanticSemanticManifest]().validate_semantic_manifest(parse(raw))
    assert [error.message for error in found.errors] == []
    kinds = {metric["type"] for metric in raw["metrics"]}
    assert kinds == {"simple", "ratio", "derived", "conversion"}
    assert len(raw["metrics"]) >= 30 and len(raw["semantic_models"]) >= 10


def test_a_phrase_stands_for_one_metric() -> None:
    said: dict[str, str] = {}
    for metric in raw_manifest()["metrics"]:
        described = metric["config"]["meta"]
        for phrase in {metric["label"].lower(), metric["name"].replace("_", " "), *described["synonyms"]}:
            assert said.setdefault(stem(phrase), metric["name"]) == metric["name"], phrase
