"""Trino's own access rules, rendered from the one policy file: the second wall behind the application's.

A person gets in only by impersonation through the service account, and an administrator never does: questions of an
administrator run as the service account itself, which reads and never writes. Each person is in one group, named after
their roles, so that several roles add up here exactly as they do in the application.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from typing import Any

from headrace.lake import literals
from headrace.policy import Identity, Policy, column_masks, row_limits

CATALOG = "lake"
SERVICES = ("admin", "dbt", "bi_svc")
_BUILDERS = "admin|dbt"
_OWNER = ["SELECT", "INSERT", "DELETE", "UPDATE", "OWNERSHIP", "GRANT_SELECT"]
_NOBODY = "(?!)"
Columns = Mapping[str, frozenset[str]]
"""Columns of each table that is declared in the dbt project: a row limit holds only where its column is."""


@dataclass(frozen=True)
class Beside:
    """Catalogues beside the lake, and the roles that may read them."""

    catalogues: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    @property
    def pattern(self) -> str:
        return "|".join(self.catalogues) or _NOBODY


_LAKE_ALONE = Beside()


def administers(policy: Policy, identity: Identity) -> bool:
    return any("manage" in role.actions for role in policy.roles_of(identity.roles))


def group_of(identity: Identity) -> str:
    return "_and_".join(sorted(identity.roles))


def groups(policy: Policy, people: Iterable[Identity]) -> str:
    by_group: dict[str, list[str]] = {}
    for person in _readers(policy, people):
        by_group.setdefault(group_of(person), []).append(person.user)
    return "".join(f"{group}:{','.join(sorted(users))}\n" for group, users in sorted(by_group.items()))


def rules(
    policy: Policy, people: Iterable[Identity], columns: Columns, pseudonym_key: str, beside: Beside = _LAKE_ALONE
) -> dict[str, Any]:
    """The document that Trino's file-based access control reads; the first matching rule decides."""
    everyone = list(people)
    readers = _readers(policy, everyone)
    samples = {group_of(p): p for p in readers if not row_limits(p, policy=policy)}
    # Trino checks the two limits that session-properties.json sets as if the person had set them.
    named = "|".join(sorted({group_of(p) for p in readers})) or _NOBODY
    guests = {group: p for group, p in samples.items() if set(p.roles) & set(beside.roles)}
    return {
        "catalogs": [
            {"user": _BUILDERS, "catalog": ".*", "allow": "all"},
            {"user": "bi_svc", "catalog": CATALOG, "allow": "read-only"},
            {"group": named, "catalog": CATALOG, "allow": "read-only"},
            {"user": "bi_svc", "catalog": beside.pattern, "allow": "read-only"},
            {"group": "|".join(sorted(guests)) or _NOBODY, "catalog": beside.pattern, "allow": "read-only"},
        ],
        "schemas": [{"user": _BUILDERS, "owner": True}, {"owner": False}],
        "tables": [
            {"user": _BUILDERS, "privileges": _OWNER},
            {"user": "bi_svc", "catalog": CATALOG, "privileges": ["SELECT"]},
            *(r for p in readers if row_limits(p, policy=policy) for r in _limited(policy, p, columns, pseudonym_key)),
            *(r for group, p in samples.items() for r in _open(policy, p, group, pseudonym_key)),
            {"user": "bi_svc", "catalog": beside.pattern, "privileges": ["SELECT"]},
            *(_guest(policy, p, group, beside, pseudonym_key) for group, p in guests.items()),
        ],
        "functions": [{"user": _BUILDERS, "privileges": ["EXECUTE", "GRANT_EXECUTE", "OWNERSHIP"]}],
        "procedures": [{"user": _BUILDERS, "privileges": ["EXECUTE"]}],
        "queries": [{"user": "admin", "allow": ["execute", "view", "kill"]}, {"allow": ["execute"]}],
        "impersonation": _impersonation(policy, everyone, readers),
        "system_session_properties": [
            {"user": _BUILDERS, "allow": True},
            {"property": "query_max_execution_time|query_max_scan_physical_bytes", "allow": True},
            {"allow": False},
        ],
        "catalog_session_properties": [{"user": _BUILDERS, "allow": True}, {"allow": False}],
        "system_information": [{"user": "admin", "allow": ["read"]}],
    }


def _readers(policy: Policy, people: Iterable[Identity]) -> list[Identity]:
    known = (p for p in people if p.user not in SERVICES and policy.roles_of(p.roles))
    return sorted((p for p in known if not administers(policy, p)), key=lambda p: p.user)


def _impersonation(policy: Policy, people: list[Identity], readers: list[Identity]) -> list[dict[str, Any]]:
    protected = {*SERVICES, *(p.user for p in people if administers(policy, p))}
    known = "|".join(re.escape(p.user) for p in readers) or _NOBODY
    return [
        {"original_user": ".*", "new_user": "|".join(re.escape(name) for name in sorted(protected)), "allow": False},
        {"original_user": "bi_svc", "new_user": known, "allow": True},
        {"original_user": ".*", "new_user": ".*", "allow": False},
    ]


def _tables(policy: Policy, person: Identity) -> list[str]:
    return list(dict.fromkeys(table for role in policy.roles_of(person.roles) for table in role.tables))


def _open(policy: Policy, person: Identity, group: str, key: str) -> list[dict[str, Any]]:
    return [{"group": group, **_grant(policy, person, table, key)} for table in _tables(policy, person)]


def _limited(policy: Policy, person: Identity, columns: Columns, key: str) -> list[dict[str, Any]]:
    """Row limits depend on the person, so the rules name them; a table without the column is not shown at all."""
    limits = row_limits(person, policy=policy)
    condition = " and ".join(f'"{column}" in ({_literals(values)})' for column, values in limits.items())
    patterns = _tables(policy, person)
    shown = [
        t for t, have in sorted(columns.items()) if limits.keys() <= have and any(fnmatchcase(t, p) for p in patterns)
    ]
    user = re.escape(person.user)
    return [{"user": user, **_grant(policy, person, table, key), "filter": condition} for table in shown] + [
        {"user": user, "catalog": CATALOG, "privileges": []}
    ]


def _guest(policy: Policy, person: Identity, group: str, beside: Beside, key: str) -> dict[str, Any]:
    """Every table, with the masks of the lake wherever a column is named like there; whoever has row limits gets none."""
    return {"group": group, "catalog": beside.pattern, **_masked(policy, person, key), "privileges": ["SELECT"]}


def _grant(policy: Policy, person: Identity, table: str, key: str) -> dict[str, Any]:
    schema, _, name = table.partition(".")
    rule: dict[str, Any] = {"catalog": CATALOG, "schema": _pattern(schema), "table": _pattern(name or "*")}
    return {**rule, **_masked(policy, person, key), "privileges": ["SELECT"]}


def _masked(policy: Policy, person: Identity, key: str) -> dict[str, Any]:
    masks = column_masks(person, policy=policy)
    return {"columns": [{"name": c, "mask": _mask(c, kind, key)} for c, kind in masks.items()]} if masks else {}


def _mask(column: str, kind: str, key: str) -> str:
    """A keyed hash keeps persons apart without naming them, so that counting them stays right."""
    if kind == "hide":
        return "cast(null as varchar)"
    return f"lower(to_hex(hmac_sha256(to_utf8(\"{column}\"), to_utf8('{key}'))))"


def pseudonym(value: str, key: str) -> str:
    """As Trino makes it, for what is read from elsewhere."""
    return hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()


def pseudonym_key(secret: str) -> str:
    return hmac.new(secret.encode(), b"headrace pseudonyms", hashlib.sha256).hexdigest()


def _literals(values: tuple[str, ...]) -> str:
    return ", ".join(literals.text(value) for value in values) or "null"


def _pattern(glob: str) -> str:
    """The glob of the policy file as the regular expression that Trino expects: it matches whole names."""
    return re.sub(r"^\(\?s:(.*)\)\\[zZ]$", r"\1", translate(glob))
