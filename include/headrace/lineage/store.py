"""Lineage events in PostgreSQL, each once, and the edges that the newest event of each job tells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from headrace.lineage.events import Event
from headrace.lineage.graph import Edge, Graph
from headrace.lineage.names import canonical
from headrace.log import get_logger
from headrace.settings import Settings

log = get_logger(__name__)
_KEPT_DAYS, _KEPT_DAYS_BARE = 30, 7
"""A run that names neither what it read nor what it wrote makes no edge; some DAGs have hundreds of them a day."""
_INSERT = """
insert into lineage_events (id, at, state, run_id, job_namespace, job_name, event, bare)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (id) do update set at = greatest(lineage_events.at, excluded.at)
returning xmax = 0
"""
_EDGES = "select source_namespace, source, target_namespace, target, job from lineage_edges"
_OLD = """
delete from lineage_events old
where (at < now() - make_interval(days => %(bare)s) and bare or at < now() - make_interval(days => %(days)s)) and exists (
    select 1 from lineage_events newer
    where newer.job_namespace = old.job_namespace and newer.job_name = old.job_name and newer.at > old.at
)
"""
_RUNS = """
select at, state, job_namespace, job_name, run_id from (
    select distinct on (run_id) * from lineage_events
    where run_id is not null order by run_id, at desc, state
) newest order by at desc limit %s
"""


class Malformed(ValueError):
    """What was sent is no OpenLineage event; the message names what is missing."""


@dataclass(frozen=True)
class Kept:
    """The store of one installation, for those that are handed it."""

    settings: Settings

    def keep(self, events: Iterable[Event]) -> int:
        return keep(self.settings, events)

    def graph(self) -> Graph:
        return graph(self.settings)


def keep(settings: Settings, events: Iterable[Event]) -> int:
    """How many were new. The same statement is kept once: a design that did not change has one event."""
    rows = [_row(event) for event in events]
    with _connect(settings) as connection, connection.cursor() as cursor:
        return sum(bool(cursor.execute(_INSERT, row).fetchone()[0]) for row in rows)  # type: ignore[index]


def forget(settings: Settings) -> int:
    """How many old events were deleted; the last word on each job stays, which its edges are made of."""
    with _connect(settings) as connection:
        deleted = connection.execute(_OLD, {"days": _KEPT_DAYS, "bare": _KEPT_DAYS_BARE}).rowcount
    log.info("old lineage deleted", events=deleted)
    return deleted


def graph(settings: Settings) -> Graph:
    with _connect(settings) as connection:
        rows = connection.execute(_EDGES).fetchall()
    return Graph(Edge(canonical(a, b), canonical(c, d), job) for a, b, c, d, job in rows)


def runs(settings: Settings, limit: int = 50) -> list[dict[str, Any]]:
    """The newest runs that were told of, each with the last that was heard of it."""
    with _connect(settings) as connection:
        rows = connection.execute(_RUNS, [limit]).fetchall()
    return [dict(zip(("at", "state", "namespace", "job", "run"), row, strict=True)) for row in rows]


def _row(event: Event) -> tuple[Any, ...]:
    job = event.get("job")
    if not isinstance(job, dict) or not job.get("namespace") or not job.get("name"):
        raise Malformed("An OpenLineage event of a run or a job needs `job.namespace` and `job.name`.")
    try:
        at = datetime.fromisoformat(str(event.get("eventTime")))
    except ValueError:
        raise Malformed("An OpenLineage event needs `eventTime`, such as 2026-01-31T12:00:00Z.") from None
    run = (event.get("run") or {}).get("runId")
    sides = {side: event.get(side) or [] for side in ("inputs", "outputs")}
    for side, found in sides.items():
        if not isinstance(found, list) or not all(
            isinstance(one, dict) and one.get("namespace") and one.get("name") for one in found
        ):
            raise Malformed(f"Each of `{side}` needs a namespace and a name.")
    who, bare = (run, job["namespace"], job["name"]), not any(sides.values())
    return _identity(event, run), at, event.get("eventType"), *who, Jsonb(event | sides), bare


def _identity(event: Event, run: str | None) -> str:
    """A run's state is told once; of a design the words count, not when they were said."""
    told = {
        "run": run,
        "type": event.get("eventType"),
        "job": event["job"],
        "inputs": event.get("inputs"),
        "outputs": event.get("outputs"),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def _connect(settings: Settings) -> psycopg.Connection:
    return psycopg.connect(
        settings.postgres_dsn("headrace"), connect_timeout=3, options="-c timezone=UTC -c statement_timeout=10000"
    )
