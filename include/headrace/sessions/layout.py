"""How sessions lie in the live store, and what they look like outside of this process.

`session:{id}`: JSON, until the session is closed. `user:{id}:activity`: a hash, session id → JSON, of a person's sessions
with an event in the last hour; each goes by itself an hour after its last event. `sessions:run` is the server's run id
once everything is in the store; before that a reader must not take nothing for an answer.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.sessions.book import Session

RUN = "sessions:run"
CONTRACT = "sessions"
"""The stream that closed sessions are."""
SESSION_SECONDS = 1800
ACTIVITY = timedelta(seconds=3600)


def session_key(session_id: str) -> str:
    return f"session:{session_id}"


def activity_key(user_id: str) -> str:
    return f"user:{user_id}:activity"


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def document(session: Session, gap: timedelta, closed_at: datetime | None = None) -> dict[str, Any]:
    """What a reader of the live store gets; by `quiet_at` it knows whether the person is still there."""
    return {
        "session_id": session.id,
        "stream": session.stream,
        "user_id": session.user_id,
        "started_at": moment(session.started_at),
        "ended_at": moment(session.ended_at),
        "quiet_at": moment(session.ended_at + gap),
        "events": session.events,
        "by_type": dict(sorted(session.by_type.items())),
        "closed_at": moment(closed_at) if closed_at else None,
    }


def known(session: Session, gap: timedelta, lateness: timedelta, now: datetime) -> dict[str, Any]:
    """The same of a session whose events alone are known, with the state that the clock gives it."""
    quiet = session.ended_at + gap
    closed = quiet + lateness if quiet + lateness <= now else None
    state = "closed" if closed else "ended" if quiet <= now else "open"
    return document(session, gap, closed) | {"state": state}


def message(session: Session, closed_at: datetime) -> bytes:
    """What the topic gets: by the contract `sessions`."""
    event = {
        "session_id": session.id,
        "closed_at": moment(closed_at),
        "stream": session.stream,
        "user_id": session.user_id,
        "started_at": moment(session.started_at),
        "ended_at": moment(session.ended_at),
        "events": session.events,
        "by_type": json.dumps(session.by_type, sort_keys=True, separators=(",", ":")),
    }
    return json.dumps(event, separators=(",", ":")).encode()
