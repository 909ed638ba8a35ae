"""How datasets are called in lineage: one name for a thing, whoever tells of it and wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["topic", "table", "key", "metric", "report", "other"]
KINDS: Mapping[str, Kind] = {
    "kafka://headrace": "topic",
    "lake://headrace": "table",
    "valkey://headrace": "key",
    "metric://headrace": "metric",
    "report://headrace": "report",
}
_SPACES = {kind: space for space, kind in KINDS.items()}


class Node(NamedTuple):
    """A dataset; `name` as a person knows it."""

    namespace: str
    name: str

    @property
    def kind(self) -> Kind:
        return KINDS.get(self.namespace, "other")


def canonical(namespace: str, name: str) -> Node:
    """Airflow's providers name a table by its server (trino://host:port, lake.curated.x): here it has one name."""
    scheme = namespace.partition("://")[0]
    if scheme == "kafka":
        return topic(name)
    if scheme in ("trino", "lake"):
        return Node(_SPACES["table"], name.removeprefix("lake."))
    return Node(namespace, name)


def topic(name: str) -> Node:
    return Node(_SPACES["topic"], name)


def table(schema: str, name: str) -> Node:
    return Node(_SPACES["table"], f"{schema}.{name}")


def key(spec: str) -> Node:
    """The live store's windows of one specification."""
    return Node(_SPACES["key"], f"window:{spec}")


def metric(name: str) -> Node:
    return Node(_SPACES["metric"], name)


def report(name: str) -> Node:
    return Node(_SPACES["report"], name)
