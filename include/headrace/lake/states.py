"""Which state of each table a statement reads: Iceberg names every state by a file, and its catalogue tells the present ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import psycopg
import sqlglot
from sqlglot import exp

from headrace.lake.access import CATALOG
from headrace.log import get_logger
from headrace.settings import Settings

_LOG = get_logger(__name__)
_LIMITS: dict[str, Any] = {"connect_timeout": 2, "options": "-c statement_timeout=2000", "tcp_user_timeout": 3000}
_PRESENT = """
select table_namespace || '.' || table_name, metadata_location from iceberg_tables
where catalog_name = %s and table_namespace || '.' || table_name = any(%s)
    -- A view stays as it is while the tables behind it change.
    and iceberg_type is distinct from 'VIEW'
"""
_BY_ITSELF = (
    exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp, exp.CurrentDatetime, exp.Localtime, exp.Localtimestamp,
    exp.Rand, exp.Uuid,
)  # fmt: skip

Table = str
"""Schema and name, with a dot between."""


@lru_cache(maxsize=1000)
def tables_of(sql: str) -> tuple[Table, ...] | None:
    """The tables that a statement reads; None where what it says also depends on when it is asked, or on something else."""
    try:
        parsed = sqlglot.parse_one(sql, dialect="trino")
    except sqlglot.errors.SqlglotError:
        return None
    if parsed.find(*_BY_ITSELF):
        return None
    named = {cte.alias for cte in parsed.find_all(exp.CTE)}
    tables = [table for table in parsed.find_all(exp.Table) if table.db or table.name not in named]
    if not tables or any(not table.db or table.catalog not in ("", CATALOG) for table in tables):
        return None
    return tuple(sorted({f"{table.db}.{table.name}" for table in tables}))


def present(settings: Settings, tables: Sequence[Table]) -> tuple[str, ...] | None:
    """A name for the present state of each table; None where one is no table of the catalogue, or nobody can say."""
    try:
        with psycopg.connect(settings.postgres_dsn("iceberg"), **_LIMITS) as connection:
            found: dict[str, str] = dict(connection.execute(_PRESENT, [CATALOG, list(tables)]).fetchall())
    except psycopg.Error as error:
        _LOG.debug("states_not_read", reason=str(error)[:300])
        return None
    states = tuple(found[table] for table in tables if found.get(table))
    return states if len(states) == len(tables) else None
