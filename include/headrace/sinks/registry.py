"""The sinks by the names that the setting `sinks` uses. A client is loaded only for a sink that is set."""

from __future__ import annotations

from headrace.settings import Settings, SinkName
from headrace.sinks.sink import Sink
from headrace.sinks.worker import Worker


def worker(settings: Settings, name: SinkName) -> Worker:
    made = {"postgres": _postgres, "dynamodb": _dynamodb, "clickhouse": _clickhouse}
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
