"""Which tables are measured, and against what: found in contracts and dbt's manifest, so that nobody lists them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.contracts.model import Contract
from headrace.lake import dbt
from headrace.lake.models import column, keys
from headrace.settings import Settings


@dataclass(frozen=True)
class Processed:
    """The table of a contract: one row an event or an entity."""

    contract: Contract
    histories: frozenset[str] = frozenset()
    """Entities whose states are all kept: one that was deleted is known there, and nowhere else."""

    @property
    def name(self) -> str:
        return f"processed.{self.contract.name}"

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(column(self.contract, key) for key in keys(self.contract))

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column(self.contract, field.name) for field in self.contract.fields)

    def told(self, stream: str) -> str:
        """The table that knows everything that was told of a stream, deleted or not."""
        return f"lake.processed.{stream}{'_history' if stream in self.histories else ''}"


@dataclass(frozen=True)
class Curated:
    """A curated table with one row for each of the processed table that it is made of."""

    name: str
    source: Processed
    shared: tuple[str, ...]
    """Columns of the contract that it has under the same name."""


@dataclass(frozen=True)
class Summary:
    """Any other curated table: only dbt's tests say how it is."""

    name: str


Table = Processed | Curated | Summary


def tables(settings: Settings, contracts: Mapping[str, Contract]) -> list[Table]:
    """Every processed and curated table; without dbt's manifest the processed ones alone."""
    histories = frozenset(name for name, contract in contracts.items() if contract.history)
    made = {name: Processed(contract, histories) for name, contract in contracts.items()}
    file = dbt.target(settings) / "manifest.json"
    manifest = json.loads(file.read_text()) if file.is_file() else {}
    return [*made.values(), *curated(manifest, made)]


def curated(manifest: dict[str, Any], made: Mapping[str, Processed]) -> list[Table]:
    nodes: dict[str, Any] = manifest.get("nodes", {})
    grains = _grains(nodes)
    models = [n for n in nodes.values() if n["resource_type"] == "model" and n["schema"] == "curated"]
    return [_curated(model, made, grains.get(model["unique_id"], ())) for model in models]


def _curated(model: dict[str, Any], made: Mapping[str, Processed], grain: tuple[str, ...]) -> Table:
    """The same keys as a table it reads, promised by its own test, are the same rows.

    What the platform itself told (sessions) is found again from events, late ones included: that is no copy of it.
    """
    name = f"curated.{model['name']}"
    for parent in model["depends_on"]["nodes"]:
        source = made.get(parent.rsplit(".", 1)[-1])
        if source and not source.contract.own and grain and set(grain) == set(source.keys):
            shared = tuple(column for column in source.columns if column in model["columns"])
            return Curated(name, source, shared)
    return Summary(name)


def _grains(nodes: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Keys by model, from the tests that promise one row for each."""
    found = {}
    for node in nodes.values():
        test = node.get("test_metadata") or {}
        if test.get("name") == "one_row_per":
            arguments = test["kwargs"].get("arguments") or test["kwargs"]
            found[node["attached_node"]] = tuple(arguments["keys"])
    return found
