"""Has Spark work out cohorts and activity from the same events as dbt, and compares, once a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, Param, task
from headrace_airflow.declared import LAKE, due_within
from headrace_airflow.steps import worth_it

RUNBOOK = """
### Cohorts and activity by minute, worked out twice
A Spark job reads the processed events as the last finished build left them, works out `analytics.retention_cohorts` and
`analytics.user_activity_by_minute` without any of dbt's SQL, and compares each row with the table of that name in
`curated`. The task's result has the number of rows that are equal and that differ.

**Red?** The last line says which table differs, in how many rows and from which week or minute on: one of the two engines
is wrong about it. Correct the model (or the job), DAG `backfill` builds the days anew, clear the task.
*Made anew after the last build*: a build was under way; the task is tried again by itself.
**Who cares.** Whoever decides by cohorts and activity; the data team keeps it.
"""

with DAG(
    "analytics",
    description="Cohorts and activity by Spark, compared with dbt's",
    schedule="40 4 * * *",
    start_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["lake", "quality"],
    params={"days": Param(7, type="integer", minimum=1, maximum=3650, description="So many days of activity")},
    default_args=LAKE,
    deadline=due_within(hours=3),
    doc_md=RUNBOOK,
):
    # In the pool of the builds: a machine that carries one of them does not carry both.
    @task(pool="dbt", execution_timeout=timedelta(minutes=30), outlets=[Asset("headrace://lake/analytics")])
    def work_out_and_compare(params: dict[str, Any]) -> dict[str, Any]:
        from airflow.sdk.exceptions import AirflowFailException

        from headrace.lake.analytics.outcome import Differs
        from headrace.runtime import analytics
        from headrace.settings import get_settings

        try:
            return analytics.run(get_settings(), params["days"])
        except Differs as error:
            # The same events give the same rows again.
            raise AirflowFailException(str(error)) from error

    worth_it() >> work_out_and_compare()
