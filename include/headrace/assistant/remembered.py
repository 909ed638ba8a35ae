"""What Trino answered is kept as long as every table that it read is in the same state: asked again, it costs a look and no query.

A build gives the tables that it changed another state, so nothing old is ever told. Each person's answers are their own, because
Trino filters rows and hides columns by person; they go when its rules change.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any

from cachetools import LRUCache

from headrace.lake.states import Table, tables_of
from headrace.policy import Identity

Answer = tuple[list[list[Any]], list[str]]
"""Rows and the names of their columns; nobody may change them."""
_MOST_ROWS = 200_000


class Remembered:
    def __init__(
        self, states: Callable[[tuple[Table, ...]], tuple[str, ...] | None], rules: Callable[[], Hashable]
    ) -> None:
        self._states, self._rules, self._lock = states, rules, threading.Lock()
        self._answers: LRUCache[Hashable, Answer] = LRUCache(_MOST_ROWS, getsizeof=lambda answer: 1 + len(answer[0]))

    def __call__(self, identity: Identity, sql: str, run: Callable[[], Answer]) -> Answer:
        tables = tables_of(sql)
        states = self._states(tables) if tables else None
        if states is None:
            return run()
        # Read before the question is asked: what changes meanwhile makes an answer that nobody will find.
        key = identity.user, identity.roles, self._rules(), states, sql
        with self._lock:
            known = self._answers.get(key)
        if known is not None:
            return known
        answer = run()
        with self._lock, suppress(ValueError):  # Larger than everything that may be kept.
            self._answers[key] = answer
        return answer
