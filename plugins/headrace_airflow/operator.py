"""The task that owns a streaming job: it attaches or starts, waits without a worker, and repairs what breaks.

A repair happens inside the task, so that a kill is mended in seconds; the task only fails when the job keeps dying,
because then a person is needed. Once a day it ends well and the next run attaches, which keeps logs and runs short.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from headrace_airflow.links import JobLogLink
from headrace_airflow.trigger import StreamingJobTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from headrace.runtime.jobs import Keeper


class StreamingJobOperator(BaseOperator):
    """Keeps one job of `headrace.runtime.jobs` running."""

    ui_color = "#d7ecff"
    operator_extra_links = (JobLogLink(),)

    def __init__(
        self, *, job: str, renew_after: timedelta = timedelta(hours=24), poll_seconds: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.renew_after = renew_after
        self.poll_seconds = poll_seconds

    def execute(self, context: Context) -> None:
        self._keep(time.time() + self.renew_after.total_seconds())

    def resume(self, context: Context, event: dict[str, Any]) -> None:
        """Called with what the trigger saw."""
        self.log.warning("Job %s: %s (%s)", self.job, event["state"], event["reason"])
        if event["state"] != "renew":
            self._keep(event["renew_at"])

    def _keep(self, renew_at: float) -> None:
        from headrace.runtime import jobs

        keeper = jobs.keeper(self.job)
        seen = keeper.status()
        self.log.info("Job %s is %s: %s", self.job, seen.state, seen.reason)
        if wait := keeper.hold_back(seen):
            self._give_up_in_a_loop(keeper)
            self.log.warning("It failed %d times lately: held for %.0f s", keeper.history.recent(), wait)
            self._defer(renew_at, hold_until=time.time() + wait)
        try:
            handle = keeper.start()
        except jobs.JobHeld as held:
            self.log.warning("It is not started: %s", held)
            self._defer(renew_at)
        word = "Attached to" if handle == seen.handle else "Started"
        self.log.info("%s process %d; its log: %s", word, handle.pid, keeper.log_file)
        self._defer(renew_at)

    def _give_up_in_a_loop(self, keeper: Keeper) -> None:
        history = keeper.history
        if not history.looping():
            return
        keeper.forgive()
        raise AirflowFailException(
            f"Job {self.job!r} failed {history.recent()} times in ten minutes, last: {history.reason}. "
            f"Read its log, {keeper.log_file}, and mend the cause; the next run starts it again."
        )

    def _defer(self, renew_at: float, hold_until: float | None = None) -> None:
        trigger = StreamingJobTrigger(self.job, renew_at, hold_until, self.poll_seconds)
        self.defer(trigger=trigger, method_name="resume")
