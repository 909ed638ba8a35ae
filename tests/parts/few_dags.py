"""Airflow's own four processes over a state folder whose PostgreSQL runs, with a few DAG files and no others.

`dag.test()` runs one task after another in one process. What a scheduler, a triggerer and an executor do with a DAG needs
them; with all DAGs of the platform they would start its streaming jobs too.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psutil

from headrace.policy.users import ADMIN
from headrace.runtime import airflow
from headrace.runtime.handle import MARK, end
from headrace.settings import Settings, inherited_environment
from tests.airflow_client import sign_in

_START_SECONDS = 180
_PORTS = (
    "airflow", "airflow_worker_logs", "airflow_trigger_logs", "scheduler_health", "triggerer_health",
)  # fmt: skip
_OVER = ("success", "failed")


class FewDags:
    """Within the block they run; each of them ends with it."""

    def __init__(self, settings: Settings, files: Sequence[Path], **variables: str) -> None:
        airflow.prepare(settings)
        self._settings = settings.model_copy(update={"ports": settings.ports.model_copy(update=_free_ports())})
        self._folder = settings.home / "few-dags"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        for file in files:
            shutil.copy(file, self._folder)
        folder = {"AIRFLOW__CORE__DAGS_FOLDER": str(self._folder)}
        self._variables = inherited_environment() | airflow.environment(self._settings) | folder | variables
        self._running = ExitStack()
        self._api = httpx.Client(base_url=self._settings.airflow_url, trust_env=False, timeout=60)

    def __enter__(self) -> FewDags:
        with ExitStack() as started:
            started.callback(self._api.close)
            for part in ("airflow-api", "airflow-dag-processor", "airflow-triggerer"):
                self._start(started, part)
            self.wait(lambda: airflow.healthy(self._settings, "airflow-api"), _START_SECONDS)
            sign_in(self._api, ADMIN, self._settings.secret("admin_password"))
            # The scheduler last: it would run what an earlier processor left in the database.
            self.wait(self._known, _START_SECONDS)
            self._start(started, "airflow-scheduler")
            self.wait(lambda: all(airflow.healthy(self._settings, part) for part in airflow.PARTS), _START_SECONDS)
            self._running = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def trigger(self, dag: str, **conf: Any) -> str:
        """A run as a person starts it; its id."""
        made = self._api.post(f"/api/v2/dags/{dag}/dagRuns", json={"logical_date": None, "conf": conf})
        return str(made.raise_for_status().json()["dag_run_id"])

    def runs(self, dag: str) -> list[str]:
        return [run["dag_run_id"] for run in self._get(f"/dags/{dag}/dagRuns")["dag_runs"]]

    def ended(self, dag: str, run: str, seconds: float) -> str:
        """`success` or `failed`."""
        path = f"/dags/{dag}/dagRuns/{run}"
        return str(self.wait(lambda: state if (state := self._get(path)["state"]) in _OVER else None, seconds))

    def tasks(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        found = self._get(f"/dags/{dag}/dagRuns/{run}/taskInstances?limit=300")["task_instances"]
        return {task["task_id"]: task for task in found}

    def log(self, dag: str, run: str, task: str, attempt: int) -> str:
        return str(self._get(f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/{attempt}?full_content=true"))

    def clear(self, dag: str, run: str, task: str) -> None:
        """As a person does on a failed task: with what follows it."""
        body = {
            "dry_run": False,
            "task_ids": [task],
            "dag_run_id": run,
            "include_downstream": True,
            "only_failed": True,
        }
        self._api.post(f"/api/v2/dags/{dag}/clearTaskInstances", json=body).raise_for_status()

    def wait(self, condition: Callable[[], Any], seconds: float) -> Any:
        until = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < until, f"not within {seconds} s; see {self._logs}"
            time.sleep(0.5)
        return found

    @property
    def _logs(self) -> Path:
        return self._settings.logs / "few-dags"

    def _start(self, started: ExitStack, part: str) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        with (self._logs / f"{part}.log").open("ab") as log:
            process = subprocess.Popen(
                airflow.commands(self._settings)[part],
                env=self._variables | {MARK: part},
                cwd=self._settings.repo,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        started.callback(_end, process)

    def _known(self) -> bool:
        """Whether the DAGs of these files are read, and those of other files are forgotten."""
        if errors := self._get("/importErrors")["import_errors"]:
            raise AssertionError(errors[0]["stack_trace"])
        files = {dag["relative_fileloc"] for dag in self._get("/dags?limit=100")["dags"]}
        return files == {path.name for path in self._folder.glob("*.py")}

    def _get(self, path: str) -> dict[str, Any]:
        return dict(self._api.get(f"/api/v2{path}").raise_for_status().json())


def _end(process: subprocess.Popen[bytes]) -> None:
    """With its children: the workers of a scheduler outlive it otherwise."""
    try:
        first = psutil.Process(process.pid)
        end([first, *first.children(recursive=True)], grace=15.0)
    except psutil.NoSuchProcess:
        pass
    process.wait(timeout=30)


def _free_ports() -> dict[str, int]:
    with ExitStack() as held:
        probes = {name: held.enter_context(socket.create_server(("127.0.0.1", 0))) for name in _PORTS}
        return {name: int(probe.getsockname()[1]) for name, probe in probes.items()}
