"""Runs one DAG by Airflow, task after task, as a run that somebody triggers."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from headrace.runtime import airflow
from headrace.settings import Settings, inherited_environment

PERSON = "dag_test"
"""The name that Airflow gives to the person."""
_RUN = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
folder, name, conf = sys.argv[1:]
dag = DagBag(folder, bundle_path=folder, bundle_name="dags-folder").dags[name]
dag.deadline = None  # They are looked up in what the DAG processor stores, and a trial run is not stored.
for one in dag.tasks:
    one.retries = 0  # They would wait for minutes: what a test expects to fail is told at once.
print("ended as", dag.test(run_conf=json.loads(conf)).state)
"""


def run_dag(settings: Settings, dag: str, seconds: float = 240, **conf: Any) -> str:
    """What it printed; the last line is `ended as success` or `ended as failed`."""
    command = [sys.executable, "-c", _RUN, str(settings.repo / "dags"), dag, json.dumps(conf)]
    variables = inherited_environment() | airflow.environment(settings)
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=seconds, check=False)
    return done.stdout + done.stderr
