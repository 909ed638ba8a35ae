"""Tells what the platform itself knows of lineage: streaming jobs from contracts and live windows, dbt from its manifest
and its results, metrics and reports from the semantic layer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import psycopg

from headrace.lake import dbt
from headrace.lineage import store
from headrace.lineage.events import Event, job, run
from headrace.lineage.names import Node, key, metric, report, table, topic
from headrace.semantics.catalogue import SemanticCatalogue, catalogue
from headrace.semantics.manifest import NotPublished
from headrace.settings import Settings
from headrace.streams import published
from headrace.streams.spec import LiveSpec
from headrace.streams.topics import DEAD_LETTERS, METRICS

STREAMING, DBT, SEMANTICS = "headrace.streaming", "headrace.dbt", "headrace.semantics"
_STATES = {"success": "COMPLETE", "pass": "COMPLETE", "warn": "COMPLETE", "fail": "FAIL", "error": "FAIL"}


def run_all(settings: Settings) -> int:
    """Everything that is known now; how much of it was new."""
    now = datetime.now(UTC)
    file = dbt.target(settings) / "manifest.json"
    manifest = json.loads(file.read_text()) if file.is_file() else {}
    events = [*streaming(settings, now), *models(manifest, now), *reports(manifest, now), *dbt_runs(settings, manifest)]
    with suppress(NotPublished):
        known = catalogue(settings)
        specs = [spec for _, found in published.live_streams(settings) for spec in found]
        events += [*metrics(known, manifest, now), *live_metrics(known, specs, now)]
    return store.keep(settings, [*events, *job_runs(settings)])


def streaming(settings: Settings, at: datetime) -> Iterator[Event]:
    """Each stream's way into the lake and into the live store, as jobs of their own."""
    for contract in published.read(settings).values():
        came = topic(contract.topic)
        yield job(STREAMING, f"lake.land.{contract.name}", [came], [table("raw", contract.name)], at)
        refined = [topic(contract.processed_topic), topic(DEAD_LETTERS)]
        yield job(STREAMING, f"lake.refine.{contract.name}", [came], refined, at)
    for contract, specs in published.live_streams(settings):
        yield job(STREAMING, f"live.{contract.name}", [topic(contract.topic)], [topic(METRICS)], at)
        # All windows lie in one topic: the projector is told stream by stream, or each key would seem to come from all.
        yield job(
            STREAMING, f"projector.{contract.name}", [topic(contract.topic)], [key(spec.name) for spec in specs], at
        )


def models(manifest: dict[str, Any], at: datetime) -> Iterator[Event]:
    nodes = manifest.get("nodes", {})
    for node in nodes.values():
        if node["resource_type"] == "model":
            yield job(DBT, node["name"], _parents(node, manifest), [table(node["schema"], node["name"])], at)


def reports(manifest: dict[str, Any], at: datetime) -> Iterator[Event]:
    for exposure in manifest.get("exposures", {}).values():
        yield job(
            DBT,
            f"exposure.{exposure['name']}",
            _parents(exposure, manifest),
            [report(exposure["label"] or exposure["name"])],
            at,
        )


def metrics(known: SemanticCatalogue, manifest: dict[str, Any], at: datetime) -> Iterator[Event]:
    """A metric is read from a table, from live windows, or from other metrics; who may ask for it reads it."""
    for info in known.metrics.values():
        read = [metric(name) for _, name in info.inputs] or [
            Node(table("", "").namespace, name) for name in info.tables
        ]
        yield job(SEMANTICS, f"metric.{info.name}", read, [metric(info.name)], at)
    for exposure in manifest.get("exposures", {}).values():
        name = exposure["label"] or exposure["name"]
        yield job(SEMANTICS, f"asked.{exposure['name']}", [metric(m) for m in known.metrics], [report(name)], at)


def live_metrics(known: SemanticCatalogue, specs: list[LiveSpec], at: datetime) -> Iterator[Event]:
    """The live side of a metric: the windows of its stream that have the keys which it needs."""
    for info in known.metrics.values():
        if info.live is not None:
            able = [s for s in specs if s.stream == info.live.stream and info.live.needs <= set(s.keys)]
            if able:
                yield job(SEMANTICS, f"live.{info.name}", [key(spec.name) for spec in able], [metric(info.name)], at)


def dbt_runs(settings: Settings, manifest: dict[str, Any]) -> Iterator[Event]:
    """What dbt's last runs came to, model by model."""
    nodes = manifest.get("nodes", {})
    sql = "select node, status, finished_at, invocation from dbt_results where finished_at > now() - interval '2 days'"
    for name, status, finished, invocation in _rows(settings, sql):
        node = nodes.get(name)
        if node and node["resource_type"] == "model" and status in _STATES:
            made = [table(node["schema"], node["name"])]
            yield run(DBT, node["name"], _STATES[status], invocation, finished, _parents(node, manifest), made)


def job_runs(settings: Settings) -> Iterator[Event]:
    """Streaming jobs run for as long as the platform does: the state each is in, once for each start."""
    for name, state, started in _rows(
        settings, "select job, state, started_at from streams where started_at is not null"
    ):
        told = {"running": "RUNNING", "failed": "FAIL"}.get(state)
        if told:
            yield run(STREAMING, name, told, started.isoformat(), started)


def _parents(node: dict[str, Any], manifest: dict[str, Any]) -> list[Node]:
    known = {**manifest.get("nodes", {}), **manifest.get("sources", {})}
    parents = [known[name] for name in node["depends_on"]["nodes"] if name in known]
    return [table(parent["schema"], parent["name"]) for parent in parents]


def _rows(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.postgres_dsn("headrace"), connect_timeout=3) as connection:
        return connection.execute(sql).fetchall()
