"""What Trino answered is kept as long as every table that it read is in the same state: asked again, it costs a look and no query.

A build gives the tables that it changed another state, so nothing old is ever told. Each person's answers are their own, because
Trino filters rows and hides columns by person; they go when its rules change. What somebody asked more than once, as a dashboard
does, is asked anew in their name when a build is through, so that nobody waits for the first answer after it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any

from cachetools import LRUCache, TTLCache

from headrace.lake.states import Table, tables_of
from headrace.log import get_logger
from headrace.policy import Identity

_LOG = get_logger(__name__)
Answer = tuple[list[list[Any]], list[str]]
"""Rows and the names of their columns; nobody may change them."""
Kept = tuple[str, Answer]
_Question = tuple[str, tuple[str, ...], str]
"""Whose, with which roles, and the statement."""
_MOST = 1_000_000
"""Values, and a value for each hundred letters of statements: some 100 MB at most."""
_LETTERS, _LARGEST = 100, 20
"""One answer may take a part of all in so many."""
_WANTED, _WANTED_SECONDS = 50, 3600.0
"""So many questions are asked anew, each for so long after somebody last asked it."""
_LOOK_SECONDS = 20.0


class Remembered:
    def __init__(
        self, states: Callable[[tuple[Table, ...]], tuple[str, ...] | None], rules: Callable[[], Hashable]
    ) -> None:
        self._states, self._rules, self._lock = states, rules, threading.Lock()
        self._answers: LRUCache[Hashable, Kept] = LRUCache(_MOST, getsizeof=_size)
        self._wanted: TTLCache[_Question, Callable[[], Answer]] = TTLCache(_WANTED, _WANTED_SECONDS)
        self._seen: dict[tuple[Table, ...], tuple[str, ...] | None] = {}
        self._over = threading.Event()

    def __call__(self, identity: Identity, sql: str, run: Callable[[], Answer]) -> Answer:
        tables = tables_of(sql)
        states = self._states(tables) if tables else None
        if states is None:
            return run()
        # Read before the question is asked: what changes meanwhile makes an answer that nobody will find.
        question = identity.user, identity.roles, sql
        key = question, self._rules(), states
        with self._lock:
            kept = self._answers.get(key)
            if kept is not None:
                self._wanted[question] = run
        return kept[1] if kept is not None else self._asked(key, sql, run)

    def _asked(self, key: Hashable, sql: str, run: Callable[[], Answer]) -> Answer:
        answer = run()
        if _size((sql, answer)) <= _MOST // _LARGEST:
            with self._lock:
                self._answers[key] = sql, answer
        return answer

    def keep_renewed(self) -> None:
        """From now on, until `close`."""
        threading.Thread(target=self._renew_on, name="renew", daemon=True).start()

    def close(self) -> None:
        self._over.set()

    def _renew_on(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self.renew()

    def renew(self) -> None:
        """Asks anew, one by one, what was asked more than once and whose tables have changed, but no more since the last look."""
        with self._lock:
            wanted = list(self._wanted.items())
        before, self._seen = self._seen, {}
        for question, run in wanted:
            sql = question[-1]
            tables = tables_of(sql) or ()
            if tables not in self._seen:
                self._seen[tables] = self._states(tables)
            states = self._seen[tables]
            if states is None or states != before.get(tables):
                continue
            try:
                if (key := (question, self._rules(), states)) not in self._answers:
                    self._asked(key, sql, run)
            except (RuntimeError, OSError) as error:
                _LOG.info("not_renewed", reason=str(error)[:300])
                # Whoever asks it next is told why.
                with self._lock:
                    self._wanted.pop(question, None)


def _size(kept: Kept) -> int:
    sql, (rows, names) = kept
    return 10 + len(sql) // _LETTERS + len(rows) * len(names)
