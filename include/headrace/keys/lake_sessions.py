"""One session by its id out of the lake: as curated found it, or as the stream told it since that was built."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.contracts.model import Contract
from headrace.keys.lake import LakeRecords, NotBuilt
from headrace.lake import literals
from headrace.sessions.book import Session
from headrace.sessions.layout import CONTRACT, known

CURATED = "curated.fct_sessions"


class LakeSessions:
    def __init__(
        self, lake: LakeRecords, contracts: Callable[[], Mapping[str, Contract]], lateness_minutes: int
    ) -> None:
        self._lake, self._contracts = lake, contracts
        self._lateness = timedelta(minutes=lateness_minutes)

    def find(self, session_id: str) -> dict[str, Any] | None:
        """As the live store tells it. With the events that came late, once curated has it."""
        return self._curated(session_id) or self._told(session_id)

    def _curated(self, session_id: str) -> dict[str, Any] | None:
        sql = (
            "select stream, user_id, started_at, ended_at, events, by_type "  # noqa: S608
            f"from lake.{CURATED} where session_id = {literals.text(session_id)}"
        )
        try:
            rows = self._lake.rows(sql)
        except NotBuilt:
            return None
        return self._shown(session_id, *rows[0], source="curated") if rows else None

    def _told(self, session_id: str) -> dict[str, Any] | None:
        found = self._lake.find(self._contracts()[CONTRACT], session_id)
        if found is None:
            return None
        told = found.document
        began, ended = (datetime.fromisoformat(told[name]) for name in ("started_at", "ended_at"))
        kinds = json.loads(told["by_type"])
        return self._shown(
            session_id, told["stream"], told["user_id"], began, ended, told["events"], kinds, source=found.found_in
        )

    def _shown(
        self, session_id: str, stream: str, user_id: str, began: datetime, ended: datetime, events: int,
        by_type: dict[str, int], *, source: str,
    ) -> dict[str, Any]:  # fmt: skip
        contract = self._contracts().get(stream)
        gap = contract.sessions.gap if contract and contract.sessions else timedelta()
        # Of its first event the lake keeps nothing but the id that was made of it.
        session = Session(stream, user_id, "", began, ended, events, dict(by_type))
        shown = known(session, gap, self._lateness, datetime.now(UTC))
        return shown | {"session_id": session_id, "source": source}
