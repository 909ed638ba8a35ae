"""The decision itself: pure functions of identity and policy, so that every door gives the same answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from headrace.policy.identity import Identity
from headrace.policy.rules import MaskKind, Policy, Role, load_policy

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
            return _matches(resource.name, role.tables)


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


def column_masks(identity: Identity, *, policy: Policy | None = None) -> dict[str, MaskKind]:
    """Columns this person sees masked: those that every one of their roles masks, in the mildest form among them."""
    roles = (policy or load_policy()).roles_of(identity.roles)
    if not roles:
        return {}
    common = set.intersection(*(set(role.masks) for role in roles))
    return {c: "pseudonym" if any(r.masks[c] == "pseudonym" for r in roles) else "hide" for c in sorted(common)}


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
