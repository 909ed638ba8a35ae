"""Live windows for who reads one entity at a time: only from a store that is filled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from headrace.assistant.filled import FilledStore
from headrace.live.fold import Window
from headrace.live.store import LiveStore


class EntityWindows:
    def __init__(self, store: LiveStore, filled: FilledStore) -> None:
        self._store, self._filled = store, filled

    def windows(self, spec: str, start: datetime, end: datetime, *, late: bool = False) -> Sequence[Window]:
        return self._filled.windows(spec, start, end, late=late)

    def rows(self, spec: str, fields: Sequence[str], start: datetime, end: datetime) -> Sequence[Window]:
        self._filled.require()
        return self._store.rows(spec, fields, start, end)
