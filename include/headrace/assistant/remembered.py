"""What Trino answered is kept as long as every table that it read is in the same state: asked again, it costs a look and no query.

A build gives the tables that it changed another state, so nothing old is ever told. Each person's answers are their own, because
Trino filters rows and hides columns by person; they go when its rules change.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any

from cachetools import LRUCache

from headrace.lake.states import Table, tables_of
from headrace.policy import Identity

Answer = tuple[list[list[Any]], list[str]]
"""Rows and the names of their columns; nobody may change them."""
Kept = tuple[str, Answer]
_MOST = 1_000_000
"""Values, and a value for each hundred letters of statements: some 100 MB at most."""
_LETTERS, _LARGEST = 100, 20
"""One answer may take a part of all in so many."""


class Remembered:
    def __init__(
        self, states: Callable[[tuple[Table, ...]], tuple[str, ...] | None], rules: Callable[[], Hashable]
    ) -> None:
        self._states, self._rules, self._lock = states, rules, threading.Lock()
        self._answers: LRUCache[Hashable, Kept] = LRUCache(_MOST, getsizeof=_size)

    def __call__(self, identity: Identity, sql: str, run: Callable[[], Answer]) -> Answer:
        tables = tables_of(sql)
        states = self._states(tables) if tables else None
        if states is None:
            return run()
        # Read before the question is asked: what changes meanwhile makes an answer that nobody will find.
        key = identity.user, identity.roles, self._rules(), states, sql
        with self._lock:
            kept = self._answers.get(key)
        if kept is not None:
            return kept[1]
        answer = run()
        if _size((sql, answer)) <= _MOST // _LARGEST:
            with self._lock:
                self._answers[key] = sql, answer
        return answer


def _size(kept: Kept) -> int:
    sql, (rows, names) = kept
    return 10 + len(sql) // _LETTERS + len(rows) * len(names)
