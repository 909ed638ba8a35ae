"""Tables behind keys: what turns a live window's merchant_id into the merchant's name, and says which values exist.

Found in the semantic models: an entity of a live model whose column is a key of its windows leads to the table of that
entity. History joins the same table when it is asked, so both sides name things alike, up to the minutes this is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from headrace.assistant.livepart import Windows
from headrace.live.fold import Window
from headrace.semantics.catalogue import SemanticCatalogue

_MOST_VALUES = 5000
Read = Callable[[str], list[list[Any]]]


@dataclass(frozen=True)
class Table:
    """One dimension table: its key, and dimensions of the catalogue by the column that holds them."""

    table: str
    key: str
    columns: Mapping[str, str]
    live_key: str | None

    @property
    def sql(self) -> str:
        names = ", ".join(f'cast("{column}" as varchar)' for column in (self.key, *self.columns.values()))
        return f"select {names} from lake.{self.table} limit {_MOST_VALUES}"  # noqa: S608 - names come from the published definitions


@dataclass(frozen=True)
class Lookups:
    """What was read: values by dimension, ids by value, and for live keys the names behind each id."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ids: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    behind: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """live key -> its value -> dimension -> value."""

    @cached_property
    def live(self) -> Mapping[str, str]:
        """Dimensions that live windows know through these tables, with the key that leads there."""
        return {name: key for key, rows in self.behind.items() for row in rows.values() for name in row}


def tables(manifest: Any, catalogue: SemanticCatalogue, live_keys: Iterable[str]) -> list[Table]:
    """Tables that foreign keys of measured models lead to; those of a live key are named by it."""
    keys = set(live_keys)
    by_qualified = {d.qualified: d.name for d in catalogue.dimensions.values()}
    foreign = {e.name: e.expr or e.name for m in manifest.semantic_models if m.measures for e in m.entities}
    found: list[Table] = []
    for model in manifest.semantic_models:
        primary = next(e for e in model.entities if e.type.value == "primary")
        if model.measures or primary.name not in foreign:
            continue
        columns = {
            by_qualified[f"{primary.name}__{d.name}"]: d.expr or d.name
            for d in model.dimensions
            if f"{primary.name}__{d.name}" in by_qualified
        }
        table = f"{model.node_relation.schema_name}.{model.node_relation.alias}"
        column = foreign[primary.name]
        found.append(Table(table, primary.expr or primary.name, columns, column if column in keys else None))
    return found


def read_all(found: Iterable[Table], read: Read) -> Lookups:
    values: dict[str, tuple[str, ...]] = {}
    ids: dict[str, dict[str, tuple[str, ...]]] = {}
    behind: dict[str, dict[str, dict[str, str]]] = {}
    for table in found:
        rows = [[*row] for row in read(table.sql) if row[0] is not None]
        for position, name in enumerate(table.columns, 1):
            values[name] = tuple(sorted({row[position] for row in rows if row[position]}))
        # A table that was cut short would leave some windows without a name.
        if table.live_key and len(rows) < _MOST_VALUES:
            names = tuple(table.columns)
            behind[table.live_key] = {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
            if names:
                ids[names[0]] = _ids(rows)
    return Lookups(values, ids, behind)


def _ids(rows: list[list[Any]]) -> dict[str, tuple[str, ...]]:
    """The first dimension of a table names its rows: an id stands for that name."""
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        if row[1]:
            found[row[1]] = (*found.get(row[1], ()), row[0])
    return found


class NamedWindows:
    """The live store, its windows carrying the names behind their keys."""

    def __init__(self, store: Windows, lookups: Callable[[], Lookups]) -> None:
        self._store, self._lookups = store, lookups

    def windows(self, spec: str, start: datetime, end: datetime, *, late: bool = False) -> list[Window]:
        behind = self._lookups().behind
        rows = self._store.windows(spec, start, end, late=late)
        return [self._named(row, behind) for row in rows] if behind else list(rows)

    def newest(self, spec: str) -> datetime | None:
        return self._store.newest(spec)

    def since(self, spec: str) -> datetime | None:
        return self._store.since(spec)

    def _named(self, row: Any, behind: Mapping[str, Mapping[str, Mapping[str, str]]]) -> Window:
        keys = dict(row.keys)
        for key, rows in behind.items():
            keys.update(rows.get(keys.get(key) or "", {}))
        named: Window = replace(row, keys=keys)
        return named
