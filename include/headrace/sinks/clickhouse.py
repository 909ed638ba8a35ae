"""Accepted events in ClickHouse, by user and time, and what each user did by the minute; over its HTTP interface.

The order of `events` is also its identity: a repeated insert is the same row when parts merge, and `final` makes it so before
that. `user_activity_1min` is a view over it, so that it cannot disagree with it or count a repeat.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import httpx
from confluent_kafka import Message

from headrace.contracts.model import load_contracts
from headrace.settings import MissingSecret, Settings
from headrace.sinks.events import Event, by_topic, events_of
from headrace.sinks.sink import SinkDown

_CONNECT_SECONDS, _SECONDS = 3.0, 60.0
_MODIFY = "alter table {database}.events modify ttl toDateTime(event_time) + interval {days} day"
_TABLES = (
    "create database if not exists {database}",
    """create table if not exists {database}.events (
    event_type LowCardinality(String),
    user_id String,
    event_time DateTime64(6, 'UTC'),
    event_id String,
    late Bool,
    document String,
    written_at DateTime64(3, 'UTC') default now64(3)
) engine = ReplacingMergeTree(written_at)
partition by toYYYYMM(event_time)
order by (user_id, event_time, event_type, event_id)
ttl toDateTime(event_time) + interval {days} day""",
    """create or replace view {database}.user_activity_1min as
select
    user_id,
    toStartOfMinute(event_time) as minute,
    event_type,
    count() as events,
    countIf(late) as late_events,
    min(event_time) as first_at,
    max(event_time) as last_at
from {database}.events final
group by user_id, minute, event_type""",
)
_INSERT = "insert into {database}.events (event_type, user_id, event_time, event_id, late, document) format JSONEachRow"


def statements(database: str, days: int) -> list[str]:
    """What makes the tables, and brings the ones that are there to these days."""
    return [text.format(database=database, days=days) for text in (*_TABLES, _MODIFY)]


def rows(events: Iterable[Event]) -> str:
    """A line of JSON an event; what happened to no person has an empty user."""
    return "\n".join(json.dumps(_row(event)) for event in events)


def _row(event: Event) -> dict[str, str | bool]:
    return {
        "event_type": event.contract.name,
        "user_id": event.person,
        "event_time": event.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "event_id": event.identity,
        "late": bool((event.document.get("quality") or {}).get("late")),
        "document": event.text,
    }


class ClickHouse:
    """Sends one statement a request. Raises SinkDown with what the server said."""

    def __init__(self, settings: Settings, *, seconds: float = _SECONDS) -> None:
        if settings.clickhouse_url is None:
            raise SinkDown("ClickHouse: no address is set. Next: set HEADRACE_CLICKHOUSE_URL, such as http://host:8123")
        limits = httpx.Timeout(seconds, connect=_CONNECT_SECONDS)
        headers = {"X-ClickHouse-User": settings.clickhouse_user, "X-ClickHouse-Key": _password(settings)}
        self._client = httpx.Client(base_url=settings.clickhouse_url, headers=headers, timeout=limits)

    def run(self, statement: str, body: str = "") -> str:
        try:
            answer = self._client.post("/", params={"query": statement}, content=body.encode())
        except httpx.HTTPError as error:
            raise SinkDown(f"ClickHouse: {error or type(error).__name__}") from error
        if not answer.is_success:
            raise SinkDown(f"ClickHouse: {answer.text.strip()[:500]}")
        return answer.text

    def close(self) -> None:
        self._client.close()


class ClickHouseSink:
    def __init__(self, settings: Settings) -> None:
        contracts = load_contracts(settings.contracts)
        self._contracts = by_topic({name: one for name, one in contracts.items() if one.kind == "events"})
        self.topics = tuple(self._contracts)
        self._database, self._days = settings.clickhouse_database, settings.sinks_days
        self._server = ClickHouse(settings)

    def write(self, messages: Sequence[Message]) -> None:
        oldest = datetime.now(UTC) - timedelta(days=self._days)
        if events := [event for event in events_of(messages, self._contracts) if event.at >= oldest]:
            self._server.run(_INSERT.format(database=self._database), rows(events))

    def tidy(self) -> None:
        """Makes what is missing; removing what expired is the store's work."""
        for statement in statements(self._database, self._days):
            self._server.run(statement)

    def close(self) -> None:
        self._server.close()


def _password(settings: Settings) -> str:
    """A server without a password needs no secret."""
    try:
        return settings.secret("clickhouse_password")
    except MissingSecret:
        return ""
