"""What became of each dead letter, in PostgreSQL: a letter without a row is open.

A letter is claimed before it is sent and settled after Kafka has acknowledged it, each in a committed statement. So what
a killed replay leaves behind is at most one batch of claims, which the next replay looks into.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import psycopg
from psycopg.rows import class_row

from headrace.settings import Settings
from headrace.streams.deadletters.letter import DeadLetter

OPEN: Final = "open"
REPLAYING: Final = "replaying"
REPLAYED: Final = "replayed"
DROPPED: Final = "dropped"
_LOCK = 7_310_001
_LOCK_SECONDS = 10.0
_READ = """
select d.* from dead_letters d
join unnest(%(letters)s::text[], %(arrived)s::timestamptz[]) as asked (letter, arrived_at) using (letter, arrived_at)
"""
_SETTLE = """
insert into dead_letters as d (letter, arrived_at, state, actor, correlation_id, note)
select letter, arrived_at, %(state)s, %(actor)s, %(correlation_id)s, %(note)s
from unnest(%(letters)s::text[], %(arrived)s::timestamptz[]) as asked (letter, arrived_at)
on conflict (letter, arrived_at) do update set
    actor = excluded.actor, at = now(), correlation_id = excluded.correlation_id, note = excluded.note
where d.state = 'replaying' and excluded.state = 'replaying'
returning letter
"""
_SENT = """
update dead_letters d set state = 'replayed', at = now(), sent_to = asked.sent_to
from unnest(%(letters)s::text[], %(arrived)s::timestamptz[], %(sent_to)s::text[]) as asked (letter, arrived_at, sent_to)
where d.letter = asked.letter and d.arrived_at = asked.arrived_at and d.state = 'replaying'
"""
_RELEASE = """
delete from dead_letters d using unnest(%(letters)s::text[], %(arrived)s::timestamptz[]) as asked (letter, arrived_at)
where d.letter = asked.letter and d.arrived_at = asked.arrived_at and d.state = 'replaying'
"""
_COUNT = "select count(*) from dead_letters where correlation_id = %s and state = 'replayed'"


class Busy(RuntimeError):
    """Another replay is at work."""


class StatesUnavailable(ConnectionError):
    """PostgreSQL does not say what became of the letters, so nothing may be sent."""


@dataclass(frozen=True)
class State:
    letter: str
    arrived_at: datetime
    state: str
    actor: str
    at: datetime
    correlation_id: str
    note: str = ""
    sent_to: str | None = None

    @property
    def settled(self) -> bool:
        return self.state in (REPLAYED, DROPPED)


class States:
    """One connection; every statement commits by itself."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def of(self, letters: Iterable[DeadLetter]) -> dict[str, State]:
        with self._connection.cursor(row_factory=class_row(State)) as cursor:
            return {row.letter: row for row in cursor.execute(_READ, _places(letters))}

    def settle(
        self,
        letters: Iterable[DeadLetter],
        state: Literal["replaying", "dropped"],
        actor: str,
        correlation_id: str,
        note: str = "",
    ) -> set[str]:
        """The names that were open and are ours now; a claim that a killed replay left may be claimed again."""
        how = {"state": state, "actor": actor, "correlation_id": correlation_id, "note": note}
        return {row[0] for row in self._connection.execute(_SETTLE, how | _places(letters))}

    def sent(self, letters: Sequence[DeadLetter], sent_to: Mapping[str, str]) -> None:
        places = [sent_to[letter.name] for letter in letters]
        self._connection.execute(_SENT, _places(letters) | {"sent_to": places})

    def release(self, letters: Sequence[DeadLetter]) -> None:
        """Open again: these could not be sent."""
        self._connection.execute(_RELEASE, _places(letters))

    def replayed_by(self, correlation_id: str) -> int:
        row = self._connection.execute(_COUNT, (correlation_id,)).fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def alone(self, seconds: float = _LOCK_SECONDS) -> Iterator[None]:
        """One replay at a time; the lock ends with the connection, also by a kill."""
        deadline = time.monotonic() + seconds
        while not self._try_lock():
            if time.monotonic() > deadline:
                raise Busy("Another replay is at work: wait for its end, then try again. Nothing was sent.")
            time.sleep(0.2)
        try:
            yield
        finally:
            self._connection.execute("select pg_advisory_unlock(%s)", (_LOCK,))

    def _try_lock(self) -> bool:
        row = self._connection.execute("select pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        return bool(row and row[0])


def _places(letters: Iterable[DeadLetter]) -> dict[str, Any]:
    asked = list(letters)
    return {"letters": [one.name for one in asked], "arrived": [one.arrived_at for one in asked]}


@contextmanager
def states(settings: Settings) -> Iterator[States]:
    try:
        with psycopg.connect(
            settings.postgres_dsn("headrace"),
            autocommit=True,
            connect_timeout=5,
            options="-c statement_timeout=10000",
            tcp_user_timeout=10_000,
        ) as connection:
            yield States(connection)
    except psycopg.Error as error:
        raise StatesUnavailable(
            f"PostgreSQL does not answer ({error}). Next: ./headrace status, then again."
        ) from error
