"""The sinks by the names that the setting `sinks` uses, and the one that is always on. A client is loaded only for a sink that runs."""

from __future__ import annotations

from headrace.settings import Settings
from headrace.sinks.sink import Sink
from headrace.sinks.worker import Worker


def worker(settings: Settings, name: str) -> Worker:
    made = {"postgres": _postgres, "dynamodb": _dynamodb, "clickhouse": _clickhouse, "reference": _reference}
    return Worker(settings, made[name], name)


def _postgres(settings: Settings) -> Sink:
    from headrace.sinks.postgres import PostgresSink

    return PostgresSink(settings)


def _dynamodb(settings: Settings) -> Sink:
    from headrace.sinks.dynamodb import DynamoSink

    return DynamoSink(settings)


def _clickhouse(settings: Settings) -> Sink:
    from headrace.sinks.clickhouse import ClickHouseSink

    return ClickHouseSink(settings)


def _reference(settings: Settings) -> Sink:
    from headrace.sinks.reference import ReferenceSink

    return ReferenceSink(settings)
