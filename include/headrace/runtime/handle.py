"""A detached process that can be found again by anyone: by a number that the system reuses, and the moment it began.

A job is more than its first process (Spark's Python starts a Java), and each of them carries a mark in its environment;
so the rest of a killed job is found too, and is ended before another takes over its checkpoint.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

MARK = "HEADRACE_PART"
"""Set for every part of the platform, to its name: `down` finds what is left by it."""
# The kernel gives the start relative to boot, and the time of boot moves when the clock is set.
_CLOCK_SLACK = 60.0
_ENDED = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
_GONE = (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied)


@dataclass(frozen=True)
class Handle:
    pid: int
    created: float
    """When the process began, in seconds since 1970, as the system says it."""

    @classmethod
    def of(cls, process: psutil.Process) -> Handle:
        return cls(process.pid, process.create_time())

    @classmethod
    def read(cls, path: Path) -> Handle | None:
        try:
            raw = json.loads(path.read_text())
            return cls(int(raw["pid"]), float(raw["created"]))
        except (FileNotFoundError, json.JSONDecodeError, KeyError, ValueError):
            # An interrupted write is the same as none: the process is then found by its mark.
            return None

    def write(self, path: Path) -> None:
        temporary = path.with_name(f".{path.name}")
        temporary.write_text(json.dumps(asdict(self)))
        temporary.replace(path)

    def alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < _CLOCK_SLACK
            return same and process.status() not in _ENDED
        except _GONE:
            return False


def marked(name: str, home: Path) -> list[psutil.Process]:
    """Every living process of a job of this state folder, oldest first."""
    found = [p for p in psutil.process_iter() if _carries(p, {MARK: name, "HEADRACE_HOME": str(home)})]
    return sorted(found, key=_began)


def _carries(process: psutil.Process, variables: Mapping[str, str]) -> bool:
    try:
        environment: Mapping[str, Any] = process.environ()
        return all(environment.get(key) == value for key, value in variables.items())
    except (*_GONE, OSError):
        return False


def _began(process: psutil.Process) -> float:
    try:
        return process.create_time()
    except _GONE:
        return 0.0


def end(processes: list[psutil.Process], *, grace: float, limit: float = 10.0) -> None:
    """Asks the oldest process to finish and waits for all of them; what is left after the grace is killed.

    Only the first is asked: it stops its query and takes its Java along; a Java ended from beside would cut the query.
    """
    if not processes:
        return
    _quietly(processes[0].terminate)
    left = _left_after(grace, processes)
    for process in left:
        _quietly(process.kill)
    if left := _left_after(limit, left):
        raise TimeoutError(
            f"Processes {[p.pid for p in left]} do not end, not even when killed: see `ps -o stat,wchan`."
        )


def _left_after(seconds: float, processes: list[psutil.Process]) -> list[psutil.Process]:
    """A zombie counts as gone: its parent may be a container's first process, which never asks for it."""
    until = time.monotonic() + seconds
    while (left := [p for p in processes if _lives(p)]) and time.monotonic() < until:
        time.sleep(0.02)
    return left


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() not in _ENDED
    except _GONE:
        return False


def _quietly(signal: Any) -> None:
    try:
        signal()
    except psutil.NoSuchProcess:
        return
