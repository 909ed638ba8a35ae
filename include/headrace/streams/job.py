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


class QueryEnded(RuntimeError):
    """A query stopped by itself; the job ends too, and whoever supervises it starts both again."""


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


def supervise(
    queries: list[Any], stop: threading.Event, beat: Callable[[str], None], changed: Callable[[], bool]
) -> bool:
    """Beats until told to stop, or until something new has to be taken up (True); QueryEnded with what a query said."""
    while not stop.wait(BEAT_SECONDS):
        for query in queries:
            if not query.isActive:
                beat("failed")
                raise QueryEnded(f"Query {query.name} ended: {query.exception() or 'without saying why'}")
        beat("running")
        if changed():
            log.info("what is published changed; the job ends to be started anew with it")
            return True
    return False


def finish(queries: list[Any], seconds: float) -> None:
    """Stops queries between two batches where there is a between; what is cut is repeated at the next start."""
    deadline = time.monotonic() + seconds
    for query in queries:
        while query.isActive and query.status["isTriggerActive"] and time.monotonic() < deadline:
            time.sleep(0.05)
        query.stop()
        log.info("query stopped", query=query.name)
