"""Records of one stream into its book: through the contract, each identity once, late ones counted and left out.

The contract is applied as the gate applies it, to the record of the change topic itself, so that a session is seen within
a second and not after the next batch of the lake job.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from headrace.contracts.correct import UNREADABLE
from headrace.contracts.model import Contract, ContractError
from headrace.contracts.structs import EventCodec, RefusedEvent
from headrace.log import get_logger
from headrace.sessions.book import Book, Session
from headrace.sessions.identities import Identities
from headrace.settings import Settings

_LOG = get_logger(__name__)
LATE, REPEATED, REFUSED = "late", "repeated", "refused"


@dataclass(frozen=True, slots=True)
class Record:
    stream: str
    partition: int
    offset: int
    arrived_at: datetime
    value: bytes


class Arrivals:
    def __init__(self, contract: Contract, settings: Settings) -> None:
        if contract.sessions is None:
            raise ContractError(f"{contract.name}.yaml does not ask for sessions")
        self.contract, self.rule = contract, contract.sessions
        self._future = timedelta(minutes=settings.future_minutes)
        self._codec = EventCodec(contract, future=self._future)
        self._lateness = timedelta(minutes=settings.lateness_minutes)
        self.book = Book(contract.name, contract.sessions.gap, self._lateness)
        self._identities = Identities()
        self.clock: datetime | None = None
        """Everything that arrived before has been added."""
        self.counted: Counter[str] = Counter()
        self._again: defaultdict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
        """From when to when somebody's sessions are found anew."""

    def take(self, record: Record) -> None:
        event = self._event(record)
        if event is None:
            self.counted[REFUSED] += 1
        elif not self._is_new(event, record):
            self.counted[REPEATED] += 1
        elif self._is_late(event, record):
            self.counted[LATE] += 1
        else:
            self._add(event)

    def find_anew(self, sessions: Sequence[Session]) -> datetime:
        """Sessions that were open by another rule: from their events, which `recall` must see, and by this rule.

        What was closed by then stays as it was told: its events lie outside of these. The answer is when the first of
        their events can have arrived.
        """
        self.book.give_up(sessions)
        for session in sessions:
            self._again[session.user_id].append((session.started_at, session.ended_at))
        return min(session.started_at for session in sessions) - self._future

    def recall(self, record: Record) -> None:
        """A record that was taken before the restart: its identity is known, and nothing else follows from it, unless
        its session is found anew."""
        event = self._event(record)
        if event is not None and self._is_new(event, record) and self._is_found_anew(event, record):
            self._add(event)

    def forget(self, before: datetime) -> None:
        """Identities that arrived before: a repeat of them by now is late by its own times."""
        self._identities.forget(before)

    def _add(self, event: Any) -> None:
        kind = getattr(event, self.rule.count) if self.rule.count else None
        self.book.add(getattr(event, self.rule.by), self._at(event), self._identity(event), kind)

    def _at(self, event: Any) -> datetime:
        at: datetime = getattr(event, self.contract.event_time)
        return at

    def _is_found_anew(self, event: Any, record: Record) -> bool:
        at, known = self._at(event), self._again.get(getattr(event, self.rule.by), ())
        return any(begin <= at <= end for begin, end in known) and record.arrived_at <= at + self._lateness

    def _is_new(self, event: Any, record: Record) -> bool:
        return self._identities.add(self._identity(event), record.arrived_at)

    def _identity(self, event: Any) -> str:
        return str(getattr(event, self.contract.identity[0]))

    def _is_late(self, event: Any, record: Record) -> bool:
        at = self._at(event)
        if record.arrived_at > at + self._lateness:
            return True
        if self.clock is not None and self.clock > at + self._lateness:
            # Only where the broker's clock went back: a session that it belongs to may be closed.
            _LOG.error("an event arrived behind the clock; it counts as late", place=_place(record))
            return True
        return False

    def _event(self, record: Record) -> Any:
        """As the gate reads it, or None."""
        value, codec = record.value, self._codec
        try:
            event = codec.decode(value, record.arrived_at)
            if not codec.untidy(value, (value,)):
                return event
        except (*UNREADABLE, RefusedEvent):
            pass
        try:
            return codec.accept(value, record.arrived_at)[0]
        except (*UNREADABLE, RefusedEvent, msgspec.MsgspecError):
            return None


def _place(record: Record) -> str:
    return f"{record.stream}:{record.partition}:{record.offset}"
