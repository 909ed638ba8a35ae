"""Airflow's way into the store: its OpenLineage provider hands each event to this class instead of a server.

Straight into PostgreSQL, without which Airflow itself does not run: nothing more has to be up, and no key is needed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from openlineage.client.serde import Serde
from openlineage.client.transport.transport import Config, Transport

from headrace.lineage import store
from headrace.lineage.events import Event
from headrace.settings import get_settings

if TYPE_CHECKING:
    from openlineage.client.client import Event as Told

_OF_THE_DESIGN = ("airflow", "documentation")


class Keeping(Transport):
    """Named by Airflow's settings. What it raises ends in the provider, which logs it and lets the task go on."""

    kind = "headrace"
    config_class = Config

    def __init__(self, config: Config) -> None:
        self.config = config

    def emit(self, event: Told) -> None:
        store.keep(get_settings(), [short(json.loads(Serde.to_json(event)))])


def short(event: Event) -> Event:
    """Without the DAG's runbook and the list of its tasks, which Airflow shows and would tell with every run again."""
    job = event["job"]
    facets = {name: facet for name, facet in (job.get("facets") or {}).items() if name not in _OF_THE_DESIGN}
    return event | {"job": job | {"facets": facets}}
