"""Honest health: each store is asked, within two seconds and side by side, and the reply says what that means.

Code 200 as long as live questions can be answered, which needs Valkey (the figures) and PostgreSQL (the audit record
that every answer must leave); without Trino the state is `degraded`, as history is missing. Otherwise 503.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import UTC, datetime

from app.api.models import Health, PartState, Status

Check = Callable[[], None]
_SECONDS = 2.0
_KEPT_SECONDS = 3.0
_NEEDED_LIVE = ("valkey", "postgres")


class Checks:
    """The last result is kept for moments, so that a prober cannot load the stores."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._pool = ThreadPoolExecutor(max_workers=len(checks) * 2, thread_name_prefix="health")
        self._lock = threading.Lock()
        self._last: Health | None = None
        self._at = 0.0

    def health(self) -> Health:
        with self._lock:
            if self._last is None or time.monotonic() - self._at > _KEPT_SECONDS:
                self._last, self._at = self._ask_all(), time.monotonic()
            return self._last

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask_all(self) -> Health:
        deadline = time.monotonic() + _SECONDS
        asked = {name: self._pool.submit(_timed, check) for name, check in self._checks.items()}
        parts = {name: _result(future, deadline) for name, future in asked.items()}
        live = all(parts[name].state == "up" for name in _NEEDED_LIVE if name in parts)
        everything = all(part.state == "up" for part in parts.values())
        status: Status = "up" if everything else "degraded" if live else "down"
        return Health(status=status, parts=parts, checked_at=datetime.now(UTC))


def _timed(check: Check) -> PartState:
    began = time.perf_counter()
    try:
        check()
        state, detail = "up", ""
    except Exception as error:  # noqa: BLE001 - whatever a store's client raises means: down, and this is why
        state, detail = "down", f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
    elapsed = round((time.perf_counter() - began) * 1000, 1)
    return PartState(state=state, detail=detail, elapsed_ms=elapsed)  # type: ignore[arg-type]


def _result(future: Future[PartState], deadline: float) -> PartState:
    try:
        return future.result(timeout=max(0.0, deadline - time.monotonic()))
    except FutureTimeout:
        future.cancel()
        return PartState(state="down", detail=f"no answer within {_SECONDS:.0f} s", elapsed_ms=_SECONDS * 1000)
