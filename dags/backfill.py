"""Builds a range of days anew from raw, for the person who triggers it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, Param, task
from headrace_airflow.declared import LAKE, due_within
from headrace_airflow.steps import WHOLE_TABLES, dbt_command, reconcile

RUNBOOK = """
### Builds a range of days anew
For rows that were built wrongly: by an earlier contract, gate or model, or by hand. Say the first and the last day (UTC).
Each table that grows with time is worked out again from raw and changed only where it differs, in one
statement: readers never see half of it. Then everything is built and tested as always, and compared with live figures. The
log of `rebuild` says how many rows of each table were wrong. The same from a terminal: `./headrace backfill`.

**Red?** *Raw records are kept for … days*: choose a later range. Otherwise the log ends with what dbt or Trino said; what
was done stays right. Clear the task: it goes on, and what is right already is left alone.

**Who cares.** Whoever corrected what was wrong; the data team keeps it.
"""

with DAG(
    "backfill",
    description="A range of days anew from raw",
    schedule=None,
    start_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["lake", "dbt", "maintenance"],
    params={
        "start": Param(type="string", format="date", description="The first day, UTC"),
        "end": Param(type="string", format="date", description="The last day, UTC, whole"),
    },
    default_args=LAKE,
    deadline=due_within(hours=6),
    doc_md=RUNBOOK,
):

    @task(pool="dbt", execution_timeout=timedelta(hours=3))
    def rebuild(params: dict[str, Any], dag_run: Any) -> list[dict[str, Any]]:
        from airflow.sdk.exceptions import AirflowFailException

        from headrace.runtime import backfilling
        from headrace.settings import get_settings

        try:
            return backfilling.rebuild(get_settings(), dag_run.triggering_user_name, params["start"], params["end"])
        except backfilling.REFUSED as error:
            raise AirflowFailException(str(error)) from error

    curated = Asset("headrace://lake/curated")
    built = ["--exclude", "tag:raw"]
    # First what has landed: rows built of it later would stand behind those that the range brings.
    news = dbt_command.override(task_id="news")(["run", *built])
    above = dbt_command.override(task_id="above", outlets=[curated])(["build", *built, *WHOLE_TABLES])
    news >> rebuild() >> above >> reconcile()
