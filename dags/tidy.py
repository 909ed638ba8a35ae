"""Cuts back once a day what grows by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, task

RUNBOOK = """
### Daily tidying
Deletes Airflow's own rows older than 30 days, task logs older than 14 days, and Iceberg snapshots older than 7 days
(never the newest one, which holds a stream's place).

**Red?** Nothing breaks for days; disk fills slowly. The log of the failed task names the command; clear the task.
**Who cares.** The platform team.
"""

with DAG(
    "tidy",
    description="Old rows, logs and snapshots",
    schedule="30 3 * * *",
    start_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,
    tags=["platform", "maintenance"],
    default_args={"owner": "platform", "retries": 1, "retry_delay": timedelta(minutes=10)},
    doc_md=RUNBOOK,
):

    @task.short_circuit
    def worth_it() -> bool:
        from headrace.runtime import upkeep
        from headrace.settings import get_settings

        return upkeep.worth_it(get_settings())

    @task
    def cut_back(step: str) -> None:
        from headrace.runtime import upkeep
        from headrace.settings import get_settings

        getattr(upkeep, step)(get_settings())

    worth_it() >> [
        cut_back.override(task_id=step)(step) for step in ("clean_airflow", "delete_old_logs", "expire_snapshots")
    ]
