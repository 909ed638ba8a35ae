"""The tables that grow with time, as dbt's manifest knows them: which column says when a row belongs, and who reads whom."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from headrace.lake import dbt
from headrace.settings import Settings

_PARTITION = re.compile(r"'(?:hour|day|month|year)\((\w+)\)'")


@dataclass(frozen=True)
class Dated:
    """A model that is built in increments and partitioned by a time."""

    name: str
    schema: str
    table: str
    moment: str
    """The column of its partitions: when the event was, or the window began."""
    path: str
    """Its file below the folder of models."""
    forever: bool = False
    """Small, and made of what is deleted one day: its rows stay (`meta: {kept: forever}`)."""
    keys: tuple[str, ...] = ()
    """Whose values its rows are told apart by (`meta.sliced_by`)."""
    views: tuple[str, ...] = ()
    """The views that it reads, as its compiled SQL names them."""

    @property
    def relation(self) -> str:
        return f"lake.{self.schema}.{self.table}"


def tables(settings: Settings) -> list[Dated]:
    """Each after the ones that it reads."""
    return from_manifest(json.loads((dbt.target(settings) / "manifest.json").read_text()))


def from_manifest(manifest: dict[str, Any]) -> list[Dated]:
    nodes = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    order = TopologicalSorter({key: node["depends_on"]["nodes"] for key, node in nodes.items()}).static_order()
    found = (_dated(nodes[key], nodes) for key in order if key in nodes)
    return [table for table in found if table]


def _dated(node: dict[str, Any], nodes: dict[str, dict[str, Any]]) -> Dated | None:
    config = node["config"]
    partition = _PARTITION.search((config.get("properties") or {}).get("partitioning") or "")
    if config.get("materialized") != "incremental" or not partition:
        return None
    path = str(Path(node["original_file_path"]).relative_to("models"))
    meta, alias = config.get("meta") or {}, node.get("alias") or node["name"]
    below = [nodes[key] for key in node["depends_on"]["nodes"] if key in nodes]
    return Dated(
        node["name"], node["schema"], alias, partition[1], path, meta.get("kept") == "forever",
        tuple(meta.get("sliced_by", ())),
        tuple(one["relation_name"] for one in below if one["config"]["materialized"] == "view"),
    )  # fmt: skip
