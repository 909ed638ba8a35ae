"""Builds the lake for the first time, from the history, by one dbt run: model by model would take far longer."""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG, Asset, task
from headrace_airflow.declared import LAKE, due_within
from headrace_airflow.steps import dbt_command, docs, reconcile
from headrace_airflow.waiting import ConditionSensor

RUNBOOK = """
### The first build of the lake
Runs once. Builds the exchange rates as soon as the first have landed. Waits until every line of the history's files is
in raw, builds facts and dimensions, claims what they cover, compares live and curated figures, builds the aggregates
and writes the dbt docs.
Until it is done, questions about the past are declined, and `curate` waits.

**Red?** The log of `build` ends with dbt's message; mend it and clear the task. `history_landed` waits for the lake job:
see DAG `stream_lake` and its log. **Who cares.** Whoever runs `./headrace up` for the first time.
"""

with DAG(
    "first_build",
    description="History to curated, once, by one dbt run",
    schedule="@once",
    start_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["lake", "dbt"],
    default_args=LAKE,
    deadline=due_within(hours=2),
    doc_md=RUNBOOK,
):

    @task(pool="dbt", outlets=[Asset("headrace://lake/curated")])
    def build() -> None:
        from headrace.lake import dbt
        from headrace.lake.found import bring_found
        from headrace.runtime import curation
        from headrace.settings import get_settings

        settings = get_settings()
        through = curation.first_claim(settings)
        bring_found(settings)
        dbt.run(settings, ["build", "--exclude", "tag:aggregates"])
        curation.claim(settings, through)

    quoted = ConditionSensor(task_id="rates_landed", condition="awaited_rates", poll_seconds=3.0)
    landed = ConditionSensor(task_id="history_landed", condition="awaited_history", poll_seconds=3.0)
    # Ahead of the rest, so that live amounts can be told in one currency while the history is being built.
    quoted >> dbt_command.override(task_id="rates")(["run", "--select", "+exchange_rates"])
    built = build()
    # Nobody waits for these to ask about money: what is made of facts comes after them.
    aggregates = dbt_command.override(task_id="aggregates")(["build", "--select", "tag:aggregates"])
    landed >> built >> aggregates >> docs()
    built >> reconcile()
