"""Measures how good the data is whenever curated was built anew."""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG, Asset, task
from headrace_airflow.declared import LAKE, due_within

RUNBOOK = """
### Quality of every table
After each build: completeness, consistency, timeliness, uniqueness and accuracy of each processed and curated table, by
day of arrival, into table `quality` (`./headrace quality`, page Quality, evidence of answers). Then what arrived hour by
hour is compared with what was usual, and what comes from what is told (`./headrace lineage`).

**Red?** Nothing breaks, the newest figures are missing. The log of the failed task names what was asked; clear the task.
A figure below what is asked for is no failure of this DAG: it is told in `alerts` and on the page.
**Who cares.** Whoever relies on a table; the data team keeps it.
"""

with DAG(
    "quality",
    description="Five figures for each table and day, after each build",
    schedule=[Asset("headrace://lake/curated")],
    start_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["lake", "quality"],
    default_args=LAKE,
    deadline=due_within(hours=1),
    doc_md=RUNBOOK,
):

    @task
    def measure() -> None:
        from headrace.quality import measure
        from headrace.settings import get_settings

        measure.run(get_settings())

    @task
    def watch_tables() -> None:
        from headrace.quality import table_watch
        from headrace.settings import get_settings

        table_watch.run(get_settings())

    @task
    def lineage() -> None:
        from headrace.lineage import collect
        from headrace.settings import get_settings

        collect.run_all(get_settings())

    measure() >> watch_tables() >> lineage()
