"""Processes of a running platform: which one a part is, kill -9 with its children, and the wait until it is back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from headrace.runtime import jobs
from headrace.runtime.parts import by_name
from headrace.runtime.supervise import Supervisor
from headrace.settings import Settings


@dataclass(frozen=True)
class Process:
    """A part or a streaming job, as `./headrace status` judges it."""

    name: str
    state: str
    pid: int | None
    healthy: bool


def part_of(settings: Settings, name: str) -> Process:
    """One look at this one alone: a look at all of them, with their memory, costs what is tested here its cores."""
    if name in jobs.JOBS:
        seen = jobs.status(name, settings)
        return Process(name, seen.state, seen.handle.pid if seen.handle else None, seen.state == "running")
    info = Supervisor(settings).states()[name]
    running = info["statename"] == "RUNNING"
    return Process(name, info["statename"], info["pid"] or None, running and by_name()[name].healthy(settings))


def kill_with_children(pid: int) -> None:
    """A job's JVM is what works: it dies first, before the Python process above it could tell it to end."""
    parent = psutil.Process(pid)
    for one in [*parent.children(recursive=True), parent]:
        with suppress(ProcessLookupError):  # A child of PostgreSQL may just have ended by itself.
            os.kill(one.pid, signal.SIGKILL)


def await_true(seen: Callable[[], object], seconds: float, otherwise: str, *, pause: float = 0.5) -> None:
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline, otherwise
        time.sleep(pause)


def await_new_process(settings: Settings, name: str, old: int, seconds: float = 240) -> int:
    """The number of the one that took its place, once it works."""
    deadline = time.monotonic() + seconds
    while (part := part_of(settings, name)).pid in (old, None) or not part.healthy:
        assert time.monotonic() < deadline, part
        time.sleep(0.5)
    assert part.pid
    return part.pid
