"""One record as a person may see it: the same masks and row limits that Trino would lay over the table behind it."""

from __future__ import annotations

from typing import Any

from headrace.contracts.model import Contract
from headrace.lake.access import pseudonym
from headrace.lake.models import column
from headrace.policy import Identity, Resource, allowed, column_masks, row_limits


def table_of(contract: Contract) -> str:
    """Whose policy is asked: that of the event's rows, or of the entity's list."""
    return f"processed.{contract.name}" if contract.kind == "events" else f"curated.dim_{contract.name}"


def readable(identity: Identity, contract: Contract) -> bool:
    """Whether this person may read rows of it; under a row limit only where the rows say on which side they lie."""
    names = {column(contract, field.name) for field in contract.fields}
    resource = Resource("table", table_of(contract))
    return allowed(identity, "ask", resource).allowed and row_limits(identity).keys() <= names


def named_openly(identity: Identity, contract: Contract, field: str) -> bool:
    """Who sees a pseudonym must not learn by trying which names there are."""
    return field not in column_masks(identity) and column(contract, field) not in column_masks(identity)


def shown(identity: Identity, contract: Contract, document: dict[str, Any], key: str) -> dict[str, Any] | None:
    """The document under this person's masks; None where the row is not theirs. `key` is that of the pseudonyms."""
    for name, values in row_limits(identity).items():
        if str(document.get(name)) not in values:
            return None
    masks = column_masks(identity)
    found = dict(document)
    for field in contract.fields:
        kind = masks.get(column(contract, field.name))
        if kind and found.get(field.name) is not None:
            found[field.name] = None if kind == "hide" else pseudonym(str(found[field.name]), key)
    return found
