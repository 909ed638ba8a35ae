"""Runs the analytics job to its end in a process of its own, with the environment of the lake job and a limit."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from headrace.lake.analytics.outcome import Differs, said
from headrace.runtime import jobs, priority, scratch, tools
from headrace.runtime.handle import end, marked
from headrace.runtime.job_keeper import Job, environment
from headrace.settings import Settings

_NAME = "analytics"
_SECONDS = 1500.0
_DIFFERS = 1


class AnalyticsFailed(RuntimeError):
    """The job did not come to an outcome."""


def run(settings: Settings, days: int = 7, seconds: float = _SECONDS) -> dict[str, Any]:
    """What was compared, when Spark and dbt agree; Differs when they do not."""
    lock = settings.run / "jobs" / f"{_NAME}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=0):
            # What a killed task left behind would write the same tables.
            end(marked(_NAME, settings.home), grace=2.0)
            status, output = _ended(settings, days, seconds)
    except Timeout:
        raise AnalyticsFailed("The analytics job runs already: wait until it is done.") from None
    if status not in (0, _DIFFERS) or not output:
        raise AnalyticsFailed(
            f"The analytics job ended with status {status}. Full log: {_log_file(settings)}\n{_last_lines(settings)}"
        )
    outcome: dict[str, Any] = json.loads(output)
    if status == _DIFFERS:
        raise Differs(said(outcome))
    return outcome


def _ended(settings: Settings, days: int, seconds: float) -> tuple[int, str]:
    job = _job(settings)
    command = [str(tools.python_of(job.environment)), str(job.script), "--json", "--days", str(days)]
    variables = environment(job, settings) | {"TMPDIR": str(scratch.fresh(settings, _NAME))}
    with _log_file(settings).open("wb") as errors:
        process = subprocess.Popen(
            command, env=variables, cwd=settings.home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
            start_new_session=True, text=True,
        )  # fmt: skip
        priority.let_live_go_first(process.pid)
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise AnalyticsFailed(
                f"The analytics job took over {seconds:.0f} s and was ended: see {_log_file(settings)}."
            ) from None
        finally:
            end(marked(_NAME, settings.home), grace=2.0)
    return process.returncode, output


def _job(settings: Settings) -> Job:
    """As the lake job is started, since it reads and writes the same tables."""
    lake = jobs.registry(settings)["lake"]
    return Job(_NAME, settings.repo / "spark_jobs" / "analytics.py", lake.environment, lake.java, lake.jars, "1g")


def _log_file(settings: Settings) -> Path:
    settings.logs.mkdir(parents=True, exist_ok=True)
    return settings.logs / f"{_NAME}.log"


def _last_lines(settings: Settings) -> str:
    return "\n".join(_log_file(settings).read_text(errors="replace").splitlines()[-15:])
