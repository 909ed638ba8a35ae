"""One sink at its own pace: read, write, commit; a store that is down is tried again, and nothing else waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from confluent_kafka import KafkaException, Message

from headrace.log import get_logger
from headrace.settings import Settings
from headrace.sinks.progress import Progress
from headrace.sinks.reader import Reader
from headrace.sinks.sink import Sink, SinkDown

log = get_logger(__name__)
_GATHER_SECONDS = 1.0
"""A busy window changes many times a second; a sink writes its newest state once."""
_MOST = 5000
_REPORT_SECONDS = 5.0
_TIDY_SECONDS = 300.0
_LONGEST_WAIT = 30.0


class Worker:
    def __init__(self, settings: Settings, make: Callable[[Settings], Sink], name: str) -> None:
        self._settings, self._make, self.name = settings, make, name
        self._progress = Progress(settings, name)
        self._sink: Sink | None = None
        self._reader: Reader | None = None
        self._pending: list[Message] = []
        self._tidied: float | None = None
        self._reported = 0.0
        self._written = 0
        self._error: str | None = None

    def run(self, stop: threading.Event) -> None:
        wait = 0.5
        while not stop.is_set():
            try:
                self.step()
                self._error, wait = None, 0.5
            except (SinkDown, KafkaException, TimeoutError) as error:
                self._error = str(error)
            except Exception as error:  # noqa: BLE001 - one sink's fault must not end the others; `status` shows it
                self._error = f"{type(error).__name__}: {error}"
            if self._error:
                log.warning("sink waits and tries again", sink=self.name, error=self._error, seconds=wait)
                self._report()
                stop.wait(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
            self._report()
        self._close()

    def step(self) -> None:
        """What could not be written comes first, and is not committed before."""
        self._sink = self._sink or self._make(self._settings)
        self._reader = self._reader or Reader(self._settings, self.name, self._sink.topics)
        if self._tidied is None or time.monotonic() - self._tidied > _TIDY_SECONDS:
            self._sink.tidy()
            self._tidied = time.monotonic()
        self._pending = self._pending or self._reader.read(_GATHER_SECONDS, _MOST)
        if self._pending:
            self._sink.write(self._pending)
            self._written += len(self._pending)
            self._pending = []
        self._reader.commit()

    def _report(self) -> None:
        if time.monotonic() - self._reported < _REPORT_SECONDS:
            return
        self._reported = time.monotonic()
        try:
            lag = self._reader.lag() if self._reader else None
        except (KafkaException, TimeoutError) as error:
            lag, self._error = None, self._error or str(error)
        self._progress.report(lag, self._written, self._error)

    def _close(self) -> None:
        for held in (self._sink, self._reader, self._progress):
            if held is not None:
                held.close()
