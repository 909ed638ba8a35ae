"""What all our DAGs declare alike: whose they are, how a task is tried again, and by when a run should be done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference

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


def due_within(**time: float) -> DeadlineAlert:
    """So long after a run was queued, people are told that it is not done; the run goes on."""
    return DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, timedelta(**time), AsyncCallback(tell_of_delay))
