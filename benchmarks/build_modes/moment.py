"""The lake as it was before an increment, so that each mode builds the same one; and what it holds after it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlparse

import psycopg

from benchmarks.curated.filling import Lake
from headrace.settings import Settings

_BUILT = (
    "catalog_name = 'lake' and table_namespace in ('processed', 'curated') and iceberg_type is distinct from 'VIEW'"
)
_READ = f"select table_namespace || '.' || table_name, metadata_location from iceberg_tables where {_BUILT}"
_WRITE = (
    f"update iceberg_tables set metadata_location = %s where {_BUILT} and table_namespace || '.' || table_name = %s"
)

Tables = dict[str, list[object]]
"""Rows and a sum over all of their values, by table."""


class Moment:
    """Iceberg never writes over a state of a table: to name the old one in the catalogue is to be there again."""

    def __init__(self, settings: Settings, states: dict[str, str]) -> None:
        self._settings = settings
        self.states = states

    @classmethod
    def now(cls, settings: Settings) -> Moment:
        with psycopg.connect(settings.postgres_dsn("iceberg")) as connection:
            return cls(settings, dict(connection.execute(_READ).fetchall()))

    @classmethod
    def kept(cls, settings: Settings, file: Path) -> Moment:
        """The one that an earlier call kept with its lake, or this one, kept."""
        if file.is_file():
            return cls(settings, json.loads(file.read_text()))
        moment = cls.now(settings)
        file.write_text(json.dumps(moment.states))
        return moment

    def return_to(self) -> None:
        """Tables that a build replaces whole have no old state any more, and need none: they are made of the others."""
        there = [(state, table) for table, state in self.states.items() if Path(urlparse(state).path).is_file()]
        with psycopg.connect(self._settings.postgres_dsn("iceberg")) as connection:
            connection.cursor().executemany(_WRITE, there)


def contents(lake: Lake, tables: list[str]) -> Tables:
    return {table: lake.fetch(_sum(lake, table))[0] for table in sorted(tables)}


def changed(before: Tables, after: Tables) -> list[str]:
    return [table for table in after if before.get(table) != after[table]]


def _sum(lake: Lake, table: str) -> str:
    schema, name = table.split(".")
    columns = lake.fetch(
        f"select column_name from lake.information_schema.columns where table_schema = '{schema}' and table_name = '{name}'"
        " order by ordinal_position"
    )
    named = ", ".join(f'"{column[0]}"' for column in columns)
    # A row of one column is no row in Trino's grammar; no table here has only one.
    return f"select count(*), to_hex(checksum(row({named}))) from lake.{table}"
