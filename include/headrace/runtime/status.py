"""The state of every part at a glance."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import psutil
import psycopg

from headrace.runtime.model import Part
from headrace.runtime.parts import PARTS
from headrace.runtime.supervise import Supervisor, SupervisorDown
from headrace.settings import Settings


@dataclass(frozen=True)
class PartStatus:
    name: str
    state: str
    pid: int | None
    rss_mb: int
    port: int | None
    url: str | None
    healthy: bool
    lag: int | None = None
    """Messages that a job or sink has not taken up yet."""


def memory(pid: int | None) -> int:
    """Megabytes of a process and its children; shared pages count once each."""
    if not pid:
        return 0
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += _own_memory(one)
    return round(total / 1e6)


def _own_memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (AttributeError, psutil.AccessDenied):
        return int(process.memory_info().rss)


def _one(part: Part, settings: Settings, states: dict[str, dict[str, Any]]) -> PartStatus:
    info = states.get(part.name, {})
    state = str(info.get("statename", "STOPPED")).lower()
    pid = int(info.get("pid") or 0) or None
    healthy = state == "running" and part.healthy(settings)
    port = getattr(settings.ports, part.ports[0]) if part.ports else None
    return PartStatus(part.name, state, pid, memory(pid), port, part.url(settings), healthy)


def _jobs(settings: Settings) -> list[PartStatus]:
    from headrace.runtime import jobs

    found = []
    for job in jobs.JOBS:
        status = jobs.status(job)
        pid = status.handle.pid if status.handle else None
        lag = status.beat.lag if status.beat else None
        found.append(PartStatus(job, status.state, pid, memory(pid), None, None, status.state == "running", lag))
    return found


def _sinks(settings: Settings) -> list[PartStatus]:
    """Each sink inside of the part `sinks`; why one waits is in that part's log."""
    from headrace.sinks.progress import states

    try:
        found = states(settings)
    except psycopg.Error:
        return []
    named = ((one, "waiting" if one.error else "silent" if one.silent else "running") for one in found)
    return [PartStatus(f"sink-{one.name}", state, None, 0, None, None, one.healthy, one.lag) for one, state in named]


def read(settings: Settings) -> list[PartStatus]:
    try:
        states = Supervisor(settings).states()
    except (SupervisorDown, LookupError):
        return [PartStatus(p.name, "stopped", None, 0, None, None, False) for p in PARTS]
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda part: _one(part, settings, states), PARTS))
    if states["postgres"]["statename"] != "RUNNING":
        return parts
    sinks = _sinks(settings) if states.get("sinks", {}).get("statename") == "RUNNING" else []
    return parts + _jobs(settings) + sinks


def as_document(statuses: list[PartStatus]) -> dict[str, Any]:
    return {"parts": [asdict(s) for s in statuses]}
