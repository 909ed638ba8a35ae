"""A YAML file as values that know where they stand, so that a mistake can be shown at its line and column."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from headrace.contracts.plain import LOADER

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Mistake:
    file: str
    line: int
    column: int
    what: str
    """A sentence that says what is wrong."""
    fix: str
    """A sentence that says what to do."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what}. {self.fix}."


@dataclass
class Document:
    """The plain values of a file, and a place for each path into them."""

    file: str
    value: Any = None
    places: dict[Path_, tuple[int, int]] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def mistake(self, path: Path_, what: str, fix: str) -> None:
        """Noted at the path, or at the nearest one above it that is in the file."""
        at = path
        while at and at not in self.places:
            at = at[:-1]
        line, column = self.places.get(at, (1, 1))
        self.mistakes.append(Mistake(self.file, line, column, what, fix))


def read(path: Path) -> Document:
    document = Document(path.name)
    try:
        loader = LOADER(path.read_text())
        node = loader.get_single_node()
        if node is not None:
            _walk(node, (), document)
            document.value = loader.construct_document(node)
    except yaml.YAMLError as error:
        document.mistakes.append(_unreadable(error, path.name))
    except UnicodeDecodeError as error:
        document.mistakes.append(
            Mistake(path.name, 1, 1, f"The file is not UTF-8 text ({error.reason})", "Save it as UTF-8")
        )
    return document


def _walk(node: yaml.Node, path: Path_, document: Document) -> None:
    document.places[path] = node.start_mark.line + 1, node.start_mark.column + 1
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(item, (*path, number), document)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, item in node.value:
            name = str(key.value)
            if name in seen:
                document.places[(*path, name)] = key.start_mark.line + 1, key.start_mark.column + 1
                document.mistake((*path, name), f"{name} is written twice in one place", "Keep one of the two")
            seen.add(name)
            _walk(item, (*path, name), document)


def _unreadable(error: yaml.YAMLError, file: str) -> Mistake:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = " ".join(str(getattr(error, "problem", None) or error).split())
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    fix = "Indent with spaces" if "\\t" in problem or "tab" in problem else (
        "Look at the indentation and at quotes, brackets and colons here and on the line before"
    )  # fmt: skip
    return Mistake(file, line, column, f"The file is not valid YAML: {problem}", fix)
