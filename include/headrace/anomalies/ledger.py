"""Incidents in PostgreSQL: what was told, what is open, and how far the figures have been judged, in one step.

An incident's row and the progress that led to it are committed together, so a restart neither judges a minute again
nor skips one. Whether an alert left is a second mark on the row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from headrace.anomalies.findings import Contributor
from headrace.anomalies.incidents import Incident
from headrace.anomalies.measures import WATCHED
from headrace.settings import Settings

_TIMES = ("opened_at", "last_at", "closed_at", "window_start")
_COLUMNS = (
    "id", "scope", "subject", "measure", "state", "opened_at", "window_start", "window_minutes", "seen", "expected",
    "low", "high", "score", "unit", "sentence", "contributors", "last_at", "closed_at",
)  # fmt: skip
_UPSERT = f"""
insert into anomalies ({", ".join(_COLUMNS)}) values ({", ".join(f"%({name})s" for name in _COLUMNS)})
on conflict (id) do update set
    state = excluded.state, score = excluded.score, sentence = excluded.sentence, last_at = excluded.last_at,
    closed_at = excluded.closed_at
"""  # noqa: S608 - names of columns from the list above
_ADVANCE = """
insert into anomaly_progress (part, through) values ('anomalies', %s)
on conflict (part) do update set through = greatest(anomaly_progress.through, excluded.through)
"""
_RECENT = f"select {', '.join(_COLUMNS)} from anomalies"  # noqa: S608


class Ledger:
    """One connection, opened when needed and again after it broke."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: psycopg.Connection[Any] | None = None

    def through(self) -> float | None:
        """Up to when everything is judged and written."""
        row = self._open().execute("select through from anomaly_progress where part = 'anomalies'").fetchone()
        return row[0].timestamp() if row else None

    def put(self, incidents: Iterable[Incident]) -> None:
        for incident in incidents:
            self._open().execute(_UPSERT, _row(incident))

    def write(self, incidents: Iterable[Incident], through: float) -> None:
        with self._open().transaction():
            self.put(incidents)
            self._open().execute(_ADVANCE, [datetime.fromtimestamp(through, UTC)])

    def recent(self, hours: float = 24) -> list[Incident]:
        """What is open, then what was opened in that time, newest first."""
        return self._incidents(
            f"{_RECENT} where state = 'open' or opened_at > now() - make_interval(secs => %s)"
            " order by state = 'open' desc, opened_at desc limit 1000",
            [hours * 3600],
        )

    def untold(self) -> list[Incident]:
        """Incidents whose alert may not have left yet, oldest first."""
        return self._incidents(f"{_RECENT} where not alerted order by opened_at", [])

    def told(self, ids: list[str]) -> None:
        self._open().execute("update anomalies set alerted = true where id = any(%s)", [ids])

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _incidents(self, sql: str, arguments: list[Any]) -> list[Incident]:
        with self._open().cursor(row_factory=dict_row) as cursor:
            return [_incident(row) for row in cursor.execute(sql, arguments).fetchall()]

    def _open(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._settings.postgres_dsn("headrace"), autocommit=True, connect_timeout=3,
                options="-c statement_timeout=5000 -c timezone=UTC", tcp_user_timeout=5000,
            )  # fmt: skip
        return self._connection


def _row(incident: Incident) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(incident, name) for name in _COLUMNS}
    row |= {name: datetime.fromtimestamp(row[name], UTC) for name in _TIMES if row[name] is not None}
    return row | {"contributors": Jsonb([_contributor(one) for one in incident.contributors])}


def _incident(row: dict[str, Any]) -> Incident:
    times = {name: row[name].timestamp() for name in _TIMES if row[name] is not None}
    found = row | times | {"contributors": tuple(Contributor(**one) for one in row["contributors"])}
    return Incident(**found | {"window_start": int(times["window_start"])})


def _contributor(one: Contributor) -> dict[str, Any]:
    return {"keys": one.keys, "seen": one.seen, "usual": one.usual}


def document(incident: Incident) -> str:
    """As the topic and the live store carry it."""
    row = {name: getattr(incident, name) for name in _COLUMNS}
    row |= {name: datetime.fromtimestamp(row[name], UTC).isoformat() for name in _TIMES if row[name] is not None}
    row |= {"kind": "anomaly" if incident.scope in WATCHED else "quality"}
    row |= {"contributors": [_contributor(one) for one in incident.contributors]}
    return json.dumps(row)
