"""Watches a streaming job from the triggerer, where a wait costs no worker and no process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from headrace.runtime.jobs import Keeper, Status

_PROGRESS_EVERY = 5.0
_CONFIRM_SECONDS = 15.0
"""A machine that wakes from sleep finds every sign of progress old: the job gets this long to give a new one."""


class StreamingJobTrigger(BaseTrigger):
    """Fires when the job needs its operator: it died, stalled, was held long enough, or a day has passed."""

    def __init__(self, job: str, renew_at: float, hold_until: float | None = None, poll_seconds: float = 1.0) -> None:
        super().__init__()
        self.job = job
        self.renew_at = renew_at
        self.hold_until = hold_until
        self.poll_seconds = poll_seconds
        self.confirm_seconds = _CONFIRM_SECONDS

    def serialize(self) -> tuple[str, dict[str, Any]]:
        kwargs = {name: getattr(self, name) for name in ("job", "renew_at", "hold_until", "poll_seconds")}
        return "headrace_airflow.trigger.StreamingJobTrigger", kwargs

    async def run(self) -> AsyncIterator[TriggerEvent]:
        yield TriggerEvent(await self._held() if self.hold_until else await self._watched())

    async def _held(self) -> dict[str, Any]:
        assert self.hold_until is not None
        await asyncio.sleep(max(0.0, self.hold_until - time.time()))
        return self._event("held", "the wait after repeated failures is over")

    async def _watched(self) -> dict[str, Any]:
        said = ""
        asked = stalled_since = 0.0
        while time.time() < self.renew_at:
            # The process is looked at each time, its progress, which costs a query, now and then.
            if time.monotonic() - asked >= _PROGRESS_EVERY or not await asyncio.to_thread(self._alive):
                seen = await asyncio.to_thread(self._status)
                asked = time.monotonic()
                stalled_since = (stalled_since or asked) if seen.state == "stalled" else 0.0
                confirmed = seen.state != "stalled" or asked - stalled_since >= self.confirm_seconds
                # What a person has stopped waits here for a person; the one who starts it needs nobody's help.
                if not seen.healthy and confirmed and seen.state != "stopped":
                    return self._event(seen.state, seen.reason)
                if seen.state != said:
                    self.log.info("Job %s is %s: %s", self.job, seen.state, seen.reason)
                    said = seen.state
            await asyncio.sleep(self.poll_seconds)
        return self._event("renew", "a day has passed; the next run attaches to the same process")

    def _event(self, state: str, reason: str) -> dict[str, Any]:
        return {"job": self.job, "state": state, "reason": reason, "renew_at": self.renew_at}

    def _keeper(self) -> Keeper:
        from headrace.runtime import jobs

        return jobs.keeper(self.job)

    def _alive(self) -> bool:
        handle = self._keeper().handle
        return handle is not None and handle.alive()

    def _status(self) -> Status:
        return self._keeper().status()

    async def on_kill(self) -> None:
        """A person failed or cleared the task: the job goes too. Never in cleanup(), which runs at every restart."""
        await asyncio.to_thread(self._keeper().stop, 5.0)
        self.log.warning("Job %s was stopped with its task", self.job)
