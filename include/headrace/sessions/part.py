"""The part `sessions`: reads change topics along, keeps open sessions in the live store, tells closed ones once.

Started with `python -m headrace.sessions.part`. Which streams have sessions, whose and with which pause is said by their
contracts. After any doubt it begins again from what is committed; where another pause is declared by then, sessions that
are still open are found anew in the topic.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import redis
from confluent_kafka import KafkaException

from headrace.live.client import valkey
from headrace.live.projector import touch_alive
from headrace.log import configure, get_logger
from headrace.sessions.arrivals import LATE, REFUSED, REPEATED, Arrivals
from headrace.sessions.book import Session
from headrace.sessions.changes import Changes, Place
from headrace.sessions.layout import ACTIVITY, CONTRACT
from headrace.sessions.ledger import AnotherRuns, Closed, Ledger, Step
from headrace.sessions.showing import Shown
from headrace.sessions.telling import Topic
from headrace.settings import Settings, get_settings
from headrace.streams import published
from headrace.streams.job import stop_signal

_LOG = get_logger(__name__)
SHOW_SECONDS = 0.3
STEP_SECONDS = 5.0


class Keeper:
    def __init__(self, settings: Settings) -> None:
        contracts = published.read(settings)
        self._streams = {c.name: Arrivals(c, settings) for c in contracts.values() if c.sessions}
        self._anew: set[str] = set()
        """Streams whose open sessions are being found anew: nothing of them is closed, kept or shown meanwhile."""
        self._remembered = timedelta(minutes=settings.live_state_minutes)
        self._ledger = Ledger(settings)
        try:
            self._begin, since = self._restored()
        except psycopg.Error:
            # With the connection goes the lock that the next try needs.
            self._ledger.close()
            raise
        asked = [arrivals.contract for arrivals in self._streams.values()]
        self._changes = Changes(settings, asked, self._begin, since)
        self._topic = Topic(settings, contracts[CONTRACT], self._ledger)
        self._shown = Shown(valkey(settings, seconds=2), {c.name: c.sessions.gap for c in asked if c.sessions})
        self._done: dict[Place, int] = {}
        self._unsaved: dict[str, set[str]] = {name: set() for name in self._streams}
        self._whole = False
        """Whether the live store has everything that it should have, as far as this process knows."""
        self._showed_at = self._stepped_at = 0.0

    def step(self) -> None:
        """Reads what came and shows it; every few seconds also closes, commits and tells."""
        for record in self._changes.read(max(0.0, self._showed_at + SHOW_SECONDS - time.monotonic())):
            place, arrivals = (record.stream, record.partition), self._streams[record.stream]
            if record.offset < self._begin.get(place, 0):
                arrivals.recall(record)
            else:
                arrivals.take(record)
                self._done[place] = record.offset + 1
        now = time.monotonic()
        if now - self._showed_at >= SHOW_SECONDS:
            self._show()
            self._showed_at = now
        if now - self._stepped_at >= STEP_SECONDS:
            self._changes.prove()
            self.settle()
            self._stepped_at = now

    def settle(self) -> None:
        """Closes what is final; one transaction for all that changed; then the topic, then the live store."""
        for name in [name for name in self._anew if not self._changes.recalls(name)]:
            self._anew.remove(name)
            _LOG.info("open sessions are found anew", stream=name, open=sum(1 for _ in self._streams[name].book))
        steps = [self._step_of(name, arrivals) for name, arrivals in self._whole_streams()]
        self._done = {place: offset for place, offset in self._done.items() if place[0] in self._anew}
        self._ledger.write(step for step in steps if step.offsets or step.closed or step.touched)
        told = self._topic.send()
        self._show_closed([closed for step in steps for closed in step.closed])
        if told:
            self._ledger.tidy()
            _LOG.info("sessions closed", told=told)

    def close(self) -> None:
        self._changes.close()
        self._ledger.close()

    def _restored(self) -> tuple[dict[Place, int], datetime | None]:
        """The first offsets that are not done, and since when records are read once more."""
        kept, since = self._ledger.kept(), []
        for name, arrivals in self._streams.items():
            arrivals.clock = kept.through.get(name)
            since += [arrivals.clock] if arrivals.clock else []
            sessions = [session for session in kept.open if session.stream == name]
            before = kept.rules.get(name, arrivals.rule)
            if before == arrivals.rule or not sessions:
                arrivals.book.restore(sessions)
                continue
            since.append(arrivals.find_anew(sessions))
            self._anew.add(name)
            _LOG.warning(
                "the rule of sessions changed: open ones are found anew in the topic, closed ones stay as they were told",
                stream=name, before=str(before), now=str(arrivals.rule), open=len(sessions), since=str(since[-1]),
            )  # fmt: skip
        begin = {place: offset for place, offset in kept.offsets.items() if place[0] in self._streams}
        return begin, min(since) - self._remembered if since else None

    def _whole_streams(self) -> list[tuple[str, Arrivals]]:
        return [(name, arrivals) for name, arrivals in self._streams.items() if name not in self._anew]

    def _step_of(self, name: str, arrivals: Arrivals) -> Step:
        through = self._changes.through(name)
        if through is not None and (arrivals.clock is None or through > arrivals.clock):
            arrivals.clock = through
        closed = self._closed(arrivals)
        if arrivals.clock is not None:
            arrivals.forget(arrivals.clock - self._remembered)
        touched = self._unsaved[name] | arrivals.book.touched
        self._unsaved[name] = set()
        counted, arrivals.counted = arrivals.counted, type(arrivals.counted)()
        return Step(
            name,
            arrivals.rule,
            arrivals.clock,
            sorted(touched),
            [session for user_id in touched for session in arrivals.book.of(user_id)],
            closed,
            {place: offset for place, offset in self._done.items() if place[0] == name},
            counted[LATE],
            counted[REPEATED],
            counted[REFUSED],
        )

    def _closed(self, arrivals: Arrivals) -> list[Closed]:
        if arrivals.clock is None:
            return []
        return [Closed(session, arrivals.book.final_at(session)) for session in arrivals.book.close(arrivals.clock)]

    def _show(self) -> None:
        """What changed since the last look."""
        with self._store_may_be_away():
            for name, arrivals in self._whole_streams():
                book = arrivals.book
                touched, gone = set(book.touched), list(book.gone)
                self._shown.show(gone, (session for user_id in touched for session in book.of(user_id)))
                self._unsaved[name] |= touched
                book.touched -= touched
                del book.gone[: len(gone)]

    def _show_closed(self, closed: list[Closed]) -> None:
        if self._anew:
            # The store still holds what was open; filled before the end it would hold less than that.
            self._whole = False
            return
        with self._store_may_be_away():
            if not self._whole or not self._shown.filled():
                recent = self._ledger.recent(datetime.now(UTC) - ACTIVITY)
                every: list[Session] = [session for arrivals in self._streams.values() for session in arrivals.book]
                self._shown.fill(every, recent)
                self._whole = True
                _LOG.info("live store is filled with sessions", open=len(every), closed=len(recent))
            self._shown.put_away(closed)

    @contextmanager
    def _store_may_be_away(self) -> Iterator[None]:
        """It is a projection: sessions are kept without it, and it is filled when it is there again."""
        try:
            yield
        except redis.RedisError as error:
            self._whole = False
            _LOG.warning("the live store cannot be reached; sessions are kept without it", error=str(error))


def main() -> int:
    settings = get_settings()
    configure("sessions")
    stop = stop_signal()
    settings.run.mkdir(parents=True, exist_ok=True)
    keeper: Keeper | None = None
    newest = published.Newest(settings)
    alive, wait = 0.0, 0.1
    while not stop.is_set():
        try:
            if newest.refreshed() is not None and keeper is not None:
                _LOG.info("contracts changed; begins again from what is committed")
                keeper.close()
                keeper = None
            keeper = keeper or Keeper(settings)
            keeper.step()
            alive, wait = touch_alive(settings, alive, "sessions"), 0.1
        except (KafkaException, psycopg.Error, AnotherRuns, TimeoutError, ConnectionError) as error:
            _LOG.warning("begins again from what is committed", error=str(error), seconds=wait)
            if keeper is not None:
                keeper.close()
                keeper = None
            stop.wait(wait)
            wait = min(wait * 2, 5.0)
    if keeper is not None:
        keeper.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
