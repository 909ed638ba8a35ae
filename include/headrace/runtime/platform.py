"""Brings parts up in order and takes them down; safe to repeat, to interrupt and to run twice at once."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from headrace.runtime import scratch
from headrace.runtime.model import Part
from headrace.runtime.parts import PARTS, by_name
from headrace.runtime.supervise import Supervisor, SupervisorDown, end_processes, own_processes
from headrace.settings import MissingSecret, Settings

State = Literal["waiting", "starting", "settling", "healthy", "running", "failed"]
_PARALLEL = 4
_TRIES = 3
Show = Callable[[list["Progress"]], None]


class PartFailed(RuntimeError):
    """A part did not become healthy."""

    def __init__(self, part: Part, settings: Settings, why: str) -> None:
        tail = log_tail(settings, part.name, 12)
        super().__init__(
            f"{part.title} {why}.\n" + (f"Its log ends with:\n{tail}\n" if tail else "")
            + f"Next: ./headrace logs {part.name}   ·   ./headrace doctor   ·   ./headrace up (safe to repeat)"
        )  # fmt: skip


@dataclass
class Progress:
    """What a person watching `up` sees of one part."""

    part: Part
    state: State = "waiting"
    since: float = 0.0
    took: float = 0.0


def log_tail(settings: Settings, name: str, lines: int) -> str:
    path = settings.logs / f"{name}.log"
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64_000))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


@contextmanager
def only_one(settings: Settings, doing: str) -> Iterator[None]:
    """Two `up` at once: the second says so and ends."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "up.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyAtWork(
                f"Another ./headrace is {doing} this platform already.\nNext: wait for it, then ./headrace status"
            ) from None
        yield


class AlreadyAtWork(RuntimeError):
    """Two commands want to change the same platform."""


def clear_strays(settings: Settings) -> int:
    """Ends what a killed supervisor left behind, so that ports and data folders are free."""
    if Supervisor(settings).is_up():
        return 0
    return _end_all(settings)


def running_parts(settings: Settings) -> set[str]:
    try:
        states = Supervisor(settings).states()
    except SupervisorDown:
        return set()
    return {name for name, info in states.items() if info["statename"] in ("RUNNING", "STARTING", "BACKOFF")}


def serves(settings: Settings, name: str) -> bool:
    """Whether a part is healthy, and this installation's: on a loopback port another one may be listening."""
    try:
        ours = getattr(settings.hosts, name) != "127.0.0.1" or name in running_parts(settings)
    except MissingSecret:
        return False
    return ours and by_name()[name].healthy(settings)


def start(settings: Settings, parts: list[Part], show: Callable[[list[Progress]], None]) -> None:
    """Each part as soon as what it needs is healthy; the first failure ends the start, with its reason."""
    supervisor = Supervisor(settings)
    supervisor.launch(PARTS)
    board = {part.name: Progress(part) for part in parts}
    tasks: dict[str, Future[None]] = {}
    pool = ThreadPoolExecutor(_PARALLEL)
    try:
        while any(p.state != "healthy" for p in board.values()):
            for name, progress in board.items():
                ready = all(n not in board or board[n].state == "healthy" for n in progress.part.needs)
                if name not in tasks and ready:
                    progress.since = time.monotonic()
                    progress.state = "starting"
                    tasks[name] = pool.submit(_bring_up, settings, progress)
            for name, task in tasks.items():
                if task.done() and (error := task.exception()):
                    board[name].state = "failed"
                    show(list(board.values()))
                    raise error
            show(list(board.values()))
            time.sleep(0.1)
        show(list(board.values()))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _bring_up(settings: Settings, progress: Progress) -> None:
    part = progress.part
    supervisor = Supervisor(settings)  # one connection a thread
    if supervisor.states()[part.name]["statename"] != "RUNNING":
        supervisor.start(part.name)
    deadline = time.monotonic() + part.start_seconds
    pids: set[int] = set()
    while not part.healthy(settings):
        state = supervisor.states()[part.name]
        pids.add(state["pid"])
        if state["statename"] == "FATAL" or len(pids - {0}) > _TRIES:
            raise PartFailed(part, settings, "ends again and again while starting")
        if time.monotonic() > deadline:
            raise PartFailed(part, settings, f"was not healthy after {part.start_seconds} s")
        time.sleep(0.25)
    progress.state = "settling"
    part.settle(settings)
    progress.took = time.monotonic() - progress.since
    progress.state = "healthy"


def stop(settings: Settings, say: Callable[[str], None]) -> None:
    """In reverse order, Airflow's jobs with it; afterwards no process of this installation is left."""
    from headrace.runtime import jobs

    supervisor = Supervisor(settings)
    running = running_parts(settings)
    for part in reversed(PARTS):
        if part.name == "airflow-api":
            # Airflow would start them again: its own processes are down by now.
            for job in jobs.JOBS:
                jobs.stop(job)
        if part.name in running:
            say(part.title)
            supervisor.stop(part.name)
    if supervisor.is_up():
        supervisor.shutdown()
        deadline = time.monotonic() + 30
        while supervisor.is_up() and time.monotonic() < deadline:
            time.sleep(0.1)
    _end_all(settings)


def _end_all(settings: Settings) -> int:
    """Nothing of this installation runs afterwards, and what it had put down for a moment is gone."""
    processes = own_processes(settings)
    end_processes(processes)
    scratch.sweep(settings)
    return len(processes)
