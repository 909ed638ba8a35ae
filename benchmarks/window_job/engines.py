"""Starts each engine as a person would start it, gives it the same two cores and memory, and takes its time."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from benchmarks.window_job.traffic import SPAN
from headrace.runtime import java, tools
from headrace.settings import Settings, inherited_environment

HEAP = "1536m"
CORES = 2
CHECKPOINT_SECONDS = 5
_LIMIT = 1800
_FLINK = Path(__file__).resolve().parents[1] / "flink"
_OPENED = ("lang", "lang.invoke", "lang.reflect", "io", "net", "nio", "math", "text", "time", "util",
           "util.concurrent", "util.concurrent.atomic", "util.concurrent.locks")  # fmt: skip


class EngineFailed(RuntimeError):
    """An engine ended badly; the message ends with its own words."""


@dataclass(frozen=True)
class Task:
    """One run: from the topic, to the output, in a folder of its own."""

    topic: str
    output: str
    dedupe: bool
    folder: Path
    batch: int
    """How many records Spark takes between two checkpoints."""
    conf: dict[str, str] = field(default_factory=dict)
    """Settings of Spark to try."""
    first_by: str = "seen_at"
    """What Flink keeps the first of: `moment` bounds its ids by event time, `seen_at` by the clock."""


@dataclass(frozen=True)
class Took:
    whole_seconds: float
    """From the start of the process to its end."""
    running_seconds: float
    """From the start of the query to its end."""
    checkpoints: int


def spark(settings: Settings, task: Task) -> Took:
    report = task.folder / "report.json"
    given = {
        "topic": task.topic, "output": task.output, "dedupe": task.dedupe, "batch": task.batch, "cores": CORES,
        "conf": task.conf, "checkpoint": str(task.folder / "checkpoint"), "report": str(report),
    }  # fmt: skip
    variables = _variables(settings, task) | tools.spark_variables("throughput", 25, ["spark-live"], HEAP)
    variables |= {"SPARK_LOCAL_IP": settings.bind}
    script = Path(__file__).with_name("on_spark.py")
    seconds = _run([str(tools.python_of("live")), str(script), json.dumps(given)], variables, task)
    said = json.loads(report.read_text())
    return Took(seconds, said["seconds"], said["checkpoints"])


def flink(settings: Settings, task: Task) -> Took:
    names = {
        "topic": task.topic, "output": task.output, "kafka": settings.kafka, "events": "once" if task.dedupe else "accepted",
        "cores": CORES, "checkpoint": task.folder / "checkpoint", "checkpoint_seconds": CHECKPOINT_SECONDS,
        "future_minutes": settings.future_minutes, "live_state_minutes": settings.live_state_minutes,
        "lateness_minutes": settings.lateness_minutes, "first_by": task.first_by,
    }  # fmt: skip
    sql = "\n".join(Template((_FLINK / name).read_text()).substitute(names) for name in ("settings.sql", "windows.sql"))
    (task.folder / "job.sql").write_text(sql)
    # The cluster's own server takes its address from the session: named here, the client's would take it too.
    (task.folder / "config.yaml").write_text(
        f"taskmanager.numberOfTaskSlots: {CORES}\ntaskmanager.memory.managed.size: 256m\nio.tmp.dirs: {task.folder}\n"
    )
    log = task.folder / "flink.log"
    opened = [f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in _OPENED]
    home, jars = tools.java_home(21), tools.jars("flink")
    command = [
        str(home / "bin" / "java"), *java.options("flink", home, jars), f"-Xms{HEAP}", f"-Xmx{HEAP}", "-XX:+UseG1GC", *opened, f"-Dflink.log={log}",
        f"-Dlog4j2.configurationFile={(_FLINK / 'log4j2.properties').as_uri()}",
        "-cp", ":".join(str(jar) for jar in jars),
        "org.apache.flink.table.client.SqlClient", "embedded", "-hist", str(task.folder / "history"), "-f", str(task.folder / "job.sql"),
    ]  # fmt: skip
    seconds = _run(command, _variables(settings, task) | {"FLINK_CONF_DIR": str(task.folder)}, task)
    return _from_log(seconds, log.read_text(), (task.folder / "out.log").read_text())


def quix(settings: Settings, task: Task) -> Took:
    report = task.folder / "report.json"
    given = {
        "topic": task.topic, "output": task.output, "kafka": settings.kafka, "dedupe": task.dedupe, "cores": CORES,
        "state": str(task.folder / "checkpoint"), "report": str(report), "future_minutes": settings.future_minutes,
        "live_state_minutes": settings.live_state_minutes, "lateness_minutes": settings.lateness_minutes,
        "span_minutes": SPAN.total_seconds() / 60,
    }  # fmt: skip
    script = Path(__file__).with_name("on_quix.py")
    started = time.time()
    _run([str(tools.python_of("bench")), str(script), json.dumps(given)], _variables(settings, task), task)
    said = json.loads(report.read_text())
    return Took(said["last"] - started, said["last"] - said["began"], said["checkpoints"])


def _from_log(seconds: float, log: str, said: str) -> Took:
    began = re.search(r"^(\d+) INFO \w+ Job .* switched from state CREATED to RUNNING", log, re.MULTILINE)
    ended = re.search(r"^(\d+) INFO \w+ Job .* switched from state RUNNING to FINISHED", log, re.MULTILINE)
    if not began or not ended:
        raise EngineFailed(f"Flink's job did not finish:\n{said[-3000:]}\n{log[-3000:]}")
    checkpoints = len(re.findall(r"Completed checkpoint", log))
    return Took(seconds, (int(ended[1]) - int(began[1])) / 1000, checkpoints)


def _variables(settings: Settings, task: Task) -> dict[str, str]:
    return inherited_environment() | {
        "HEADRACE_HOME": str(settings.home),
        "HEADRACE_REPO": str(settings.repo),
        "PYTHONPATH": f"{settings.repo / 'include'}{os.pathsep}{settings.repo}",
        "TMPDIR": str(task.folder),
    }


def _run(command: list[str], variables: dict[str, Any], task: Task) -> float:
    shutil.rmtree(task.folder / "checkpoint", ignore_errors=True)
    out = task.folder / "out.log"
    began = time.monotonic()
    with out.open("wb") as file:
        done = subprocess.run(
            command, env=variables, cwd=task.folder, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
            timeout=_LIMIT, check=False,
        )  # fmt: skip
    seconds = time.monotonic() - began
    if done.returncode:
        raise EngineFailed(f"It ended with {done.returncode}:\n{out.read_text(errors='replace')[-3000:]}")
    return seconds


ENGINES = {"spark": spark, "flink": flink, "quix": quix}
