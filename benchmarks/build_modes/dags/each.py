"""A task for each model that builds it: a start of dbt for each."""

from __future__ import annotations

# Airflow takes a file for a DAG file where it says airflow and DAG.
from benchmarks.build_modes.groups import mode

dag = mode("each")
