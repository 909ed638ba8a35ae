"""What grows by itself and has to be cut back on the machine: Airflow's tables and logs, and comparisons of figures."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import psycopg

from headrace.lineage import store
from headrace.log import get_logger
from headrace.runtime import airflow
from headrace.settings import Settings

log = get_logger(__name__)

_COMMAND_SECONDS = 900


def worth_it(settings: Settings, after: timedelta = timedelta(days=1)) -> bool:
    """Whether anything can be old enough: the first start is busy enough without looking."""
    oldest = settings.home / "secrets" / "airflow_fernet_key"
    return not oldest.exists() or time.time() - oldest.stat().st_mtime > after.total_seconds()


def clean_airflow(settings: Settings, keep: timedelta = timedelta(days=30)) -> None:
    """Deletes old runs, task instances and their like by Airflow's own command."""
    before = (datetime.now(UTC) - keep).isoformat()
    command = [
        sys.executable,
        "-m",
        "airflow",
        "db",
        "clean",
        "--clean-before-timestamp",
        before,
        "--skip-archive",
        "--yes",
    ]
    done = subprocess.run(
        command,
        env=airflow.environment(settings),
        capture_output=True,
        text=True,
        timeout=_COMMAND_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"`airflow db clean` ended with status {done.returncode}: {done.stderr.strip()[-800:]}")


def delete_old_logs(settings: Settings, keep: timedelta = timedelta(days=14)) -> int:
    """Task logs that nobody has written for so long; folders that are empty go too."""
    limit = time.time() - keep.total_seconds()
    deleted = 0
    for path in sorted((settings.logs / "airflow").rglob("*"), reverse=True):
        if path.is_file() and not path.is_symlink() and path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
            deleted += 1
        elif path.is_dir() and not any(path.iterdir()) and path.stat().st_mtime < limit:
            path.rmdir()
    log.info("old task logs deleted", files=deleted)
    return deleted


def forget_comparisons(settings: Settings, keep: timedelta = timedelta(days=30)) -> int:
    """Old rows of the reconciliation, of which every hour adds some for each window and metric."""
    before = [datetime.now(UTC) - keep]
    with psycopg.connect(settings.postgres_dsn("headrace"), connect_timeout=5) as connection:
        deleted = connection.execute("delete from reconciliation where run_at < %s", before).rowcount
        deleted += connection.execute("delete from reconciled_metrics where run_at < %s", before).rowcount
    log.info("old comparisons deleted", rows=deleted)
    return deleted


def forget_lineage(settings: Settings) -> int:
    """Events of runs that ended long ago: every task of every DAG tells two."""
    return store.forget(settings)
