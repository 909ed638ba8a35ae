"""The raw table of a contract: a record as it came, and where it came from."""

from __future__ import annotations

from headrace.contracts.model import Contract
from headrace.streams.landing.objects import ObjectStore
from headrace.streams.landing.objects import catalogue_conf as conf_of

CATALOGUE = "lake"
COLUMNS = {
    "topic": "string",
    "partition": "int",
    "offset": "bigint",
    "key": "string",
    "value": "binary",
    "headers": "map<string,string>",
    "arrived_at": "timestamp",
    "landed_at": "timestamp",
    "correlation_id": "string",
    "contract_version": "string",
    "origin": "string",
}
PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
    "commit.retry.num-retries": "10",
}


def table_of(contract: Contract) -> str:
    return f"{CATALOGUE}.{contract.raw_table}"


def columns_of(contract: Contract) -> dict[str, str]:
    """Those that every raw table has, and those that name a person, so that an erasure can find them."""
    return COLUMNS | dict.fromkeys(contract.person_fields, "string")


def create_sql(contract: Contract) -> str:
    columns = ", ".join(f"`{name}` {kind}" for name, kind in columns_of(contract).items())
    properties = ", ".join(f"'{key}' = '{value}'" for key, value in PROPERTIES.items())
    return (
        f"CREATE TABLE IF NOT EXISTS {table_of(contract)} ({columns}) USING iceberg "
        f"PARTITIONED BY (days(arrived_at)) TBLPROPERTIES ({properties})"
    )


def add_columns_sql(contract: Contract, present: list[str]) -> str | None:
    """What a newer contract names and an older table lacks."""
    missing = {name: kind for name, kind in columns_of(contract).items() if name not in present}
    if not missing:
        return None
    columns = ", ".join(f"`{name}` {kind}" for name, kind in missing.items())
    return f"ALTER TABLE {table_of(contract)} ADD COLUMNS ({columns})"


def catalogue_conf(warehouse: str, address: str, password: str, objects: ObjectStore | None = None) -> dict[str, str]:
    """One JDBC catalogue that Trino reads and writes too."""
    prefix = f"spark.sql.catalog.{CATALOGUE}"
    return {
        prefix: "org.apache.iceberg.spark.SparkCatalog",
        f"{prefix}.type": "jdbc",
        f"{prefix}.uri": f"jdbc:postgresql://{address}/iceberg",
        f"{prefix}.jdbc.user": "iceberg",
        f"{prefix}.jdbc.password": password,
        f"{prefix}.jdbc.schema-version": "V1",
        f"{prefix}.warehouse": warehouse,
        f"{prefix}.cache-enabled": "false",
        **{f"{prefix}.{key}": value for key, value in (conf_of(objects) if objects else {}).items()},
    }
