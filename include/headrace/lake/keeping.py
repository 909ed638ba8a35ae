"""What the lake keeps and for how long: old rows, small files, old snapshots and files that nothing refers to.

Each step may be repeated: what is done already is found done. Spark's appends go on meanwhile; builds do not, since they
and these steps would commit over each other (they share the pool `dbt`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg

from headrace.contracts.model import Contract
from headrace.lake import dated, literals, lived
from headrace.lake.analytics.outcome import ACTIVITY, SCHEMA
from headrace.lake.kept import kept_since
from headrace.lake.trino import connect, fetch
from headrace.log import get_logger
from headrace.settings import Settings
from headrace.streams import published

log = get_logger(__name__)
_STATEMENT_SECONDS = 3600.0
_SMALL = "64MB"
_IN_USE = timedelta(days=3)
_BUILT = "select built_at from coverage where stream = %s"
# Distinct: Trino lists every table once more for each schema asked for that is not there yet.
_TABLES = """select distinct table_schema, table_name from lake.information_schema.tables
    where table_schema in ('raw', 'processed', 'curated', 'analytics') and table_type = 'BASE TABLE' order by 1, 2"""


def drop_old_rows(settings: Settings) -> dict[str, int]:
    """Raw records of events after `raw_days`, what was made of them after `analytics_days`; entities stay."""
    if not _trusts_clock(settings):
        return {}
    with _cursor(settings) as cursor:
        present = {f"{schema}.{table}" for schema, table in fetch(cursor, _TABLES)}
        deleted = {}
        for table, column, since in [*_raw(settings), *_analytics(settings)]:
            if table in present:
                deleted[table] = _delete(cursor, table, column, since)
    log.info("old rows deleted", rows={table: rows for table, rows in deleted.items() if rows})
    return deleted


def _raw(settings: Settings) -> Iterator[tuple[str, str, datetime]]:
    since = kept_since(settings.raw_days)
    for contract in published.read(settings).values() if since else ():
        if since and contract.kind == "events" and _built_since(settings, contract, since + timedelta(days=1)):
            yield contract.raw_table, "arrived_at", since


def _built_since(settings: Settings, contract: Contract, moment: datetime) -> bool:
    """Whether a build has read what is to be deleted: a lake that was not built for weeks keeps its raw records."""
    with psycopg.connect(settings.postgres_dsn("headrace"), connect_timeout=5) as connection:
        row = connection.execute(_BUILT, [contract.name]).fetchone()
    if row is None or row[0] < moment:
        log.warning(
            "raw records are kept: no build has read them since", stream=contract.name, built=row and str(row[0])
        )
        return False
    return True


def _analytics(settings: Settings) -> Iterator[tuple[str, str, datetime]]:
    if since := kept_since(settings.analytics_days):
        fleeting = (table for table in dated.tables(settings) if not table.forever)
        yield from ((f"{table.schema}.{table.table}", table.moment, since) for table in fleeting)
        # Spark's, of which dbt's manifest knows nothing; cohorts are made whole each time.
        yield f"{SCHEMA}.{ACTIVITY}", "minute_start", since


def _delete(cursor: Any, table: str, column: str, since: datetime) -> int:
    """Whole partitions where the table has one for each day, so that no file is written anew."""
    old = f"from lake.{table} where {column} < {literals.moment(since)}"
    count = int(fetch(cursor, f"select count(*) {old}")[0][0])
    if count:
        fetch(cursor, f"delete {old}")
    return count


def compact(settings: Settings) -> dict[str, tuple[int, int]]:
    """Small files of a partition into one; of how many files each table was made, and is."""

    def run(cursor: Any, table: str) -> None:
        _execute(cursor, table, f"optimize(file_size_threshold => '{_SMALL}')")

    return _each(settings, run, "files")


def expire_snapshots(settings: Settings, keep: timedelta | None = None) -> dict[str, tuple[int, int]]:
    """Snapshots older than `snapshot_days`, never the newest; how many each table had, and has."""
    if keep is None and not _trusts_clock(settings):
        return {}
    kept = timedelta(days=settings.snapshot_days) if keep is None else keep
    return _each(settings, _older("expire_snapshots", kept), "snapshots")


def remove_orphans(settings: Settings) -> list[str]:
    """Files that no snapshot refers to, left by writers that were killed; young ones may still be in use."""
    if not _trusts_clock(settings):
        return []
    return list(_each(settings, _older("remove_orphan_files", _IN_USE), "snapshots"))


def _trusts_clock(settings: Settings) -> bool:
    with _cursor(settings) as cursor:
        return lived.through_last_week(settings, cursor)


def _older(what: str, keep: timedelta) -> Callable[[Any, str], None]:
    seconds = int(keep.total_seconds())

    def run(cursor: Any, table: str) -> None:
        # Trino's own lower bound is a week; ours is a setting.
        fetch(cursor, f"set session lake.{what}_min_retention = '{seconds}s'")
        _execute(cursor, table, f"{what}(retention_threshold => '{seconds}s')")

    return run


def _each(settings: Settings, step: Callable[[Any, str], None], counted: str) -> dict[str, tuple[int, int]]:
    done = {}
    with _cursor(settings) as cursor:
        for schema, table in fetch(cursor, _TABLES):
            before = _count(cursor, schema, table, counted)
            step(cursor, f'lake.{schema}."{table}"')
            done[f"{schema}.{table}"] = (before, _count(cursor, schema, table, counted))
    log.info(f"lake {counted}", changed={name: two for name, two in done.items() if two[0] != two[1]}, tables=len(done))
    return done


def _count(cursor: Any, schema: str, table: str, counted: str) -> int:
    return int(fetch(cursor, f'select count(*) from lake.{schema}."{table}${counted}"')[0][0])  # noqa: S608


def _execute(cursor: Any, table: str, procedure: str) -> None:
    fetch(cursor, f"alter table {table} execute {procedure}")


@contextmanager
def _cursor(settings: Settings) -> Iterator[Any]:
    with connect(settings, service="dbt", timeout=_STATEMENT_SECONDS) as connection:
        yield connection.cursor()
