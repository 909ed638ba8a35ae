"""The state of every part at a glance."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import psutil

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


def _memory(pid: int | None) -> int:
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
    return PartStatus(part.name, state, pid, _memory(pid), port, part.url(settings), healthy)


def _jobs(settings: Settings) -> list[PartStatus]:
    from headrace.runtime import jobs

    found = []
    for job in jobs.JOBS:
        status = jobs.status(job)
        pid = status.handle.pid if status.handle else None
        found.append(PartStatus(job, status.state, pid, _memory(pid), None, None, status.state == "running"))
    return found


def read(settings: Settings) -> list[PartStatus]:
    try:
        states = Supervisor(settings).states()
    except (SupervisorDown, LookupError):
        return [PartStatus(p.name, "stopped", None, 0, None, None, False) for p in PARTS]
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda part: _one(part, settings, states), PARTS))
    return parts + (_jobs(settings) if states["postgres"]["statename"] == "RUNNING" else [])


def as_document(statuses: list[PartStatus]) -> dict[str, Any]:
    return {"parts": [asdict(s) for s in statuses]}
