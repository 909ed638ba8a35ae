"""The list of parts: what each needs first, how it is prepared, started and judged healthy.

`up`, compose and Kubernetes are all made from this list. Imports of the heavier parts stay inside functions, so that
`status` and `--help` answer at once.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial

from headrace.runtime import postgres, servers
from headrace.runtime.model import Command, Part
from headrace.settings import Settings


def _module(name: str, *arguments: str) -> Callable[[Settings], Command]:
    """A part that is a Python module of ours."""
    return lambda settings: Command((sys.executable, "-m", name, *arguments), cwd=settings.repo)


def _page(host: str, path: str) -> Callable[[Settings], bool]:
    return lambda settings: servers.answers(f"http://{settings.address(host)}{path}")


def _beating(name: str, seconds: int = 30) -> Callable[[Settings], bool]:
    """For parts without a port: they touch a file as they work."""

    def healthy(settings: Settings) -> bool:
        path = settings.run / f"{name}.alive"
        return path.exists() and time.time() - path.stat().st_mtime < seconds

    return healthy


def _trino_prepare(settings: Settings) -> None:
    from headrace.lake import trino_config

    trino_config.prepare(settings)


def _trino_command(settings: Settings) -> Command:
    from headrace.lake import trino_config
    from headrace.runtime import java, tools

    server, home = tools.trino_folder(), tools.java_home(25)
    program, *arguments = trino_config.command(settings, server, home)
    return Command(
        (program, *java.options("trino", home, [server]), *arguments), cwd=trino_config.working_folder(settings)
    )


def _trino_healthy(settings: Settings) -> bool:
    from headrace.lake.trino import healthy

    return healthy(settings)


def _airflow_prepare(name: str, settings: Settings) -> None:
    from headrace.runtime import airflow

    airflow.end_leftovers(settings, name)
    airflow.prepare(settings)


def _airflow_command(name: str, settings: Settings) -> Command:
    from headrace.runtime import airflow

    return Command(tuple(airflow.commands(settings)[name]), airflow.environment(settings), cwd=settings.repo)


def _airflow_healthy(name: str, settings: Settings) -> bool:
    from headrace.runtime import airflow

    return airflow.healthy(settings, name)


def _airflow(
    name: str,
    title: str,
    *,
    needs: tuple[str, ...],
    ports: tuple[str, ...] = (),
    page: str | None = None,
    can_wait: bool = False,
) -> Part:
    """Only the DAG processor can wait: what the others start inherits their priority, and the live job is among it."""
    return Part(
        name=name,
        title=title,
        command=partial(_airflow_command, name),
        healthy=partial(_airflow_healthy, name),
        needs=needs,
        prepare=partial(_airflow_prepare, name),
        ports=ports,
        page=page,
        start_seconds=180,
        stop_seconds=30,
        can_wait=can_wait,
    )


def _publish_semantics(settings: Settings) -> None:
    """The lake's description, for those that read it rather than the lake: live windows, the API, Airflow's DAGs."""
    from headrace.semantics import live_specs

    live_specs.publish(settings)


def _metrics_in_step(settings: Settings) -> None:
    from headrace.semantics import manifest
    from headrace.sinks import configuration

    configuration.metrics_in_step(settings, json.loads(manifest.path(settings).read_text()))


def _first_history(settings: Settings) -> None:
    from headrace.sources import history

    history.ensure(settings)


PARTS: tuple[Part, ...] = (
    Part(
        "postgres", "PostgreSQL", postgres.command, postgres.healthy, prepare=postgres.prepare, settle=postgres.settle,
        ports=("postgres",), stop_signal="INT", stop_seconds=30,
    ),
    Part(
        "valkey", "Valkey", servers.valkey_command, servers.valkey_healthy, prepare=servers.valkey_prepare,
        ports=("valkey",),
    ),
    Part(
        "kafka", "Kafka", servers.kafka_command, servers.kafka_healthy, prepare=servers.kafka_prepare,
        settle=servers.kafka_settle, ports=("kafka", "kafka_controller"), stop_seconds=40,
    ),
    Part(
        "registry", "Schema registry", servers.registry_command, servers.registry_healthy, needs=("postgres",),
        settle=servers.registry_settle, ports=("registry", "registry_management"), page="/",
    ),
    Part(
        "trino", "Trino", _trino_command, _trino_healthy, needs=("postgres",), prepare=_trino_prepare,
        ports=("trino", "trino_internal"), page="/ui/", scheme="https", start_seconds=180, stop_seconds=40, can_wait=True,
    ),
    Part("ingest", "Ingest (REST)", _module("app.ingest"), _page("ingest", "/health"), needs=("kafka",), ports=("ingest",), page="/"),
    Part("projector", "Projector", _module("headrace.live.projector"), _beating("projector"), needs=("kafka", "valkey")),
    Part(
        "anomalies", "Anomalies", _module("headrace.anomalies.part"), _beating("anomalies"),
        needs=("postgres", "kafka", "valkey"), can_wait=True,
    ),
    Part(
        "sessions", "Sessions", _module("headrace.sessions.part"), _beating("sessions"),
        needs=("postgres", "kafka", "valkey"),
    ),
    Part(
        "sinks", "Sinks and measurements", _module("headrace.runtime.sinks"), _beating("sinks"),
        needs=("postgres", "kafka", "valkey"), can_wait=True,
    ),
    _airflow("airflow-api", "Airflow", needs=("postgres", "kafka"), ports=("airflow",), page="/"),
    _airflow("airflow-dag-processor", "Airflow DAG processor", needs=("airflow-api",), can_wait=True),
    _airflow("airflow-scheduler", "Airflow scheduler", needs=("airflow-api",), ports=("scheduler_health", "airflow_worker_logs")),
    _airflow("airflow-triggerer", "Airflow triggerer", needs=("airflow-api",), ports=("triggerer_health", "airflow_trigger_logs")),
    Part(
        "api", "Answers (HTTP)", _module("app.api"), _page("api", "/health"), needs=("postgres", "valkey"),
        prepare=_publish_semantics, settle=_metrics_in_step, ports=("api",), page="/docs",
    ),
    Part("app", "Headrace (chat and live)", _module("app.ui"), _page("app", "/_stcore/health"), needs=("api",), ports=("app",), page="/"),
    Part("docs", "dbt docs", _module("headrace.lake.docs_server"), _page("docs", "/health"), ports=("docs",), page="/", can_wait=True),
    Part(
        "simulator", "Sample traffic", _module("headrace.sources.simulate"), _beating("simulator", 60), needs=("ingest", "registry"),
        prepare=_first_history,
    ),
)  # fmt: skip


def by_name() -> dict[str, Part]:
    return {part.name: part for part in PARTS}


def with_needs(names: list[str]) -> list[Part]:
    """The named parts and all that they need, in the order of the list."""
    known = by_name()
    wanted: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in known:
            raise KeyError(f"There is no part {name!r}. Parts: {', '.join(known)}.")
        if name not in wanted:
            wanted.add(name)
            todo.extend(known[name].needs)
    return [part for part in PARTS if part.name in wanted]
