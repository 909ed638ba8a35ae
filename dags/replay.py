"""Sends dead letters to their change topics again, many at a time, for the person who triggers it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, task
from headrace_airflow.declared import MAINTENANCE, due_within

RUNBOOK = """
### Replays dead letters
For what is too much for `./headrace dlq replay`: say which letters by stream, rule (`range:amount`, or its kind `range`)
and time of arrival (`2h`, `7d` ago, or `2026-01-31T12:00:00Z`), how many at most and how many a second. The run acts for
the person who triggers it, who needs a role that may settle letters. Look first: `./headrace dlq list`.

**Red?** The log says why. Clear the task: it goes on where it stopped, within the same limit, and sends nothing twice.
*Another replay is at work* passes by itself.

**Who cares.** Whoever owns the stream whose contract or gate was corrected; the platform team keeps it.
"""
_TEXT = {"type": ["null", "string"]}

with DAG(
    "replay",
    description="Dead letters to their change topics again, bounded and restartable",
    schedule=None,
    start_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["stream", "maintenance"],
    params={
        "stream": Param(None, **_TEXT, description="Such as transactions"),
        "reason": Param(None, **_TEXT, description="The rule that refused them"),
        "since": Param("7d", **_TEXT, description="Arrived from then on"),
        "until": Param(None, **_TEXT, description="Arrived before then"),
        "limit": Param(10_000, type="integer", minimum=1, maximum=1_000_000),
        "rate": Param(500, type="number", minimum=1, maximum=5_000, description="At most so many a second"),
    },
    default_args=MAINTENANCE,
    deadline=due_within(hours=7),
    doc_md=RUNBOOK,
):

    @task(execution_timeout=timedelta(hours=6))
    def send_again(params: dict[str, Any], dag_run: Any) -> dict[str, Any]:
        from airflow.sdk.exceptions import AirflowFailException

        from headrace.settings import get_settings
        from headrace.streams.deadletters import ordered

        try:
            return ordered.replay(get_settings(), dag_run.triggering_user_name, params, dag_run.run_id)
        except ordered.REFUSED as error:
            raise AirflowFailException(str(error)) from error

    send_again()
