"""Keeps the live store at what the sessions are; it may vanish at any time and is filled again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import redis

from headrace.sessions.book import Session
from headrace.sessions.layout import ACTIVITY, RUN, SESSION_SECONDS, activity_key, document, session_key
from headrace.sessions.ledger import Closed

_AT_ONCE = 1000


class Shown:
    def __init__(self, client: redis.Redis, gaps: dict[str, timedelta]) -> None:
        self._client, self._gaps = client, gaps

    def filled(self) -> bool:
        """Whether the store is the one that we filled, in the same life of its server."""
        return bool(self._client.get(RUN) == self._run())

    def fill(self, sessions: Iterable[Session], closed: Iterable[Closed]) -> None:
        self._client.delete(RUN)
        self.show([], sessions)
        self.put_away(closed)
        self._client.set(RUN, self._run())

    def show(self, gone: Iterable[tuple[str, str]], sessions: Iterable[Session]) -> None:
        """First what is no session of its own any more, then those that may still change."""
        with self._client.pipeline(transaction=False) as pipeline:
            for user_id, session_id in gone:
                pipeline.delete(session_key(session_id))
                pipeline.hdel(activity_key(user_id), session_id)
            for session in sessions:
                made = _json(document(session, self._gaps[session.stream]))
                pipeline.set(session_key(session.id), made, ex=SESSION_SECONDS)
                self._note(pipeline, session, made)
                if len(pipeline) >= _AT_ONCE:
                    pipeline.execute()
            pipeline.execute()

    def put_away(self, closed: Iterable[Closed]) -> None:
        """Closed sessions remain a while as what their person did."""
        with self._client.pipeline(transaction=False) as pipeline:
            for one in closed:
                pipeline.delete(session_key(one.session.id))
                gap = self._gaps.get(one.session.stream, timedelta())
                self._note(pipeline, one.session, _json(document(one.session, gap, one.closed_at)))
                if len(pipeline) >= _AT_ONCE:
                    pipeline.execute()
            pipeline.execute()

    def _note(self, pipeline: Any, session: Session, made: bytes) -> None:
        ends = session.ended_at + ACTIVITY
        if ends > datetime.now(UTC):
            key, until = activity_key(session.user_id), int(ends.timestamp()) + 1
            pipeline.execute_command("HSETEX", key, "EXAT", until, "FIELDS", 1, session.id, made)

    def _run(self) -> str:
        return str(self._client.info("server")["run_id"])


_json = msgspec.json.encode
