"""Writes docker-compose.yaml from the list of parts, so that the two cannot drift apart.

Each service is the same image running the same `run PART`, healthy by the same `health PART`; only settings differ:
parts listen inside the compose network and find each other by service name.
"""

from __future__ import annotations

from typing import Any

import yaml

from headrace.runtime.model import Part
from headrace.runtime.parts import PARTS
from headrace.settings import Hosts, Ports

_HEADER = "# Made by `./headrace compose`; a test fails when it no longer matches the list of parts.\n"
_STATE = "/var/lib/headrace"
_HOST_OF = {"airflow": "airflow-api"}
"""Addresses whose service is not named like them."""


def document(parts: tuple[Part, ...] = PARTS) -> str:
    services = {"init": _init(), **{part.name: _service(part) for part in parts}}
    content = {"name": "headrace", "services": services, "volumes": {"state": {}}}
    return _HEADER + yaml.safe_dump(content, sort_keys=False, width=120)


def _environment(names: set[str]) -> dict[str, str]:
    hosts = {name: _HOST_OF.get(name, name) for name in Hosts.model_fields}
    known = {f"HEADRACE_HOSTS__{name.upper()}": host for name, host in hosts.items() if host in names}
    return {"HEADRACE_HOME": _STATE, "HEADRACE_BIND": "0.0.0.0", **known}  # noqa: S104 - inside the compose network only


_BASE: dict[str, Any] = {
    "image": "headrace:latest",
    "build": {"context": "."},
    "environment": _environment({part.name for part in PARTS}),
    "volumes": [f"state:{_STATE}"],
}
"""Shared, so that YAML writes it once and refers to it."""


def _init() -> dict[str, Any]:
    """Generates the secrets once, before anything else."""
    return {**_BASE, "command": ["secrets"]}


def _service(part: Part) -> dict[str, Any]:
    service = _BASE | {
        "command": ["run", part.name],
        "init": True,
        "restart": "unless-stopped",
        "stop_signal": f"SIG{part.stop_signal}",
        "stop_grace_period": f"{part.stop_seconds}s",
        "healthcheck": {
            "test": ["CMD", "./headrace", "health", part.name, "--settle"],
            "interval": "10s",
            "timeout": "30s",
            "retries": 4,
            "start_period": f"{part.start_seconds}s",
        },
        "depends_on": {
            "init": {"condition": "service_completed_successfully"},
            **{need: {"condition": "service_healthy"} for need in part.needs},
        },
    }
    if part.page:
        port = Ports.model_fields[part.ports[0]].default
        service["ports"] = [f"127.0.0.1:{port}:{port}"]
    if part.name == "airflow-triggerer":
        # It watches the processes of the streaming jobs, which the scheduler's workers start.
        service["pid"] = "service:airflow-scheduler"
        service["depends_on"]["airflow-scheduler"] = {"condition": "service_healthy"}
    return service
