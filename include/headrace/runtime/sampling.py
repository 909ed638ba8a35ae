"""Measures the platform into `system_metrics`: parts, streaming jobs, streams and sinks, every half minute, for a week.

Processor and memory are known where the processes are: under the supervisor. In containers, where they are not to be seen
from here, health, lag and rates are measured and those two are null: there the cluster measures them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from datetime import UTC, datetime

import psutil
import psycopg
from confluent_kafka import KafkaException

from headrace.log import get_logger
from headrace.runtime import jobs
from headrace.runtime.model import Part
from headrace.runtime.parts import PARTS
from headrace.runtime.status import memory
from headrace.runtime.stream_rates import StreamRates
from headrace.runtime.supervise import Supervisor, SupervisorDown
from headrace.settings import Settings
from headrace.sinks.progress import states

log = get_logger(__name__)
_INSERT = """
insert into system_metrics (at, kind, name, healthy, cpu_percent, memory_mb, lag, per_second)
values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing
"""
_TIDY = "delete from system_metrics where at < now() - make_interval(days => %s)"


@dataclass(frozen=True)
class Sample:
    kind: str
    name: str
    healthy: bool | None = None
    cpu_percent: float | None = None
    """Of one core, so that two busy cores are 200."""
    memory_mb: int | None = None
    lag: int | None = None
    per_second: float | None = None


class Sampler:
    """Remembers what it saw last, as a rate is a difference."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rates = StreamRates(settings)
        self._spent: dict[str, dict[int, float]] = {}
        self._looked: dict[str, float] = {}

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            began = time.monotonic()
            try:
                self.keep(datetime.now(UTC))
            except psycopg.Error as error:
                log.warning("measurements were not written", error=str(error))
            stop.wait(max(1.0, began + self._settings.system_metrics_seconds - time.monotonic()))

    def keep(self, at: datetime) -> int:
        """One look at everything; how many rows it made."""
        rows = [(at, *astuple(sample)) for sample in self.samples()]
        with psycopg.connect(self._settings.postgres_dsn("headrace"), connect_timeout=3) as connection:
            connection.cursor().executemany(_INSERT, rows)
            connection.execute(_TIDY, [self._settings.system_metrics_days])
        return len(rows)

    def samples(self) -> list[Sample]:
        found = [*self._parts(), *self._jobs()]
        found += [Sample("sink", one.name, one.healthy, lag=one.lag) for one in states(self._settings)]
        try:
            found += [Sample("stream", name, lag=lag, per_second=rate) for name, lag, rate in self._rates.look()]
        except (KafkaException, TimeoutError) as error:
            log.warning("streams were not measured", error=str(error))
        return found

    def _parts(self) -> list[Sample]:
        """A part that nobody started has nothing to say; one that fell is not healthy."""
        try:
            known = Supervisor(self._settings).states()
        except (SupervisorDown, LookupError):
            known = None
        wanted = [p for p in PARTS if known is None or known.get(p.name, {}).get("statename", "STOPPED") != "STOPPED"]
        with ThreadPoolExecutor(4) as pool:
            healthy = list(pool.map(self._healthy, wanted))
        pids = {part.name: known[part.name]["pid"] if known else 0 for part in wanted}
        return [
            Sample("part", part.name, well, *self._used(part.name, pids[part.name] or None))
            for part, well in zip(wanted, healthy, strict=True)
        ]

    def _healthy(self, part: Part) -> bool:
        try:
            return part.healthy(self._settings)
        except Exception as error:  # noqa: BLE001 - whatever a check raises means that the part is not well
            log.warning("a health check failed", part=part.name, error=str(error))
            return False

    def _jobs(self) -> Iterator[Sample]:
        for name in jobs.JOBS:
            status = jobs.status(name, self._settings)
            if status.state not in ("absent", "stopped"):
                pid = status.handle.pid if status.handle and status.handle.alive() else None
                lag = status.beat.lag if status.beat else None
                yield Sample("job", name, status.healthy, *self._used(f"job {name}", pid), lag)

    def _used(self, name: str, pid: int | None) -> tuple[float | None, int | None]:
        """Processor since the last look and memory now, of a process and all it started."""
        if pid is None:
            return None, None
        now, before, spent = time.monotonic(), self._spent.get(name, {}), _spent(pid)
        elapsed = now - self._looked.get(name, now)
        self._spent[name], self._looked[name] = spent, now
        used = sum(seconds - before[one] for one, seconds in spent.items() if one in before)
        return (round(100 * used / elapsed, 1) if elapsed else None), memory(pid)


def _spent(pid: int) -> dict[int, float]:
    """Seconds of processor by process; one that ends while we look is left out."""
    found = {}
    try:
        tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return {}
    for process in tree:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        found[process.pid] = times.user + times.system
    return found
