"""The sessions of one stream that may still change: a pure core, in which any order of the same events ends the same.

An event that is not late arrives within `lateness` of its own time. So a session is final when the broker's clock has
passed its last event by the pause and the lateness: whatever arrives afterwards and would touch it is late.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(slots=True)
class Session:
    stream: str
    user_id: str
    first_event: str
    """The identity of its first event; of several at the same time, the smallest."""
    started_at: datetime
    ended_at: datetime
    events: int
    by_type: dict[str, int]

    @property
    def id(self) -> str:
        return session_id(self.stream, self.first_event)


def session_id(stream: str, first_event: str) -> str:
    """The lake makes the same of the same; see the macro `sessions_of`. Nothing of the person is in it to be guessed."""
    return hashlib.md5(f"{stream}\x1f{first_event}".encode(), usedforsecurity=False).hexdigest()


class Book:
    def __init__(self, stream: str, gap: timedelta, lateness: timedelta) -> None:
        self._stream, self._gap, self._wait = stream, gap, gap + lateness
        self._of: defaultdict[str, list[Session]] = defaultdict(list)
        self.touched: set[str] = set()
        """Whose sessions changed since somebody emptied this."""
        self.gone: list[tuple[str, str]] = []
        """Person and id of sessions that begin with another event now, or are part of another."""

    def restore(self, sessions: Iterable[Session]) -> None:
        for session in sessions:
            self._of[session.user_id].append(session)

    def give_up(self, sessions: Iterable[Session]) -> None:
        """Sessions that were kept are not taken over: whoever keeps or shows them is told so."""
        for session in sessions:
            self.touched.add(session.user_id)
            self.gone.append((session.user_id, session.id))

    def __iter__(self) -> Iterator[Session]:
        return (session for sessions in self._of.values() for session in sessions)

    def of(self, user_id: str) -> list[Session]:
        return self._of.get(user_id, [])

    def add(self, user_id: str, at: datetime, event: str, kind: str | None) -> None:
        """An event begins a session, belongs to one, or joins several to one."""
        sessions, low, high = self._of[user_id], at - self._gap, at + self._gap
        near = [session for session in sessions if low < session.ended_at and session.started_at < high]
        if near:
            self._join(sessions, near, at, event)
            session = near[0]
        else:
            session = Session(self._stream, user_id, event, at, at, 0, {})
            sessions.append(session)
        session.events += 1
        if kind is not None:
            session.by_type[kind] = session.by_type.get(kind, 0) + 1
        self.touched.add(user_id)

    def _join(self, sessions: list[Session], near: list[Session], at: datetime, event: str) -> None:
        """All that is near into the first of them."""
        whole = near[0]
        begins, first = min((at, event), *((one.started_at, one.first_event) for one in near))
        self.gone += [(one.user_id, one.id) for one in near if one.first_event != first]
        for one in near[1:]:
            whole.ended_at = max(whole.ended_at, one.ended_at)
            whole.events += one.events
            for kind, number in one.by_type.items():
                whole.by_type[kind] = whole.by_type.get(kind, 0) + number
            sessions.remove(one)
        whole.first_event, whole.started_at, whole.ended_at = first, begins, max(whole.ended_at, at)

    def final_at(self, session: Session) -> datetime:
        """When nothing that comes in time can change it any more."""
        return session.ended_at + self._wait

    def close(self, clock: datetime) -> list[Session]:
        """Takes out what is final when everything that arrived before this moment has been added."""
        latest = clock - self._wait
        closed = [session for session in self if session.ended_at <= latest]
        for session in closed:
            left = self._of[session.user_id]
            left.remove(session)
            if not left:
                del self._of[session.user_id]
            self.touched.add(session.user_id)
        return closed
