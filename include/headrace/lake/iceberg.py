"""The Iceberg catalogue's two tables in PostgreSQL: Spark would make them on first use, Trino refuses to start without."""

from __future__ import annotations

import psycopg

from headrace.settings import Settings

_TABLES = """
create table if not exists iceberg_tables (
    catalog_name varchar(255) not null,
    table_namespace varchar(255) not null,
    table_name varchar(255) not null,
    metadata_location varchar(1000),
    previous_metadata_location varchar(1000),
    iceberg_type varchar(5),
    primary key (catalog_name, table_namespace, table_name)
);
create table if not exists iceberg_namespace_properties (
    catalog_name varchar(255) not null,
    namespace varchar(255) not null,
    property_key varchar(255),
    property_value varchar(1000),
    primary key (catalog_name, namespace, property_key)
);
"""


def ensure_catalogue(settings: Settings) -> None:
    with psycopg.connect(settings.postgres_dsn("iceberg"), connect_timeout=10) as connection:
        # Spark may be doing the same at this moment.
        connection.execute("select pg_advisory_xact_lock(hashtext('headrace iceberg catalogue'))")
        connection.execute(_TABLES)
