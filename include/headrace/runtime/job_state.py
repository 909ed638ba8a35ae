"""How well a streaming job does, judged from its process and from its own words in the table `streams`.

A process that lives but makes no progress is as bad as a dead one; a database that cannot be asked proves nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

import psycopg

from headrace.log import get_logger
from headrace.runtime.handle import Handle
from headrace.settings import Settings
from headrace.streams import heartbeat
from headrace.streams.heartbeat import Beat

log = get_logger(__name__)

State = Literal["absent", "stopped", "starting", "running", "unknown", "stalled", "dead"]
_CONNECT_SECONDS = 3
_PUBLISH = """insert into streams (job, handle, state, started_at, restarts, reason)
    values (%(job)s, %(handle)s, %(state)s, now(), %(restarts)s, %(reason)s)
    on conflict (job) do update set handle = excluded.handle, state = excluded.state, restarts = excluded.restarts,
        reason = excluded.reason, started_at = case when excluded.handle is null then streams.started_at else now() end"""


@dataclass(frozen=True)
class Status:
    job: str
    state: State
    reason: str
    handle: Handle | None = None
    beat: Beat | None = None
    age: float | None = None
    """Seconds since the newest sign of progress."""
    renews: bool = False
    """It ended by itself, to be started anew with what was published since."""

    @property
    def healthy(self) -> bool:
        return self.state in ("starting", "running", "unknown")

    @property
    def broken(self) -> bool:
        return self.state in ("dead", "stalled")


@dataclass(frozen=True)
class Unreadable:
    """Nothing could be learned of the progress, and why."""

    reason: str


def read_beat(settings: Settings, job: str) -> Beat | Unreadable | None:
    """The job's own words; None where it never said anything."""
    try:
        return heartbeat.read(settings, job)
    except (psycopg.Error, OSError) as error:
        log.warning("progress unknown: the database cannot be asked", job=job, error=str(error).strip())
        return Unreadable("the database does not answer")


def publish(settings: Settings, job: str, state: str, *, handle: Handle | None, restarts: int, reason: str) -> None:
    """Tells the pages what was done to the job; they may lag behind, the job may not wait for them."""
    row = {"job": job, "state": state, "restarts": restarts, "reason": reason or None}
    row["handle"] = json.dumps(asdict(handle)) if handle else None
    try:
        with psycopg.connect(settings.postgres_dsn("headrace"), connect_timeout=_CONNECT_SECONDS) as connection:
            connection.execute(_PUBLISH, row)
    except psycopg.Error as error:
        log.warning("the state of the job was not written", job=job, state=state, error=str(error).strip())


def judge(
    job: str,
    handle: Handle | None,
    beat: Beat | Unreadable | None,
    *,
    start_seconds: float,
    silence_seconds: float,
    now: datetime | None = None,
) -> Status:
    if handle is None:
        return Status(job, "absent", "it was never started, or stopped on purpose")
    if not handle.alive():
        return Status(job, "dead", f"process {handle.pid} is gone", handle)
    if isinstance(beat, Unreadable):
        return Status(job, "unknown", f"its progress cannot be read: {beat.reason}", handle)
    moment = now or datetime.now(UTC)
    began = datetime.fromtimestamp(handle.created, UTC)
    # A beat from before this process began is its predecessor's.
    if beat is None or beat.heartbeat_at is None or beat.heartbeat_at < began:
        age = (moment - began).total_seconds()
        said = f"no sign of progress {age:.0f} s after its start"
        return Status(job, "stalled" if age > start_seconds else "starting", said, handle, beat, age)
    age = (moment - beat.heartbeat_at).total_seconds()
    said, state = f"the newest sign of progress is {age:.0f} s old", "running"
    if beat.state == "stalled":
        said, state = "it says itself that its query stands still", "stalled"
    elif age > silence_seconds:
        said, state = f"{said} (limit {silence_seconds:.0f} s)", "stalled"
    return Status(job, "stalled" if state == "stalled" else "running", said, handle, beat, age)
