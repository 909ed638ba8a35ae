"""Builds curated tables model by model, when the streams have landed past the hour rather than by the clock."""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG, Asset, task
from headrace_airflow.declared import LAKE, due_within
from headrace_airflow.models import model_by_model
from headrace_airflow.steps import docs, found, reconcile, views
from headrace_airflow.waiting import LandedThroughSensor

RUNBOOK = """
### Raw to curated, hour by hour
Waits until the lake job has landed every event of the hour, builds and tests all models in one run of dbt
(`models.build`), moves the point at which live and curated figures join (`coverage`), and compares both sides of it
(`reconciliation`). The task of each model turns green or red as that run left it. After a change, the docs are made anew.

**Red?** Open the failed model: its log ends with dbt's message. Nothing was claimed, so answers stay right. Mend it, clear
the failed task: it builds its model alone; what follows runs by itself. Only `reconcile`? Its error says
whether live and lake differ (`./headrace reconciliation`) or the live store was down.

**Waits for hours?** The log of `landed` says for what; mostly the lake job stands still: see DAG `stream_lake`. After a
clock that was ahead the scheduled run comes only when that time is reached: trigger one.

**Who cares.** Everybody who asks about more than the last hours; the data team keeps it.
"""

with DAG(
    "curate",
    description="Raw to curated, model by model, once the hour has landed",
    schedule="0 * * * *",
    start_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["lake", "dbt"],
    default_args=LAKE,
    deadline=due_within(hours=3),
    # A range is built anew by the DAG backfill, in one run and without a moment of half a truth.
    allowed_run_types=["scheduled", "manual"],
    doc_md=RUNBOOK,
):

    @task(outlets=[Asset("headrace://lake/curated")])
    def advance_coverage(through: str) -> str:
        from headrace.runtime import curation
        from headrace.settings import get_settings

        curation.claim(get_settings(), datetime.fromisoformat(through))
        return through

    hour = "{{ dag_run.run_after.replace(minute=0, second=0, microsecond=0).isoformat() }}"
    landed = LandedThroughSensor(task_id="landed", moment=hour)
    (
        landed
        >> [views(), found()]
        >> model_by_model("models", pool="dbt")
        >> advance_coverage(landed.output)
        >> [reconcile(), docs()]
    )
