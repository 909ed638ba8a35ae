"""Tells people, by the topic of alerts, that a run of Airflow is not done in time."""

from __future__ import annotations

import json

from confluent_kafka import Producer

from headrace.log import get_logger
from headrace.settings import Settings
from headrace.streams.topics import ALERTS, producer_config

log = get_logger(__name__)
_SECONDS = 10


def tell(settings: Settings, dag: str, run: str, due: str) -> None:
    """Told twice it is the same alert: by its id, which is its key."""
    alert = {
        "id": f"delay:{dag}:{run}",
        "kind": "delay",
        "sentence": f"The run {run} of {dag} should have been done by {due}: see {settings.airflow_url}/dags/{dag}.",
        "dag": dag,
        "run": run,
        "due": due,
    }
    log.error("a run is not done in time", dag=dag, run=run, due=due)
    producer = Producer(producer_config(settings))
    producer.produce(ALERTS, json.dumps(alert), key=alert["id"])
    if producer.flush(_SECONDS):
        raise TimeoutError(f"the alert about {dag} was not acknowledged within {_SECONDS} s")
