"""Looks at every topic's last minutes: what is unusual about them is told, without anybody saying what is usual."""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG, task
from headrace_airflow.declared import LAKE, due_within

RUNBOOK = """
### Freshness, volume, schema and distribution of every topic
Every five minutes: profiles what arrived, compares it with what arrived before, opens and closes incidents in table
`anomalies`, from which the part `anomalies` sends them to `alerts`.

**Red?** Nothing breaks; what arrives meanwhile is looked at by the next run, up to an hour back. The log of the task
says which server does not answer: `./headrace status`. **Who cares.** Whoever reads a stream; the data team keeps it.
"""

with DAG(
    "watch",
    description="What is unusual about the last minutes of each topic",
    schedule="*/5 * * * *",
    start_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["stream", "quality"],
    default_args=LAKE,
    deadline=due_within(minutes=20),
    doc_md=RUNBOOK,
):

    @task
    def look() -> None:
        from headrace.quality import watch
        from headrace.settings import get_settings

        watch.topics(get_settings())

    look()
