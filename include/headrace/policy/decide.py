"""The decision itself: pure functions of identity and policy, so that every door gives the same answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from headrace.policy.identity import Identity
from headrace.policy.rules import Policy, Role, load_policy

Kind = Literal["action", "metric", "dimension", "table"]


@dataclass(frozen=True)
class Resource:
    """What is asked for: a metric, a dimension, a table (schema.table) or the action on its own."""

    kind: Kind = "action"
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True)
class Decision:
    allowed: bool
    reason: str


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def _grants(role: Role, action: str, resource: Resource) -> bool:
    if action not in role.actions:
        return False
    match resource.kind:
        case "action":
            return True
        case "metric":
            return _matches(resource.name, role.metrics)
        case "dimension":
            return _matches(resource.name, role.dimensions) and not _matches(resource.name, role.denied_dimensions)
        case "table":
            return _matches(resource.name, role.tables) and not _matches(resource.name, role.denied_tables)


def allowed(
    identity: Identity, action: str, resource: Resource | None = None, *, policy: Policy | None = None
) -> Decision:
    """May this person do this? No by default; the reason is a sentence for the person."""
    policy = policy or load_policy()
    target = resource or Resource()
    for name in identity.roles:
        role = policy.roles.get(name)
        if role and _grants(role, action, target):
            return Decision(True, f"role {name} may {action} {target}".strip())
    held = ", ".join(identity.roles) or "none"
    what = f"{action} {target}" if target.name else action
    return Decision(
        False, f"{identity.user} may not {what} (roles: {held}). An administrator can grant a role that may."
    )


def column_masks(identity: Identity, table: str, *, policy: Policy | None = None) -> dict[str, str]:
    """Column -> SQL for the columns that every role of this person with access to the table reads masked."""
    roles = [r for r in (policy or load_policy()).roles_of(identity.roles) if _matches(table, r.tables)]
    if not roles:
        return {}
    masks = [_masks_of(role, table) for role in roles]
    common = set.intersection(*(set(m) for m in masks))
    return {column: masks[0][column] for column in sorted(common)}


def _masks_of(role: Role, table: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pattern, columns in role.masks.items():
        if _matches(table, (pattern,)):
            found.update(columns)
    return found


def row_limits(identity: Identity, *, policy: Policy | None = None) -> dict[str, tuple[str, ...]]:
    """Column -> the only values this person may see. A column that any of their roles leaves open is open."""
    roles = (policy or load_policy()).roles_of(identity.roles)
    if not roles:
        return {}
    common = set.intersection(*(set(role.rows) for role in roles))
    return {column: _values(identity, [role.rows[column] for role in roles]) for column in sorted(common)}


def _values(identity: Identity, lists: list[tuple[str, ...]]) -> tuple[str, ...]:
    found: set[str] = set()
    for value in (v for values in lists for v in values):
        found.update(identity.attributes.get(value[1:], ()) if value.startswith("$") else (value,))
    return tuple(sorted(found))
