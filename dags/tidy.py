"""Cuts back once a day what grows by itself."""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG, Asset, chain, task
from headrace_airflow.declared import MAINTENANCE, due_within
from headrace_airflow.steps import WHOLE_TABLES, dbt_command, worth_it

RUNBOOK = """
### Daily tidying
**The lake.** Deletes raw records of events after `raw_days` (30) and what was made of them after `analytics_days` (90),
brings small files together, forgets snapshots after `snapshot_days` (7; never the newest, which holds a stream's place),
and removes files that nothing refers to. Raw records that no build has read are kept, and the log says so. Nothing is deleted while
no event arrived in the week before yesterday: the platform rested, or its clock jumped ahead.
**The machine.** Deletes after 30 days Airflow's own rows, comparisons of live and curated figures, and lineage; task logs after 14.

**Asked.** Whether rows of every day are single; builds ask the newest days only.

**Red?** Disk fills slowly; or, if `test_whole_tables` is, an event is counted twice or in a minute that it left: the log names the
table; `./headrace backfill` over the days of its rows puts it right. The log of any other failed task names the statement; clear it, every step may be repeated.
**Who cares.** The platform team.
"""

with DAG(
    "tidy",
    description="Old rows, small files, old snapshots, orphan files, logs",
    schedule="30 3 * * *",
    start_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,
    tags=["platform", "lake", "maintenance"],
    default_args=MAINTENANCE,
    deadline=due_within(hours=6),
    doc_md=RUNBOOK,
):

    @task
    def on_the_machine(step: str) -> None:
        from headrace.runtime import upkeep
        from headrace.settings import get_settings

        getattr(upkeep, step)(get_settings())

    @task(pool="dbt", outlets=[Asset("headrace://lake/kept")])
    def in_the_lake(step: str) -> None:
        from headrace.lake import keeping
        from headrace.settings import get_settings

        getattr(keeping, step)(get_settings())

    lake = ("drop_old_rows", "compact", "expire_snapshots", "remove_orphans")
    machine = ("clean_airflow", "delete_old_logs", "forget_comparisons", "forget_lineage")
    start = worth_it()
    chain(start, *(in_the_lake.override(task_id=step)(step) for step in lake))
    # Builds ask the newest days whether rows are single; here every day is asked.
    start >> dbt_command.override(task_id="test_whole_tables")(["test", *WHOLE_TABLES])
    start >> [on_the_machine.override(task_id=step)(step) for step in machine]
