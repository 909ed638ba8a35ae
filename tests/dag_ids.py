"""Which DAGs there are: `tests/unit/airflow` holds the files in dags/ to it, and a running Airflow must know the same."""

from __future__ import annotations

DAG_IDS = frozenset(
    {
        "stream_live", "stream_lake", "curate", "first_build", "tidy", "replay", "backfill", "quality", "watch",
        "analytics",
    }
)  # fmt: skip
