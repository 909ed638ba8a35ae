"""What comes from what: edges between datasets, walked up to the sources and down to what people read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from headrace.lineage.names import Node

Direction = Literal["up", "down"]
_DEEPEST = 40


class Edge(NamedTuple):
    source: Node
    target: Node
    job: str


class Unknown(LookupError):
    """No such dataset; the message says what there is."""


@dataclass
class Tree:
    node: Node
    job: str = ""
    """By which job it hangs on the node above it."""
    branches: list[Tree] = field(default_factory=list)
    again: bool = False
    """Shown with its branches elsewhere in the same tree."""

    def document(self) -> dict[str, Any]:
        return {
            "name": self.node.name, "kind": self.node.kind, "job": self.job, "again": self.again,
            "branches": [branch.document() for branch in self.branches],
        }  # fmt: skip


class Graph:
    def __init__(self, edges: Iterable[Edge]) -> None:
        self.edges = sorted(set(edges))
        self.nodes = sorted({node for edge in self.edges for node in (edge.source, edge.target)})

    def find(self, name: str) -> list[Node]:
        """Nodes called that: in full, without the schema, or the topic of a stream."""
        exact = [node for node in self.nodes if node.name == name]
        if exact:
            return exact
        words = [node for node in self.nodes if name in node.name.replace(":", ".").split(".")]
        if words:
            return words
        like = [node.name for node in self.nodes if name.lower() in node.name.lower()][:5]
        told = f" Did you mean {', '.join(like)}?" if like else " Next: ./headrace lineage, for the list"
        raise Unknown(f"Lineage knows nothing called {name!r}.{told}")

    def tree(self, node: Node, direction: Direction) -> Tree:
        return self._grow(Tree(node), direction, {node}, 0)

    def around(self, nodes: Iterable[Node]) -> list[Edge]:
        """The edges of everything above and below these."""
        wanted: set[Edge] = set()
        directions: tuple[Direction, ...] = ("up", "down")
        for direction in directions:
            todo, seen = list(nodes), set(nodes)
            while todo:
                here = todo.pop()
                for edge in self._edges(here, direction):
                    wanted.add(edge)
                    other = edge.source if direction == "up" else edge.target
                    if other not in seen:
                        seen.add(other)
                        todo.append(other)
        return sorted(wanted)

    def _grow(self, tree: Tree, direction: Direction, seen: set[Node], depth: int) -> Tree:
        if depth >= _DEEPEST:
            return tree
        for edge in self._edges(tree.node, direction):
            other = edge.source if direction == "up" else edge.target
            branch = Tree(other, edge.job, again=other in seen)
            tree.branches.append(branch)
            if not branch.again:
                seen.add(other)
                self._grow(branch, direction, seen, depth + 1)
        return tree

    def _edges(self, node: Node, direction: Direction) -> list[Edge]:
        return [edge for edge in self.edges if (edge.target if direction == "up" else edge.source) == node]
