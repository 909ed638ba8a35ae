"""Guards the live store: one that the projector has not filled since the server started holds too little to answer from."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

from cachetools import TTLCache, cached

from headrace.assistant.livepart import Windows
from headrace.live.either import LiveNotFilled
from headrace.live.fold import Window
from headrace.live.held import filled

_CHECK_SECONDS = 1.0


class FilledStore:
    def __init__(self, store: Windows, client: Any) -> None:
        self._store = store
        self._check = cached(TTLCache(1, _CHECK_SECONDS), lock=threading.Lock())(lambda: filled(client))

    def windows(self, spec: str, start: datetime, end: datetime, *, late: bool = False) -> list[Window]:
        self.require()
        return list(self._store.windows(spec, start, end, late=late))

    def require(self) -> None:
        if not self._check():
            raise LiveNotFilled("The live figures are being put together again; that takes moments.")

    def newest(self, spec: str) -> datetime | None:
        return self._store.newest(spec)

    def since(self, spec: str) -> datetime | None:
        return self._store.since(spec) if self._check() else None
