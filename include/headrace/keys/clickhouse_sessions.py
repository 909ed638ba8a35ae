"""A person's sessions of the last hour out of ClickHouse's events, when the live store cannot tell them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.contracts.model import Contract
from headrace.keys.clickhouse import SecondDown, moment
from headrace.sessions.book import Book
from headrace.sessions.layout import ACTIVITY, known
from headrace.sinks.clickhouse import ClickHouse
from headrace.sinks.sink import SinkDown

_BACK = timedelta(hours=24)
"""How far a session of the last hour may reach back."""


class ClickHouseSessions:
    def __init__(
        self, server: ClickHouse, database: str, contracts: Callable[[], Mapping[str, Contract]], lateness_minutes: int
    ) -> None:
        self._server, self._events, self._contracts = server, f"{database}.events", contracts
        self._lateness = timedelta(minutes=lateness_minutes)

    def of(self, user_id: str, now: datetime) -> list[dict[str, Any]]:
        """By the same rule as the live ones, oldest first; an event that the lake job has not sent on yet is missing."""
        found = [one for c in self._contracts().values() if c.sessions for one in self._of(c, user_id, now)]
        return sorted(found, key=lambda session: str(session["started_at"]))

    def _of(self, contract: Contract, user_id: str, now: datetime) -> list[dict[str, Any]]:
        rule = contract.sessions
        assert rule is not None
        book = Book(contract.name, rule.gap, self._lateness)
        for at, event_id, kind in self._read(contract, rule.count, user_id, now):
            book.add(user_id, datetime.fromtimestamp(int(at) / 1_000_000, UTC), str(event_id), kind)
        recent = (session for session in book.of(user_id) if session.ended_at >= now - ACTIVITY)
        return [known(session, rule.gap, self._lateness, now) for session in recent]

    def _read(self, contract: Contract, count: str | None, user_id: str, now: datetime) -> list[list[Any]]:
        kind = f"JSONExtract(document, '{count}', 'Nullable(String)')" if count else "null"
        name = "'" + user_id.replace("\\", "\\\\").replace("'", "\\'") + "'"
        sql = (
            f"select toString(toUnixTimestamp64Micro(event_time)), event_id, {kind} from {self._events} final "  # noqa: S608
            f"where user_id = {name} and event_type = '{contract.name}' and not late "
            f"and event_time >= {moment(now - _BACK)} order by event_time format JSONCompactEachRow"
        )
        try:
            return [json.loads(line) for line in self._server.run(sql).splitlines() if line]
        except SinkDown as error:
            raise SecondDown(str(error)) from error
