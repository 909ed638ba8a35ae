"""What the rest of the platform knows of a contract: topic, fields, keys and tables, all derived from one file.

The files are Open Data Contract Standard 3.1; this module reads the part of it that the platform acts on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from headrace.contracts.corrections import default, possible
from headrace.contracts.examine import examine
from headrace.contracts.examine_property import TYPES
from headrace.contracts.outliers import Outlier, outlier_of
from headrace.contracts.sessions import Sessions, sessions_of

Kind = Literal["events", "entity"]
OWN = "headrace"
"""The source of what the platform itself writes."""


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
    corrected_by: tuple[str, ...] | None = None
    """Kinds of correction that the contract names; None: what the type suggests."""
    outlier: Outlier | None = None
    references: str | None = None
    """The entity and its key that the value names, as `merchants.merchant_id`."""

    @property
    def corrections(self) -> tuple[str, ...]:
        return default(self) if self.corrected_by is None else self.corrected_by


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
    sessions: Sessions | None = None
    history: bool = False
    """Every state of an entity is kept in the lake, with the time that it held; a record without a value is its deletion."""

    @property
    def topic(self) -> str:
        return f"{self.source}.{self.database}.{self.name}.{self.operation}"

    @property
    def own(self) -> bool:
        """Written by the platform itself: nobody sends such events from outside."""
        return self.source == OWN

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

    @property
    def version_fields(self) -> tuple[str, ...]:
        """When and how much: an event that differs from another of its identity in these is no repeat of it."""
        if self.kind != "events":
            return ()
        return (self.event_time, *(f.name for f in self.fields if f.type.startswith("decimal")))

    @property
    def references(self) -> dict[str, str]:
        """The fields that name an entity, with the entity's contract."""
        return {f.name: f.references.split(".")[0] for f in self.fields if f.references}

    def field(self, name: str) -> Field:
        return next(f for f in self.fields if f.name == name)


def _properties(items: list[dict[str, Any]] | None) -> dict[str, Any]:
    return {item["property"]: item["value"] for item in items or ()}


def _field(raw: dict[str, Any]) -> Field:
    options = raw.get("logicalTypeOptions") or {}
    custom = _properties(raw.get("customProperties"))
    named = custom.get("corrections")
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
        corrected_by=None if named is None else tuple(named),
        outlier=outlier_of(custom.get("outlier")),
        references=custom.get("references"),
    )


def load_contract(path: Path) -> Contract:
    """One contract file, or a ContractError that says what to change."""
    state = path.stat()
    return _loaded(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=256)
def _loaded(path: Path, _mtime: int, _size: int) -> Contract:
    """Read once for each state of the file: one command asks for all of them several times."""
    document = examine(path)
    if document.mistakes:
        raise ContractError("\n".join(str(mistake) for mistake in document.mistakes))
    raw = document.value
    table = raw["schema"][0]
    custom = _properties(table.get("customProperties"))
    try:
        fields = tuple(_field(p) for p in table["properties"])
        sessions = sessions_of(custom.get("sessions"))
    except ValueError as error:
        raise ContractError(f"{path.name}: {error}") from error
    for field in fields:
        _check_field(field, fields, path)
    contract = Contract(
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
        fields=fields,
        sessions=sessions,
        history=custom.get("history", False),
    )
    if contract.sessions:
        _check_sessions(contract, contract.sessions, path)
    if contract.history is not False:
        _check_history(contract, path)
    return contract


def _check_history(contract: Contract, path: Path) -> None:
    if contract.history is not True or contract.kind != "entity":
        raise ContractError(f"{path.name}: history is true or false, and only an entity has one")
    # A deletion is a record without a value: only its key says whose it is.
    if contract.identity != (contract.key, contract.event_time):
        raise ContractError(f"{path.name}: history needs the identity [{contract.key}, {contract.event_time}]")


def _check_sessions(contract: Contract, sessions: Sessions, path: Path) -> None:
    fields = {f.name: f for f in contract.fields}
    by = fields.get(sessions.by)
    if contract.kind != "events":
        raise ContractError(f"{path.name}: only a stream of events has sessions")
    # A person's events then lie in order in one partition.
    if sessions.by != contract.key or by is None or not by.person or by.type != "string":
        raise ContractError(
            f"{path.name}: sessions go by {sessions.by!r}; they go by the key, which must be a text that names a person"
        )
    if len(contract.identity) != 1 or fields[contract.identity[0]].type != "string":
        raise ContractError(f"{path.name}: sessions need an identity of one text")
    if sessions.count is not None and (sessions.count not in fields or not fields[sessions.count].values):
        raise ContractError(f"{path.name}: sessions count {sessions.count!r}, which is no property with listed values")


def _check_field(field: Field, fields: tuple[Field, ...], path: Path) -> None:
    if unknown := set(field.corrections) - set(possible(field)):
        raise ContractError(
            f"{path.name}: {field.name} has no correction {sorted(unknown)[0]!r}; "
            f"there are: {', '.join(possible(field))}"
        )
    if field.outlier is None:
        return
    if field.type != "bigint" and not field.type.startswith("decimal"):
        raise ContractError(f"{path.name}: {field.name}: only a whole number or a decimal has an outlier bound")
    if field.outlier.by not in (None, *(other.name for other in fields if other.type == "string")):
        raise ContractError(
            f"{path.name}: {field.name}: outlier goes by {field.outlier.by!r}, which is no property with texts"
        )


def load_contracts(folder: Path) -> dict[str, Contract]:
    """Every contract of a folder, by name."""
    loaded = [load_contract(path) for path in sorted(folder.glob("*.yaml"))]
    contracts = {contract.name: contract for contract in loaded}
    for contract in loaded:
        _check_references(contract, contracts)
    return contracts


def _check_references(contract: Contract, contracts: dict[str, Contract]) -> None:
    keys = {f"{other.name}.{other.key}" for other in contracts.values() if other.kind == "entity"}
    for field in contract.fields:
        if field.references not in (None, *keys):
            raise ContractError(
                f"{contract.name}.yaml: {field.name} refers to {field.references!r}; there are: {', '.join(sorted(keys))}"
            )
