"""Reads sessions that may still change, and what a person did in the last hour, from the live store alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import redis

from headrace.live.either import LiveNotFilled
from headrace.sessions.layout import RUN, activity_key, session_key


class SessionsNotFilled(LiveNotFilled):
    """The live store does not hold all sessions yet, so nothing found is no answer."""

    def __init__(self) -> None:
        super().__init__("The live store is being filled with sessions.")


def open_session(client: redis.Redis, session_id: str) -> dict[str, Any] | None:
    """The session with its state: open, or ended where only an event on its way could still change it. None: closed, or never."""
    text: Any = client.get(session_key(session_id))
    if text is None:
        _require_filled(client)
        return None
    return _told(text)


def activity(client: redis.Redis, user_id: str) -> list[dict[str, Any]]:
    """The sessions of a person with an event in the last hour, oldest first."""
    texts: Any = client.hvals(activity_key(user_id))
    if not texts:
        _require_filled(client)
    return sorted((_told(text) for text in texts), key=lambda session: str(session["started_at"]))


def _told(text: str) -> dict[str, Any]:
    session: dict[str, Any] = json.loads(text)
    quiet = datetime.now(UTC) >= datetime.fromisoformat(session["quiet_at"])
    return session | {"state": "closed" if session["closed_at"] else "ended" if quiet else "open"}


def _require_filled(client: redis.Redis) -> None:
    if client.get(RUN) != client.info("server")["run_id"]:
        raise SessionsNotFilled
