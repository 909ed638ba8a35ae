"""What all our DAGs declare alike: whose they are, how a task is tried again, and by when a run should be done."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import AsyncCallback, DeadlineAlert
from airflow.sdk.definitions.deadline import BaseDeadlineReference

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# What is down for a moment is back at the first try; what is down for long is not asked every few seconds.
_PATIENT = {
    "retries": 4,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=10),
}
LAKE: dict[str, Any] = {"owner": "data", **_PATIENT}
MAINTENANCE: dict[str, Any] = {"owner": "platform", **_PATIENT}


async def tell_of_delay(context: dict[str, Any], **_: Any) -> None:
    """Called in the triggerer when a run is not done in time."""
    import asyncio

    from headrace.runtime import delays
    from headrace.settings import get_settings

    run, missed = context["dag_run"], context["deadline"]["deadline_time"]
    await asyncio.to_thread(delays.tell, get_settings(), run["dag_id"], run["dag_run_id"], str(missed))


class RunQueued(BaseDeadlineReference):
    """When a run was first queued. With Airflow's own reference, 3.3 fails to clear any task of a run whose time is not up
    (apache/airflow#70368), which is what every runbook here asks of people.
    """

    required_kwargs: ClassVar[set[str]] = {"dag_id", "run_id"}

    def _evaluate_with(self, *, session: Session, dag_id: str, run_id: str) -> datetime | None:
        from airflow.models import DagRun
        from sqlalchemy import select

        return session.scalar(select(DagRun.queued_at).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))


def due_within(**time: float) -> DeadlineAlert:
    """So long after a run was queued, people are told that it is not done; the run goes on."""
    return DeadlineAlert(RunQueued(), timedelta(**time), AsyncCallback(tell_of_delay))
