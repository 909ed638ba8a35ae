"""Notices changes of configuration and writes each into the audit log: what it was and what it is.

The table `configuration` holds what is in force; a difference from it is a change, whoever made it and however. The record
and the new state are one transaction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import psutil
import psycopg
from psycopg.types.json import Jsonb

from headrace.contracts.model import Contract, load_contracts
from headrace.policy import audit
from headrace.policy.rules import load_policy
from headrace.settings import Settings
from headrace.sinks import catalogue

Items = dict[str, Any]
_LOCK = "headrace configuration"
_PLACES = frozenset(["home", "cache", "browser"])
"""Where this installation lies is no choice about how it works."""
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_KEEP = """
insert into configuration (kind, name, value) values (%s, %s, %s)
on conflict (kind, name) do update set value = excluded.value, since = now()
"""


def keep_in_step(settings: Settings) -> None:
    """At each `up`, and whenever a contract is published: the catalogue tables, and the record of what changed."""
    contracts = load_contracts(settings.contracts)
    with _alone(settings) as connection:
        record(connection, "contract", {name: contract_item(contract) for name, contract in contracts.items()})
        record(connection, "role", {name: role.model_dump(mode="json") for name, role in load_policy().roles.items()})
        record(connection, "setting", setting_items(settings))
        catalogue.keep_in_step(connection, contracts, settings.future_minutes)


def metrics_in_step(settings: Settings, manifest: Mapping[str, Any]) -> None:
    """Whenever metrics are published: each metric, and each semantic model that it is made of."""
    with _alone(settings) as connection:
        record(connection, "metric", {item["name"]: _plain(item) for item in manifest["metrics"]})
        record(connection, "semantic_model", {item["name"]: _plain(item) for item in manifest["semantic_models"]})


def contract_item(contract: Contract) -> Items:
    item: Items = _plain(asdict(contract))
    return item


def setting_items(settings: Settings) -> Items:
    """Ports and hosts one by one; secrets are no settings, and what an address carries of one is left out."""
    found: Items = {}
    for name, value in settings.model_dump(mode="json", exclude=set(_PLACES)).items():
        if isinstance(value, dict):
            found |= {f"{name}.{key}": inner for key, inner in value.items()}
        else:
            found[name] = _CREDENTIALS.sub("***", value) if isinstance(value, str) else value
    return found


def record(connection: psycopg.Connection[Any], kind: str, items: Mapping[str, Any]) -> None:
    """What was never seen before of its kind is one record; after that each thing that differs is one."""
    rows = connection.execute("select name, value from configuration where kind = %s", [kind]).fetchall()
    known: Items = dict(rows)
    if not known:
        _write(connection, f"every {kind}", None, dict(items))
    for name in sorted(known.keys() | items.keys()):
        old, new = known.get(name), items.get(name)
        if (name in known) == (name in items) and old == new:
            continue
        if known:
            _write(connection, f"{kind} {name}", *differing(old, new))
        if name in items:
            connection.execute(_KEEP, [kind, name, Jsonb(new)])
        else:
            connection.execute("delete from configuration where kind = %s and name = %s", [kind, name])


def differing(old: Any, new: Any) -> tuple[Any, Any]:
    """The parts of two values that are not the same; a part that is on one side only is on one side only here too.

    Things in a list that have names are compared by name, so that one changed field is not shown as all of them.
    """
    old, new = _by_name(old), _by_name(new)
    if not isinstance(old, dict) or not isinstance(new, dict):
        return old, new
    before: Items = {}
    after: Items = {}
    for key in old.keys() | new.keys():
        if key in old and key in new and old[key] == new[key]:
            continue
        left, right = differing(old.get(key), new.get(key))
        before |= {key: left} if key in old else {}
        after |= {key: right} if key in new else {}
    return before, after


def _by_name(value: Any) -> Any:
    named = isinstance(value, list) and value and all(isinstance(one, dict) and "name" in one for one in value)
    return {one["name"]: one for one in value} if named else value


def _write(connection: psycopg.Connection[Any], subject: str, old: Any, new: Any) -> None:
    """The actor is the account of the machine: who started the platform may have been the one who edited a file, or not."""
    actor = f"system:{psutil.Process().username()}"
    audit.insert(connection, audit.Entry(actor, "configure", subject, True, old=old, new=new))


def _plain(value: Any) -> Any:
    """As PostgreSQL gives it back, without the places in files that move when a line is added above."""
    return json.loads(json.dumps(value, default=str), object_hook=_without_places)


def _without_places(item: Items) -> Items:
    return {key: value for key, value in item.items() if key != "metadata"}


def _alone(settings: Settings) -> psycopg.Connection[Any]:
    """One transaction at a time: two starts at once must not record a change twice."""
    dsn = settings.postgres_dsn("headrace")
    connection = psycopg.connect(dsn, connect_timeout=5, options="-c lock_timeout=20s -c statement_timeout=60s")
    connection.execute("select pg_advisory_xact_lock(hashtext(%s))", [_LOCK])
    return connection
