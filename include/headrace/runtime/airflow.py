"""Airflow of the embedded default: its environment, its one-time preparation, its four processes and their health.

Everything Airflow reads is a variable made here from the settings, so that no airflow.cfg can disagree with them.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import psycopg
from filelock import FileLock, Timeout

from headrace.lake import dbt
from headrace.log import get_logger
from headrace.runtime.handle import end, marked
from headrace.semantics import live_specs
from headrace.settings import Settings
from headrace.streams.landing import objects

log = get_logger(__name__)

PARTS = ("airflow-api", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer")
_JOB_TYPES = {
    "airflow-scheduler": "SchedulerJob",
    "airflow-dag-processor": "DagProcessorJob",
    "airflow-triggerer": "TriggererJob",
}
_HEARTBEAT_SECONDS = 30
_PREPARE_SECONDS = 300
_READY = """select 1 from alembic_version a, alembic_version_fab f, ab_user u, slot_pool p
    where a.version_num = %(airflow)s and f.version_num = %(fab)s and u.username = 'admin' and p.pool = 'dbt'"""
# The last resort against a lock that nobody will ever give back.
_NO_FORGOTTEN_LOCKS = "alter role current_user set idle_in_transaction_session_timeout = '120s'"
# Runs only: what is read and written dbt and the streaming jobs tell, and edges told twice would be drawn twice. A
# supervisor of a streaming job starts again and again without end, and the job itself is told as it is.
_TOLD_OF_RUNS = [
    {"scope": {}, "controls": {"extract_operator_metadata": False}},
    {"scope": {"dag_id": "stream_.*"}, "match_mode": "regex", "controls": {"emit": False}},
]
_REVISIONS = "select (select version_num from alembic_version), (select version_num from alembic_version_fab)"


class AirflowNotPrepared(RuntimeError):
    """Airflow's database could not be made ready; the message says where to look."""


def airflow_home(settings: Settings) -> Path:
    return settings.home / "airflow"


def environment(settings: Settings) -> dict[str, str]:
    """All variables of Airflow's processes; secrets among them, so it belongs in no log."""
    ports = settings.ports
    sections: dict[str, dict[str, Any]] = {
        "core": {
            "executor": "LocalExecutor",
            "parallelism": 3,
            "auth_manager": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
            "dags_folder": settings.repo / "dags",
            "plugins_folder": settings.repo / "plugins",
            "load_examples": False,
            "dags_are_paused_at_creation": False,
            "execution_api_server_url": f"{settings.airflow_url}/execution/",
            "fernet_key": _fernet(settings.secret("airflow_fernet_key")),
            "default_task_execution_timeout": 3600,
        },
        "database": {
            "sql_alchemy_conn": _database_url(settings),
            "sql_alchemy_pool_size": 2,
            "sql_alchemy_max_overflow": 8,
        },
        "api": {
            "host": settings.bind,
            "port": ports.airflow,
            "base_url": settings.airflow_url,
            "workers": 1,
            "secret_key": settings.secret("airflow_secret_key"),
            "instance_name": "Headrace",
        },
        "api_auth": {"jwt_secret": settings.secret("airflow_jwt_secret")},
        "fab": {"config_file": airflow_home(settings) / "webserver_config.py"},
        "scheduler": {
            "enable_health_check": False,
            "scheduler_health_check_server_host": settings.bind,
            "scheduler_health_check_server_port": ports.scheduler_health,
        },
        # A machine that is busy with a start or a build answers late.
        "workers": {"execution_api_timeout": 30},
        # A triggerer that was killed hands over after this; half of the default, since jobs wait for it.
        "triggerer": {"triggerer_health_check_threshold": 15},
        "dag_processor": {
            "parsing_processes": 1,
            "refresh_interval": 10,
            "min_file_process_interval": 60,
            "dag_bundle_storage_path": airflow_home(settings) / "bundles",
        },
        "logging": {
            "base_log_folder": settings.logs / "airflow",
            "dag_processor_child_process_log_directory": settings.logs / "airflow" / "dag_processor",
            "worker_log_server_port": ports.airflow_worker_logs,
            "trigger_log_server_port": ports.airflow_trigger_logs,
            "colored_console_log": False,
            "json_logs": True,
            # It says with every event which rule applied; what it could not tell is a warning.
            "namespace_levels": "airflow.providers.openlineage=WARNING openlineage=WARNING",
        },
        "openlineage": {
            "namespace": "headrace.airflow",
            "transport": json.dumps({"type": "headrace.lineage.transport.Keeping"}),
            "emission_policy": json.dumps(_TOLD_OF_RUNS),
            # Not in a fork: a task may have threads that hold locks. It waits so many seconds at most and goes on.
            "execute_in_thread": True,
            "execution_timeout": 5,
        },
        "usage_data_collection": {"enabled": False},
        "cosmos": {
            "enable_telemetry": False,
            "enable_cache": True,
            "cache_dir": airflow_home(settings) / "cosmos",
        },
    }
    return _plain(settings) | {
        f"AIRFLOW__{section}__{key}".upper(): str(value)
        for section, options in sections.items()
        for key, value in options.items()
    }


def _plain(settings: Settings) -> dict[str, str]:
    scripts = Path(sys.executable).parent
    return {
        "AIRFLOW_HOME": str(airflow_home(settings)),
        "PATH": f"{scripts}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "PYTHONPATH": str(settings.repo / "include"),
        "HEADRACE_HOME": str(settings.home),
        "HEADRACE_REPO": str(settings.repo),
        "DO_NOT_TRACK": "1",
        "SCARF_ANALYTICS": "false",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # Cosmos hands it to dbt; anywhere else in a DAG it would be stored in Airflow's database.
        "DBT_ENV_SECRET_TRINO_PASSWORD": dbt.environment(settings)["DBT_ENV_SECRET_TRINO_PASSWORD"],
        **({"AIRFLOW_CONN_AWS_DEFAULT": _aws(settings)} if settings.export_to else {}),
        # Airflow names its processes; without this the new name is written over the environment that they are found by.
        "SPT_NOENV": "1",
        # Threads of the API server otherwise each keep a heap of their own.
        "MALLOC_ARENA_MAX": "2",
    }


def _aws(settings: Settings) -> str:
    """The connection of the amazon provider; without keys it takes the credentials of the machine."""
    urls = {
        "s3": settings.s3_url,
        "dynamodb": settings.dynamodb_url,
        "sns": settings.aws_url,
        "athena": settings.aws_url,
        "redshift-data": settings.aws_url,
    }
    found = objects.store(settings.model_copy(update={"warehouse": settings.export_to}))
    extra = {
        "region_name": settings.s3_region,
        "service_config": {name: {"endpoint_url": url} for name, url in urls.items() if url},
    }
    keys = {"login": found.access_key, "password": found.secret_key} if found and found.access_key else {}
    return json.dumps({"conn_type": "aws", "extra": extra, **keys})


def _fernet(secret: str) -> str:
    """The key as it is, or a clear message: Airflow itself fails much later, at the first encrypted connection."""
    try:
        if len(base64.urlsafe_b64decode(secret)) == 32:
            return secret
    except ValueError:
        pass
    raise AirflowNotPrepared(
        "The secret airflow_fernet_key is not 32 bytes in urlsafe base64: delete its file and run `./headrace up`."
    )


def _database_url(settings: Settings) -> str:
    return settings.postgres_dsn("airflow").replace("postgresql://", "postgresql+psycopg2://", 1)


def prepare(settings: Settings) -> None:
    """Folders, tables, the administrator and the pool; a few milliseconds when they are there already."""
    home = airflow_home(settings)
    for folder in (home, settings.logs / "airflow", settings.run):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(settings.services / "airflow" / "webserver_config.py", home / "webserver_config.py")
    # DAGs are made from dbt's manifest and the live job from its specification: both before the first DAG is read.
    live_specs.publish(settings)
    if _ready(settings):
        return
    try:
        with FileLock(settings.run / "airflow-prepare.lock", timeout=_PREPARE_SECONDS):
            if not _ready(settings):
                _set_up(settings)
    except Timeout:
        raise AirflowNotPrepared(
            f"Another process has prepared Airflow for over {_PREPARE_SECONDS} s: see `./headrace logs airflow-api`."
        ) from None


def end_leftovers(settings: Settings, part: str) -> None:
    """Ends what a killed process left behind, before it is started again.

    A killed scheduler's workers live on with its database connection, and so keep its locks: the next one would wait.
    """
    end(marked(part, settings.home), grace=2.0)


def _stamp(settings: Settings) -> Path:
    return settings.run / "airflow-prepared.json"


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("apache-airflow-core", "apache-airflow-providers-fab")}


def _ready(settings: Settings) -> bool:
    """Whether these versions have prepared this very database; the stamp alone could outlive the database."""
    try:
        stamp = json.loads(_stamp(settings).read_text())
        if stamp.pop("versions") != _versions():
            return False
        with psycopg.connect(settings.postgres_dsn("airflow"), connect_timeout=5) as connection:
            return connection.execute(_READY, stamp).fetchone() is not None
    except (FileNotFoundError, KeyError, json.JSONDecodeError, psycopg.errors.UndefinedTable):
        return False


def _set_up(settings: Settings) -> None:
    log.info("preparing Airflow's database", versions=_versions())
    output = settings.logs / "airflow-prepare.log"
    with output.open("ab") as stream:
        done = subprocess.run(
            [sys.executable, str(settings.services / "airflow" / "setup.py")],
            env=environment(settings),
            stdout=stream,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=_PREPARE_SECONDS,
            check=False,
        )
    if done.returncode != 0:
        raise AirflowNotPrepared(f"Preparing Airflow's database ended with status {done.returncode}: read {output}.")
    with psycopg.connect(settings.postgres_dsn("airflow"), connect_timeout=5) as connection:
        connection.execute(_NO_FORGOTTEN_LOCKS)
        row = connection.execute(_REVISIONS).fetchone()
    airflow, fab = row if row else (None, None)
    _stamp(settings).write_text(json.dumps({"versions": _versions(), "airflow": airflow, "fab": fab}))


def commands(settings: Settings) -> dict[str, list[str]]:
    """The command of each process, to be run with `environment(settings)`.

    The log servers are skipped: they listen on every interface, and the api-server reads the same folder anyway.
    """
    airflow = [sys.executable, "-m", "airflow"]
    return {
        "airflow-api": [*airflow, "api-server"],
        "airflow-scheduler": [*airflow, "scheduler", "--skip-serve-logs"],
        "airflow-dag-processor": [*airflow, "dag-processor"],
        "airflow-triggerer": [*airflow, "triggerer", "--skip-serve-logs"],
    }


def healthy(settings: Settings, part: str) -> bool:
    """The api-server answers; the others have written a heartbeat to the database within half a minute."""
    return _api_answers(settings) if part == "airflow-api" else _beats(settings, _JOB_TYPES[part])


def _api_answers(settings: Settings) -> bool:
    try:
        answer = httpx.get(f"{settings.airflow_url}/api/v2/monitor/health", timeout=5, trust_env=False)
        return bool(answer.status_code == 200 and answer.json()["metadatabase"]["status"] == "healthy")
    except (httpx.HTTPError, ValueError, KeyError):
        return False


def _beats(settings: Settings, job_type: str) -> bool:
    query = """select 1 from job where job_type = %s and state = 'running'
        and latest_heartbeat > now() - make_interval(secs => %s) limit 1"""
    try:
        with psycopg.connect(settings.postgres_dsn("airflow"), connect_timeout=5) as connection:
            return connection.execute(query, (job_type, _HEARTBEAT_SECONDS)).fetchone() is not None
    except psycopg.Error:
        return False
