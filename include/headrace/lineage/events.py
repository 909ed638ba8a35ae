"""OpenLineage events, made with its own classes: what a job reads and writes, and what one of its runs came to."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from openlineage.client.event_v2 import InputDataset, Job, JobEvent, OutputDataset, Run, RunEvent, RunState
from openlineage.client.serde import Serde

from headrace.lineage.names import Node

PRODUCER = "https://openlineage.io/producer/headrace"
_STATES = {"START": RunState.START, "RUNNING": RunState.RUNNING, "COMPLETE": RunState.COMPLETE, "FAIL": RunState.FAIL}
Event = dict[str, Any]


def job(namespace: str, name: str, inputs: Iterable[Node], outputs: Iterable[Node], at: datetime) -> Event:
    """What a job does whenever it runs."""
    return _plain(
        JobEvent(
            eventTime=at.isoformat(),
            producer=PRODUCER,
            job=Job(namespace=namespace, name=name),
            inputs=[InputDataset(namespace=n.namespace, name=n.name) for n in inputs],
            outputs=[OutputDataset(namespace=n.namespace, name=n.name) for n in outputs],
        )
    )


def run(
    namespace: str,
    name: str,
    state: str,
    run_key: str,
    at: datetime,
    inputs: Iterable[Node] = (),
    outputs: Iterable[Node] = (),
) -> Event:
    """One run's state. The same key gives the same run, so that telling it again changes nothing."""
    return _plain(
        RunEvent(
            eventTime=at.isoformat(),
            producer=PRODUCER,
            eventType=_STATES[state],
            run=Run(runId=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{namespace}/{name}/{run_key}"))),
            job=Job(namespace=namespace, name=name),
            inputs=[InputDataset(namespace=n.namespace, name=n.name) for n in inputs],
            outputs=[OutputDataset(namespace=n.namespace, name=n.name) for n in outputs],
        )
    )


def _plain(event: JobEvent | RunEvent) -> Event:
    found: Event = json.loads(Serde.to_json(event))
    return found
