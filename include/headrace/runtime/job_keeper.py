"""Starts and ends one streaming job so that its checkpoint has one query, whoever asks and whatever was killed before.

Two locks see to it: one guards a start or stop while it happens; the other, on the job's log, is inherited by every
process of the job, so that the kernel keeps it for exactly as long as any of them lives.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import psutil
from filelock import FileLock, Timeout

from headrace.log import get_logger
from headrace.runtime import priority, scratch, tools
from headrace.runtime.backoff import History
from headrace.runtime.handle import MARK, Handle, end, marked
from headrace.runtime.job_state import Status, judge, publish, read_beat
from headrace.settings import Settings, inherited_environment
from headrace.streams import renewal

log = get_logger(__name__)

_BUSY_SECONDS = 90.0
_LOG_SECONDS = 20.0
_APPEAR_SECONDS = 2.0
_LARGEST_LOG = 64 * 2**20


class JobBusy(RuntimeError):
    """Another process is starting the job, or holds what it needs."""


class JobHeld(RuntimeError):
    """A person wants the job to stay stopped."""


@dataclass(frozen=True)
class Job:
    """One long-lived Spark application with a checkpoint for each of its queries."""

    name: str
    script: Path
    environment: str = "main"
    java: int | None = None
    jars: tuple[str, ...] = ()
    driver_memory: str = "768m"
    start_seconds: float = 300.0
    """How long the first sign of progress may take."""
    silence_seconds: float = 60.0
    """How old the newest sign of progress may become before the job counts as stalled."""
    stop_seconds: float = 30.0
    can_wait: bool = False
    """Whether the live path goes first where there are too few cores."""


class Keeper:
    """One job in one state folder."""

    def __init__(self, job: Job, settings: Settings) -> None:
        self.job = job
        self._settings = settings
        self._folder = settings.run / "jobs"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._handle_file = self._folder / f"{job.name}.json"
        self._history_file = self._folder / f"{job.name}.history.json"

    @property
    def log_file(self) -> Path:
        return self._settings.logs / f"{self.job.name}.log"

    @property
    def handle(self) -> Handle | None:
        return Handle.read(self._handle_file)

    @property
    def history(self) -> History:
        return History.read(self._history_file)

    def status(self) -> Status:
        """Judged by process and by progress; reads only."""
        handle, job = self.handle, self.job
        beat = read_beat(self._settings, job.name) if handle and handle.alive() else None
        seen = judge(job.name, handle, beat, start_seconds=job.start_seconds, silence_seconds=job.silence_seconds)
        if seen.state == "absent" and (who := self.history.held_by):
            return replace(seen, state="stopped", reason=_held(job.name, who))
        if seen.state == "dead" and handle and renewal.announced(self._settings, job.name, asdict(handle)):
            return replace(seen, renews=True, reason="it ended to take up changed streams")
        return seen

    def hold_back(self, seen: Status) -> float:
        """Seconds until a repair is due, which grow while the job keeps failing."""
        with self._exclusively():
            history = self.history
            self._count(history, seen)
            history.write(self._history_file)
            return history.wait()

    def forgive(self) -> None:
        """Forgets failures once a person was told of them, so that the next attempt is not held back for them again."""
        with self._exclusively():
            self._note(failures=[])

    @staticmethod
    def _count(history: History, seen: Status) -> None:
        """A failure counts once, however many look at it, and not when the end was wanted."""
        if not seen.broken or seen.handle is None or history.stopping:
            return
        if seen.renews:
            history.reason = seen.reason
            return
        key = f"{seen.handle.pid}:{seen.handle.created}"
        if history.counted != key:
            history.counted = key
            history.failed(seen.reason, seen.handle.created)

    def start(self, by: str = "") -> Handle:
        """The running job; started when it is not there, replaced when it is dead or stalled.

        What a person has stopped only a person starts, who is named here.
        """
        with self._exclusively():
            history = self.history
            if history.held_by and not by:
                raise JobHeld(_held(self.job.name, history.held_by))
            seen = self.status()
            if seen.healthy and seen.handle:
                return seen.handle
            if seen.state != "stalled" and (found := self._adopt()):
                self._note(held_by="")
                return found
            self._count(history, seen)
            grace = self.job.stop_seconds if seen.state == "stalled" else 2.0
            end(marked(self.job.name, self._settings.home), grace=grace)
            handle = self._launch()
            # After the handle is there, so that nobody finds the job neither held nor running.
            history.starts += 1
            history.stopping, history.held_by = False, ""
            if by:
                history.failures, history.reason = [], f"started by {by}"
            history.write(self._history_file)
            self._publish("starting", history, handle, history.reason)
            log.info("job started", job=self.job.name, pid=handle.pid, before=seen.state, because=seen.reason)
            return handle

    def stop(self, grace: float | None = None, by: str = "") -> bool:
        """Ends the job with everything it started; whether there was anything to end.

        Stopped by a person, who is named here, it stays stopped; otherwise its supervisor starts it again.
        """
        with self._exclusively():
            history = self._note(stopping=True, **({"held_by": by} if by else {}))
            processes = marked(self.job.name, self._settings.home)
            end(processes, grace=self.job.stop_seconds if grace is None else grace)
            self._handle_file.unlink(missing_ok=True)
            self._publish("stopped", history, None, f"stopped by {by}" if by else "stopped on purpose")
            return bool(processes)

    def _note(self, **changed: Any) -> History:
        history = replace(self.history, **changed)
        history.write(self._history_file)
        return history

    def _publish(self, state: str, history: History, handle: Handle | None, reason: str) -> None:
        restarts = max(history.starts - 1, 0)
        publish(self._settings, self.job.name, state, handle=handle, restarts=restarts, reason=reason)

    def _adopt(self) -> Handle | None:
        """The job that runs although its handle was lost, between its start and the note of it."""
        until = time.monotonic() + _APPEAR_SECONDS
        found = self._unnoted()
        while found is None and self.handle is None and self._written() and time.monotonic() < until:
            # Somebody holds the log: a process that began this moment, and does not show yet what it is.
            time.sleep(0.05)
            found = self._unnoted()
        return found

    def _written(self) -> bool:
        """Whether a process of the job holds its log."""
        if not self.log_file.exists():
            return False
        with self.log_file.open("ab") as output:
            return not _lock(output)

    def _unnoted(self) -> Handle | None:
        for process in marked(self.job.name, self._settings.home):
            try:
                leads = os.getsid(process.pid) == process.pid and str(self.job.script) in process.cmdline()
                handle = Handle.of(process)
            except (psutil.Error, ProcessLookupError):
                continue
            if leads:
                handle.write(self._handle_file)
                return handle
        return None

    def _launch(self) -> Handle:
        job = self.job
        with self._locked_log() as output:
            process = subprocess.Popen(
                [str(tools.python_of(job.environment)), str(job.script)],
                env=environment(job, self._settings) | {"TMPDIR": str(scratch.fresh(self._settings, job.name))},
                cwd=self._settings.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if job.can_wait:
            priority.let_live_go_first(process.pid)
        handle = Handle.of(psutil.Process(process.pid))
        handle.write(self._handle_file)
        return handle

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        try:
            with FileLock(self._folder / f"{self.job.name}.lock", timeout=_BUSY_SECONDS):
                yield
        except Timeout:
            raise JobBusy(
                f"Job {self.job.name!r} has been starting or stopping for over {_BUSY_SECONDS:.0f} s: "
                f"see its log, {self.log_file}."
            ) from None

    @contextmanager
    def _locked_log(self) -> Iterator[BinaryIO]:
        path = self.log_file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as output:
            until = time.monotonic() + _LOG_SECONDS
            while not _lock(output):
                if time.monotonic() > until:
                    raise JobBusy(f"A process still writes {path}: find it with `fuser {path}`, end it, start again.")
                time.sleep(0.2)
            if path.stat().st_size > _LARGEST_LOG:
                shutil.copyfile(path, path.with_suffix(".log.1"))
                output.truncate(0)
            yield output


def _held(job: str, who: str) -> str:
    return f"stopped by {who}; start it on Airflow's page Streams or by `./headrace restart {job}`"


def _lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def environment(job: Job, settings: Settings) -> dict[str, str]:
    """What the job sees: nothing of Airflow's own variables, which hold secrets that are not the job's."""
    variables = inherited_environment() | {
        MARK: job.name,
        "HEADRACE_HOME": str(settings.home),
        "HEADRACE_REPO": str(settings.repo),
        "PYTHONPATH": str(settings.repo / "include"),
        "PYTHONUNBUFFERED": "1",
        "SPARK_LOCAL_IP": settings.bind,
    }
    if job.java:
        variables |= tools.spark_variables(job.name, job.java, job.jars, job.driver_memory)
        variables["PYSPARK_PYTHON"] = str(tools.python_of(job.environment))
    return variables
