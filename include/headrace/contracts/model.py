"""What the rest of the platform knows of a contract: topic, fields, keys and tables, all derived from one file.

The files are Open Data Contract Standard 3.1; this module reads the part of it that the platform acts on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from headrace.contracts.examine import examine
from headrace.contracts.examine_property import TYPES

Kind = Literal["events", "entity"]


class ContractError(ValueError):
    """A contract file says something the platform cannot act on; the message names file, line and way out."""


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    """string, bigint, double, decimal(p,s), boolean, timestamp or date."""
    required: bool = False
    description: str = ""
    minimum: int | float | None = None
    maximum: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    values: tuple[str, ...] = ()
    classification: str = "internal"
    person: bool = False


@dataclass(frozen=True)
class Contract:
    name: str
    version: str
    kind: Kind
    owner: str
    description: str
    source: str
    database: str
    operation: str
    key: str
    identity: tuple[str, ...]
    event_time: str
    fields: tuple[Field, ...]

    @property
    def topic(self) -> str:
        return f"{self.source}.{self.database}.{self.name}.{self.operation}"

    @property
    def processed_topic(self) -> str:
        return f"processed_{self.name}"

    @property
    def subject(self) -> str:
        return f"{self.topic}-value"

    @property
    def raw_table(self) -> str:
        """Schema and table in the lake catalogue."""
        return f"raw.{self.name}"

    @property
    def person_fields(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.fields if f.person)

    def field(self, name: str) -> Field:
        return next(f for f in self.fields if f.name == name)


def _properties(items: list[dict[str, Any]] | None) -> dict[str, Any]:
    return {item["property"]: item["value"] for item in items or ()}


def _field(raw: dict[str, Any]) -> Field:
    options = raw.get("logicalTypeOptions") or {}
    custom = _properties(raw.get("customProperties"))
    return Field(
        name=raw["name"],
        type=raw.get("physicalType") or TYPES[raw["logicalType"]],
        required=bool(raw.get("required", False)),
        description=raw.get("description", ""),
        minimum=options.get("minimum"),
        maximum=options.get("maximum"),
        min_length=options.get("minLength"),
        max_length=options.get("maxLength"),
        values=tuple(custom.get("values", ())),
        classification=raw.get("classification", "internal"),
        person=bool(custom.get("person", False)),
    )


def load_contract(path: Path) -> Contract:
    """One contract file, or a ContractError that says what to change."""
    document = examine(path)
    if document.mistakes:
        raise ContractError("\n".join(str(mistake) for mistake in document.mistakes))
    raw = document.value
    table = raw["schema"][0]
    custom = _properties(table.get("customProperties"))
    return Contract(
        name=table["name"],
        version=str(raw["version"]),
        kind=custom["kind"],
        owner=raw["team"]["name"],
        description=table.get("description", ""),
        source=custom["source"],
        database=custom["database"],
        operation=custom["operation"],
        key=custom["key"],
        identity=tuple(custom["identity"]),
        event_time=custom["event_time"],
        fields=tuple(_field(p) for p in table["properties"]),
    )


def load_contracts(folder: Path) -> dict[str, Contract]:
    """Every contract of a folder, by name."""
    contracts = [load_contract(path) for path in sorted(folder.glob("*.yaml"))]
    return {contract.name: contract for contract in contracts}
