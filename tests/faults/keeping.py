"""Keeps both streaming jobs running, as Airflow does, and holds still while a test looks at what a kill left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from headrace.runtime import jobs
from headrace.settings import Settings
from headrace.streams import heartbeat


class Keeping:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        while not self._stop.wait(1.0):
            with self._held:
                for job in jobs.JOBS:
                    # PostgreSQL may be among the dead: the next look is a second away.
                    try:
                        jobs.start(job, self._settings)
                    except (jobs.JobBusy, OSError, psycopg.Error):
                        continue

    def await_both(self, seconds: float = 300) -> None:
        deadline = time.monotonic() + seconds
        while not all(_works(self._settings, job) for job in jobs.JOBS):
            assert time.monotonic() < deadline, "the jobs do not run"
            time.sleep(1)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nothing is started anew meanwhile."""
        with self._held:
            yield

    def end(self) -> None:
        self._stop.set()
        self._thread.join(60)
        for job in jobs.JOBS:
            jobs.stop(job, settings=self._settings)


def _works(settings: Settings, job: str) -> bool:
    beat = heartbeat.read(settings, job)
    return beat is not None and beat.state == "running" and (job != "lake" or beat.landed_through is not None)
