"""Registers with Airflow what this platform adds: the page of the streams, the link to a job's log, when a run's time begins.

The package beside this file is ignored by the plugin loader (`.airflowignore`): it would load each of its files a second
time, under a bare name.
"""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin
from headrace_airflow.declared import RunQueued
from headrace_airflow.links import JobLogLink


def _apps() -> list[dict[str, Any]]:
    from headrace_airflow.page import app

    return [{"app": app, "url_prefix": "/headrace/streams", "name": "Headrace streams"}]


class HeadracePlugin(AirflowPlugin):
    name = "headrace"
    fastapi_apps: ClassVar[list[dict[str, Any]]] = _apps()
    external_views: ClassVar[list[dict[str, Any]]] = [
        {
            "name": "Streams",
            "href": "/headrace/streams/",
            "destination": "nav",
            "category": "browse",
            "url_route": "streams",
        }
    ]
    operator_extra_links: ClassVar[list[Any]] = [JobLogLink()]
    deadline_references: ClassVar[list[Any]] = [RunQueued]
