"""Small reference data kept in memory: loaded by a thread, served at once, read anew when it has aged.

A caller says how long it will wait for the very first load; afterwards nobody waits, and a source that is down leaves
what was read before in place.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from typing import Generic, TypeVar

from headrace.log import get_logger

_LOG = get_logger(__name__)
_RETRY_SECONDS = 10.0
T = TypeVar("T")


class Kept(Generic[T]):
    def __init__(self, name: str, load: Callable[[], T], *, seconds: float = 300.0) -> None:
        self._name, self._load, self._seconds = name, load, seconds
        self._value: T | None = None
        self._due = 0.0
        self._loading: Future[None] | None = None
        self._lock = threading.Lock()

    def get(self, *, wait: float = 0.0) -> T | None:
        """The newest value there is; None when there is none yet."""
        loading = self._start_if_due()
        if self._value is None and loading is not None and wait > 0:
            wait_for([loading], timeout=wait)
        return self._value

    def _start_if_due(self) -> Future[None] | None:
        with self._lock:
            if self._loading is None and time.monotonic() >= self._due:
                self._loading = Future()
                threading.Thread(
                    target=self._run, args=(self._loading,), name=f"kept-{self._name}", daemon=True
                ).start()
            return self._loading

    def _run(self, done: Future[None]) -> None:
        pause = _RETRY_SECONDS
        try:
            self._value = self._load()
            pause = self._seconds
        except Exception as error:  # noqa: BLE001 - whatever the source raises means: not now, try again soon
            _LOG.info("reference_not_read", name=self._name, kind=type(error).__name__, reason=str(error)[:300])
        finally:
            with self._lock:
                self._due, self._loading = time.monotonic() + pause, None
            done.set_result(None)
