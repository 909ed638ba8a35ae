"""The life of a streaming job's process: alone on its checkpoints, beating while its queries run, ending cleanly."""

from __future__ import annotations

import fcntl
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headrace.log import get_logger

log = get_logger(__name__)
BEAT_SECONDS = 2.0
_LOCK_SECONDS = 20.0


class AlreadyRunning(RuntimeError):
    """Another process works on these checkpoints."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Two queries on one checkpoint would corrupt it; a predecessor that is ending gets some seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as file:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise AlreadyRunning(f"Another job holds {folder}: stop it first, or let it run.") from None
                time.sleep(0.2)
        yield


def stop_signal() -> threading.Event:
    """Set by SIGTERM and SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def run(
    queries: list[Any],
    stop: threading.Event,
    beat: Callable[[str], None],
    *,
    stop_seconds: float,
    close: Callable[[], None],
    changed: Callable[[], bool],
    renew: Callable[[], None],
) -> int:
    """Beats until told to stop, then ends the queries well; a query that ended by itself ends the job, with status 1.

    When what it began with is no longer what is published, the job ends well too, and asks to be started anew.
    """
    renews = False
    beat("starting")
    while not stop.wait(BEAT_SECONDS):
        if ended := next((query for query in queries if not query.isActive), None):
            beat("failed")
            log.error("job ends", query=ended.name, error=str(ended.exception() or "without saying why"))
            return 1
        beat("running")
        if renews := changed():
            log.info("what is published changed; the job ends to be started anew with it")
            break
    _finish(queries, stop_seconds)
    beat("stopped")
    close()
    if renews:
        renew()
    return 0


def _finish(queries: list[Any], seconds: float) -> None:
    """Stops queries between two batches where there is a between; what is cut is repeated at the next start."""
    deadline = time.monotonic() + seconds
    for query in queries:
        while query.isActive and query.status["isTriggerActive"] and time.monotonic() < deadline:
            time.sleep(0.05)
        query.stop()
        log.info("query stopped", query=query.name)
