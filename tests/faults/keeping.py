"""Keeps both streaming jobs running, as Airflow does, and holds still while a test looks at what a kill left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg

from headrace.runtime import jobs
from headrace.settings import Settings
from headrace.streams import heartbeat
from tests.processes import await_true


class Keeping:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held = {job: threading.Lock() for job in jobs.JOBS}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._keep, args=(job,), daemon=True) for job in jobs.JOBS]
        for thread in self._threads:
            thread.start()

    def _keep(self, job: str) -> None:
        while not self._stop.wait(0.5):
            with self._held[job]:
                # PostgreSQL may be among the dead: the next look is soon.
                try:
                    jobs.start(job, self._settings)
                except (jobs.JobBusy, OSError, psycopg.Error):
                    continue

    def await_both(self, seconds: float = 300) -> None:
        await_true(lambda: all(_works(self._settings, job) for job in jobs.JOBS), seconds, "the jobs do not run")

    @contextmanager
    def still(self, process: str) -> Iterator[None]:
        """Where it is a job, it is not started anew meanwhile."""
        with ExitStack() as held:
            if process in self._held:
                held.enter_context(self._held[process])
            yield

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        for job in jobs.JOBS:
            jobs.stop(job, settings=self._settings)


def _works(settings: Settings, job: str) -> bool:
    beat = heartbeat.read(settings, job)
    return beat is not None and beat.state == "running" and (job != "lake" or beat.landed_through is not None)
