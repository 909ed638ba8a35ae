"""One build, and a task for each model that the triggerer ends as the build left it."""

from __future__ import annotations

# Airflow takes a file for a DAG file where it says airflow and DAG.
from benchmarks.build_modes.groups import mode

dag = mode("at_once")
