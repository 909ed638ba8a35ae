"""Event types, data sources and processing rules as tables, made from the contracts and never written by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from headrace.contracts.model import Contract
from headrace.streams.dialect import TRINO
from headrace.streams.gate import rules

Row = dict[str, Any]


def data_sources(contracts: Mapping[str, Contract]) -> list[Row]:
    found: dict[str, Row] = {}
    for contract in contracts.values():
        name = source_of(contract)
        empty: Row = {"name": name, "source": contract.source, "database": contract.database}
        row = found.setdefault(name, empty | {"event_types": [], "topics": []})
        row["event_types"].append(contract.name)
        row["topics"].append(contract.topic)
    return list(found.values())


def source_of(contract: Contract) -> str:
    return f"{contract.source}.{contract.database}"


def event_types(contracts: Mapping[str, Contract]) -> list[Row]:
    return [_event_type(contract) for contract in contracts.values()]


def _event_type(contract: Contract) -> Row:
    copied = ("name", "version", "kind", "owner", "description", "topic", "processed_topic", "raw_table", "key")
    row: Row = {name: getattr(contract, name) for name in (*copied, "event_time")}
    fields = json.loads(json.dumps([asdict(field) for field in contract.fields], default=str))
    return row | {"data_source": source_of(contract), "identity": list(contract.identity), "fields": fields}


def processing_rules(contracts: Mapping[str, Contract], future_minutes: int) -> list[Row]:
    """The gate's rules in the order in which they are asked; a rule of the whole record has no field."""
    return [
        {"event_type": contract.name, "position": position, "name": rule.name, "field": field, "sentence": rule.reason}
        for contract in contracts.values()
        for position, rule in enumerate(rules(contract, TRINO, future_minutes), 1)
        for field in [rule.name.partition(":")[2] or None]
    ]


def keep_in_step(connection: psycopg.Connection[Any], contracts: Mapping[str, Contract], future_minutes: int) -> None:
    """In the caller's transaction: a reader sees the old catalogue or the new one, never a mixture."""
    _replace(connection, "data_sources", data_sources(contracts))
    _replace(connection, "event_types", event_types(contracts))
    _replace(connection, "processing_rules", processing_rules(contracts, future_minutes))


def _replace(connection: psycopg.Connection[Any], table: str, rows: list[Row]) -> None:
    name = sql.Identifier(table)
    there = connection.execute(sql.SQL("select row_to_json(t) from {} as t").format(name)).fetchall()
    if sorted(_text(row) for (row,) in there) == sorted(_text(row) for row in rows):
        return
    connection.execute(sql.SQL("delete from {}").format(name))
    for row in rows:
        columns = sql.SQL(", ").join(map(sql.Identifier, row))
        values = sql.SQL(", ").join(sql.Placeholder() * len(row))
        command = sql.SQL("insert into {} ({}) values ({})").format(name, columns, values)
        connection.execute(command, [_stored(value) for value in row.values()])


def _stored(value: Any) -> Any:
    """A list of objects is a document; a list of words is an array."""
    return Jsonb(value) if isinstance(value, list) and value and isinstance(value[0], dict) else value


def _text(row: Row) -> str:
    return json.dumps(row, sort_keys=True)
