"""The dbt project in each way that Airflow could run it, for the DAG files beside this one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.sdk import DAG
from headrace_airflow.built import at_once
from headrace_airflow.declared import LAKE
from headrace_airflow.models import each_alone
from headrace_airflow.steps import dbt_command

_POOL = "dbt"


def mode(name: str) -> DAG:
    """The DAG that a file of this name declares."""
    with DAG(name, schedule=None, start_date=datetime(2025, 1, 1), catchup=False, default_args=LAKE) as dag:
        _MODES[name]()
    return dag


def _watcher() -> Any:
    """Cosmos' own: one producer in the pool, and a sensor for each model and for its tests, which takes no slot of it.

    A task that builds and tests is not to be had in this mode, so tests are sensors of their own.
    """
    from cosmos import ExecutionConfig
    from cosmos.constants import ExecutionMode, InvocationMode

    execution = ExecutionConfig(
        execution_mode=ExecutionMode.WATCHER,
        invocation_mode=InvocationMode.DBT_RUNNER,
        setup_operator_args={"pool": _POOL},
    )
    return each_alone("models", "default_pool", execution=execution, tests="after_each")


_MODES = {
    "each": lambda: each_alone("models", _POOL),
    "watcher": _watcher,
    "plain": lambda: dbt_command.override(task_id="models")(["build", "--exclude", "tag:raw"]),
    "at_once": lambda: at_once(each_alone("models", _POOL), _POOL),
}
