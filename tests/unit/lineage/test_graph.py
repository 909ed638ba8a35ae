"""Trees up and down, names as people say them, and events that OpenLineage's own classes made."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from headrace.lineage import events
from headrace.lineage.collect import models, reports
from headrace.lineage.graph import Edge, Graph, Unknown
from headrace.lineage.names import canonical, key, metric, report, table, topic
from headrace.lineage.store import Malformed, _row

AT = datetime(2026, 3, 3, tzinfo=UTC)
CAME, RAW, FACT = topic("rest.marketplace.orders.insert"), table("raw", "orders"), table("curated", "fct_orders")
GRAPH = Graph(
    [
        Edge(CAME, RAW, "land"), Edge(RAW, FACT, "dbt"), Edge(FACT, metric("sales"), "m"), Edge(CAME, key("orders_1m"), "live"),
        Edge(key("orders_1m"), metric("sales"), "m"), Edge(metric("sales"), report("chat"), "asked"),
    ]
)  # fmt: skip


def test_a_metric_is_followed_to_its_topic_on_both_ways() -> None:
    up = GRAPH.tree(metric("sales"), "up")
    assert {branch.node for branch in up.branches} == {FACT, key("orders_1m")}
    assert [b.node for b in up.branches[0].branches] == [RAW]
    down = GRAPH.tree(CAME, "down").document()
    assert {branch["name"] for branch in down["branches"]} == {RAW.name, "window:orders_1m"}


@pytest.mark.parametrize(
    ("name", "found"), [("fct_orders", [FACT]), ("curated.fct_orders", [FACT]), ("orders", [CAME, RAW]), ("orders_1m", [key("orders_1m")])]
)  # fmt: skip
def test_names_as_people_say_them(name: str, found: list[object]) -> None:
    assert GRAPH.find(name) == sorted(found)  # type: ignore[type-var]


def test_a_wrong_name_is_told_what_is_like_it() -> None:
    with pytest.raises(Unknown, match=r"curated\.fct_orders"):
        GRAPH.find("fct_order")


def test_what_is_around_leaves_out_the_rest() -> None:
    assert len(GRAPH.around([RAW])) == 4


def test_a_circle_ends() -> None:
    circle = Graph([Edge(RAW, FACT, "a"), Edge(FACT, RAW, "b")])
    assert circle.tree(RAW, "down").branches[0].branches[0].again


def test_events_are_of_openlineage_and_told_again_are_the_same() -> None:
    one, two = (events.run("n", "j", "COMPLETE", "key", AT, [RAW], [FACT]) for _ in range(2))
    assert one["run"]["runId"] == two["run"]["runId"]
    assert one["schemaURL"].startswith("https://openlineage.io/spec/")
    design = events.job("n", "j", [RAW], [FACT], AT)
    later = events.job("n", "j", [RAW], [FACT], datetime(2026, 4, 1, tzinfo=UTC))
    assert _row(design)[0] == _row(later)[0], "a design that did not change is one event"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"job": {"name": "x"}},
        {"job": {"namespace": "n", "name": "j"}, "eventTime": "soon"},
        {"job": {"namespace": "n", "name": "j"}, "eventTime": "2026-03-03T00:00:00Z", "inputs": {"namespace": "n"}},
    ],
)
def test_what_is_no_event_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        _row(wrong)


def test_what_names_no_data_is_bare_and_its_lists_are_lists() -> None:
    told = {"job": {"namespace": "n", "name": "j"}, "eventTime": "2026-03-03T00:00:00Z", "inputs": None}
    *_, kept, bare = _row(told)
    assert bare
    assert kept.obj["inputs"] == kept.obj["outputs"] == [], "the view counts them"
    assert not _row(told | {"outputs": [FACT._asdict()]})[-1]


def test_one_name_for_a_table_whoever_tells_of_it() -> None:
    assert canonical("trino://127.0.0.1:8443", "lake.curated.fct_orders") == FACT
    assert canonical("kafka://10.0.0.1:9092", CAME.name) == CAME


def test_dbt_s_manifest_becomes_jobs() -> None:
    raw = {"schema": "raw", "name": "orders"}
    fact = {
        "resource_type": "model",
        "schema": "curated",
        "name": "fct_orders",
        "depends_on": {"nodes": ["source.raw.orders"]},
    }
    exposure = {"name": "chat", "label": "Chat", "depends_on": {"nodes": ["model.fct_orders"]}}
    manifest = {
        "nodes": {"model.fct_orders": fact},
        "sources": {"source.raw.orders": raw},
        "exposures": {"e": exposure},
    }
    [made], [read] = models(manifest, AT), reports(manifest, AT)
    assert made["inputs"][0]["name"] == "raw.orders" and made["outputs"][0]["name"] == "curated.fct_orders"
    assert read["outputs"][0]["name"] == "Chat"
