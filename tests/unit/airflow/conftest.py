"""A state folder with nothing running, and a real process to stand in for a streaming job."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.runtime import tools
from headrace.runtime.handle import end, marked
from headrace.runtime.job_keeper import Job, Keeper
from headrace.settings import Ports, Settings

_SCRIPT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("up", flush=True)
time.sleep(60)
"""
_NOBODY_LISTENS = 9


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    secrets = tmp_path / "home" / "secrets"
    secrets.mkdir(parents=True)
    for name in ("postgres_headrace_password", "postgres_airflow_password", "airflow_secret_key", "airflow_jwt_secret"):
        (secrets / name).write_text("not-a-secret")
    (secrets / "airflow_fernet_key").write_text("A" * 43 + "=")
    return Settings(home=tmp_path / "home", ports=Ports(postgres=_NOBODY_LISTENS, airflow=_NOBODY_LISTENS))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    script = tmp_path / "dummy.py"
    script.write_text(_SCRIPT)
    return Job("dummy", script, stop_seconds=5)


@pytest.fixture
def keeper(job: Job, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keeper]:
    monkeypatch.setattr(tools, "python_of", lambda _: Path(sys.executable))
    yield Keeper(job, settings)
    end(marked(job.name, settings.home), grace=0)
