"""What dbt's last runs said of each model and test, kept by day: the next run writes over it, or its folder goes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from headrace.log import get_logger
from headrace.settings import Settings, get_settings

_LOG = get_logger(__name__)
_PASSED = frozenset({"success", "pass", "warn"})
_FAILED = frozenset({"error", "fail", "runtime error"})
_UPSERT = """
insert into dbt_results (node, day, status, failures, seconds, finished_at, invocation, whole)
values (%s, (%s::timestamptz at time zone 'UTC')::date, %s, %s, %s, %s, %s, %s)
on conflict (node, day) do update set status = excluded.status, failures = excluded.failures,
    seconds = excluded.seconds, finished_at = excluded.finished_at, invocation = excluded.invocation, whole = excluded.whole
where dbt_results.finished_at <= excluded.finished_at
    and (excluded.whole or excluded.status <> 'pass' or not (dbt_results.whole and dbt_results.status = 'fail'))
"""
"""What a test of whole tables found stays for its day: one of the newest days alone does not know better."""


@dataclass(frozen=True)
class Result:
    node: str
    """dbt's unique id."""
    status: str
    """success or pass, fail, error, warn, skipped."""
    failures: int


def keep(settings: Settings, target: Path) -> int:
    """Keeps what `run_results.json` of this folder says; how many nodes that were."""
    file = target / "run_results.json"
    if not file.is_file():
        return 0
    said = json.loads(file.read_text())
    whole = bool(said.get("args", {}).get("vars", {}).get("whole_tables"))
    rows = [(*_row(result, said["metadata"]), whole) for result in said["results"] if _ran(result)]
    with psycopg.connect(settings.postgres_dsn("headrace"), connect_timeout=5) as connection:
        connection.cursor().executemany(_UPSERT, rows)
    return len(rows)


def outcomes(target: Path) -> dict[str, str]:
    """How each model and test ended that the last run of this folder came to, by dbt's unique id."""
    said = json.loads((target / "run_results.json").read_text())
    return {result["unique_id"]: result["status"] for result in said["results"] if _ran(result)}


@dataclass(frozen=True)
class Said:
    """Which of some nodes failed in a run, and of which it said nothing: both empty where all is well."""

    failed: list[str]
    unknown: list[str]


def said_of(nodes: Sequence[str], ended: Mapping[str, str]) -> Said:
    failed = [node for node in nodes if ended.get(node) in _FAILED]
    return Said(failed, [node for node in nodes if ended.get(node) not in _PASSED | _FAILED])


def keep_if_possible(settings: Settings, target: Path) -> None:
    """A build never fails because its record could not be kept: what is not known is said by who asks for it."""
    try:
        keep(settings, target)
    except (OSError, ValueError, LookupError, psycopg.Error) as error:
        _LOG.error("dbt_results_not_kept", reason=str(error)[:300])


def keep_folder(project: str, **_: Any) -> None:
    """For Cosmos, which calls it with its temporary copy of the project after each run."""
    keep_if_possible(get_settings(), Path(project) / "target")


def of_day(settings: Settings, day: date) -> dict[str, Result]:
    """The last result of each node on that day, by dbt's unique id."""
    with psycopg.connect(settings.postgres_dsn("headrace"), connect_timeout=5) as connection:
        rows = connection.execute("select node, status, failures from dbt_results where day = %s", [day]).fetchall()
    return {node: Result(node, status, failures) for node, status, failures in rows}


def _ran(result: dict[str, Any]) -> bool:
    return result["unique_id"].startswith(("test.", "model.")) and bool(result.get("timing"))


def _row(result: dict[str, Any], metadata: dict[str, Any]) -> tuple[Any, ...]:
    finished = result["timing"][-1].get("completed_at") or metadata["generated_at"]
    failures = result.get("failures") or 0
    seconds = result["execution_time"]
    return result["unique_id"], finished, result["status"], failures, seconds, finished, metadata["invocation_id"]
