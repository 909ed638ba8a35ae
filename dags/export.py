"""Gives curated days to Amazon's services, where settings ask for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.sdk import DAG, Asset, Param, task
from headrace_airflow.declared import LAKE, due_within

from headrace.settings import get_settings

RUNBOOK = """
### Curated days to S3, DynamoDB, Athena, Redshift and SNS
After each build: the newest days of `export_tables` as JSON lines under `export_to`; as items of DynamoDB
(`export_dynamodb`), as partitions of Athena's tables (`export_athena`), which are asked how many rows they see, copied into
Redshift (`export_redshift`), and a message to `export_topic`. A repeat replaces what is there. Tables that name persons are
refused. This DAG is there only where `export_to` is set.

**Red?** The log ends with what the service said; mostly a key, a role, or a table of Athena that was declared otherwise.
Mend it and clear the task.
**Who cares.** Whoever reads the bucket; the data team keeps it.
"""

if get_settings().export_to:
    with DAG(
        "export",
        description="Curated days to Amazon's services",
        schedule=[Asset("headrace://lake/curated")],
        start_date=datetime(2025, 1, 1),
        catchup=False,
        max_active_runs=1,
        tags=["lake"],
        params={"days": Param(2, type="integer", minimum=1, maximum=90, description="So many days, the newest today")},
        default_args=LAKE,
        deadline=due_within(hours=1),
        doc_md=RUNBOOK,
    ):

        @task
        def give(table: str, params: dict[str, Any] | None = None) -> list[str]:
            from datetime import UTC, timedelta

            from headrace_airflow import aws

            from headrace.lake import exporting

            settings, today = get_settings(), datetime.now(UTC).date()
            days = [today - timedelta(days=back) for back in reversed(range((params or {})["days"]))]
            return [aws.export(settings, exporting.read(settings, table, day)) for day in days]

        give.expand(table=list(get_settings().export_tables))
