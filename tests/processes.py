"""Processes of a running platform: which one a part is, kill -9 with its children, and the wait until it is back."""

from __future__ import annotations

import os
import signal
import time

import psutil

from headrace.runtime import status
from headrace.runtime.status import PartStatus
from headrace.settings import Settings


def part_of(settings: Settings, name: str) -> PartStatus:
    """As `./headrace status` sees it, without a new process for each look."""
    return next(part for part in status.read(settings) if part.name == name)


def kill_with_children(pid: int) -> None:
    """A job's JVM is what works: it dies first, before the Python process above it could tell it to end."""
    parent = psutil.Process(pid)
    for one in [*parent.children(recursive=True), parent]:
        os.kill(one.pid, signal.SIGKILL)


def await_new_process(settings: Settings, name: str, old: int, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while (part := part_of(settings, name)).pid in (old, None) or not part.healthy:
        assert time.monotonic() < deadline, part
        time.sleep(1)
