"""What is wrong with a contract file, all of it at once, each mistake at its line with the way to mend it."""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from headrace.contracts.examine_property import examine_property
from headrace.contracts.names import LONGEST_TOPIC, NAME, unusable_owner, unusable_stream
from headrace.contracts.places import Document, read

ROLES = ("kind", "source", "database", "operation", "key", "identity", "event_time")
_KINDS = ("events", "entity")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_TABLE = ("schema", 0)
_CUSTOM = (*_TABLE, "customProperties")
_MEANING = {
    "kind": "events (each row is a fact) or entity (the newest row of a key is its state)",
    "source": "where the events come from, such as rest",
    "database": "whose they are, such as marketplace",
    "operation": "what a record is, such as insert or upsert",
    "key": "the property that is the Kafka key; order is kept per value of it",
    "identity": "the list of properties that make two events the same event, such as [event_id]",
    "event_time": "the property that says when it happened",
}


def examine(path: Path) -> Document:
    """The file's values with every mistake in them, in the order of their lines."""
    document = read(path)
    if not document.mistakes or document.value is not None:
        _Examination(document, path.stem).run()
    document.mistakes.sort()
    return document


class _Examination:
    def __init__(self, document: Document, stem: str) -> None:
        self.document, self.stem = document, stem
        self.note = document.mistake

    def run(self) -> None:
        raw = self.document.value
        if not isinstance(raw, dict):
            self.note(
                (), "The file holds no contract", "Begin with `./headrace stream new NAME`, or copy another contract"
            )
            return
        self._head(raw)
        schema = raw.get("schema")
        if not isinstance(schema, list) or len(schema) != 1 or not isinstance(schema[0], dict):
            self.note(("schema",), "schema must be a list with one table", "Write `schema:` and under it `- name: …`")
            return
        self._table(schema[0])

    def _head(self, raw: dict[str, Any]) -> None:
        for member in ("apiVersion", "kind", "id", "name", "version", "status", "team"):
            if raw.get(member) in (None, ""):
                self.note((), f"{member} is missing", f"Add `{member}: …` at the left margin, as in transactions.yaml")
        if raw.get("version") is not None and not _VERSION.fullmatch(str(raw["version"])):
            self.note(("version",), f"version {raw['version']!r} is not three numbers", "Write such as 1.0.0")
        team = raw.get("team")
        if team is not None and not (isinstance(team, dict) and team.get("name")):
            self.note(("team",), "team has no name", "Write `team:` and under it `name: …`: who answers for the stream")
        elif team and (reason := unusable_owner(team["name"])):
            what, _, fix = reason.partition(": ")
            self.note(("team", "name"), what, fix.capitalize())
        for member in ("id", "name"):
            if raw.get(member) not in (None, "", self.stem):
                self.note(
                    (member,),
                    f"{member} is {raw[member]!r} in a file called {self.stem}.yaml",
                    f"Write {self.stem}, or rename the file",
                )

    def _table(self, table: dict[str, Any]) -> None:
        if table.get("name") != self.stem:
            what = f"The table is called {table.get('name')!r} in a file called {self.stem}.yaml"
            self.note((*_TABLE, "name"), what, f"Write `name: {self.stem}`, or rename the file")
        elif reason := unusable_stream(self.stem):
            self.note((*_TABLE, "name"), reason, "Rename the file and the stream in it")
        if not str(table.get("description") or "").startswith("One row per "):
            what = "The table's description does not say its grain"
            self.note((*_TABLE, "description"), what, "Begin it with `One row per …`")
        known = self._properties(table)
        self._roles(table, known)

    def _properties(self, table: dict[str, Any]) -> dict[str, Any]:
        items = table.get("properties")
        path = (*_TABLE, "properties")
        if not isinstance(items, list) or not items:
            self.note(path, "The table has no properties", "Add `properties:` with at least the key and the event time")
            return {}
        for number, item in enumerate(items):
            examine_property(self.document, (*path, number), item)
        names = [item.get("name") for item in items if isinstance(item, dict)]
        for name in (name for name, times in Counter(map(str, names)).items() if times > 1):
            second = [
                number for number, item in enumerate(items) if isinstance(item, dict) and item.get("name") == name
            ][-1]
            self.note(
                (*path, second, "name"), f"The property {name!r} is there twice", "Remove one, or give it another name"
            )
        return {str(item["name"]): item for item in items if isinstance(item, dict) and "name" in item}

    def _roles(self, table: dict[str, Any], known: dict[str, Any]) -> None:
        values: dict[str, Any] = {}
        items = table.get("customProperties")
        for number, item in enumerate(items if isinstance(items, list) else ()):
            if not isinstance(item, dict) or "property" not in item or "value" not in item:
                self.note(
                    (*_CUSTOM, number),
                    "A custom property needs `property` and `value`",
                    "Write both, one under the other",
                )
                continue
            name = str(item["property"])
            if name in values:
                self.note((*_CUSTOM, number), f"{name} is given twice", "Keep one of the two")
            elif name not in (*ROLES, "sessions", "history") and (near := get_close_matches(name, ROLES, n=1)):
                self.note(
                    (*_CUSTOM, number, "property"), f"{name} is no property of a stream", f"Did you mean {near[0]}?"
                )
            values[name] = item["value"]
            self._places(name, number)
        for role in ROLES:
            if values.get(role) in (None, "", []):
                self.note(
                    _CUSTOM,
                    f"customProperties lack {role}: {_MEANING[role]}",
                    f"Add `- property: {role}` with its `value:`",
                )
        self._where(values)
        if known:
            self._named(values, known)

    def _places(self, role: str, number: int) -> None:
        self.document.places[("role", role)] = self.document.places[(*_CUSTOM, number, "value")]

    def _where(self, values: dict[str, Any]) -> None:
        if values.get("kind") not in (None, *_KINDS):
            self.note(("role", "kind"), f"kind is {values['kind']!r}", "Write events or entity")
        for role in ("source", "database", "operation"):
            value = values.get(role)
            if value and not (isinstance(value, str) and NAME.fullmatch(value)):
                self.note(
                    ("role", role),
                    f"{role} {value!r} cannot be part of a topic's name",
                    "Use small letters, digits and _",
                )
        topic = (
            ".".join(str(values.get(part) or "") for part in ("source", "database"))
            + f".{self.stem}.{values.get('operation')}"
        )
        if len(topic) > LONGEST_TOPIC:
            self.note(
                ("role", "source"),
                f"The topic's name would have {len(topic)} characters",
                f"Kafka takes {LONGEST_TOPIC}: shorten it",
            )

    def _named(self, values: dict[str, Any], known: dict[str, Any]) -> None:
        identity = values.get("identity")
        if identity and not isinstance(identity, list):
            self.note(("role", "identity"), "identity must be a list", f"Write `[{identity}]`")
            identity = [identity]
        for role, names in (
            ("key", [values.get("key")]),
            ("identity", identity or []),
            ("event_time", [values.get("event_time")]),
        ):
            for name in names:
                self._name(role, name, known)
        event_time = known.get(str(values.get("event_time")))
        if event_time and (event_time.get("physicalType") or event_time.get("logicalType")) != "timestamp":
            self.note(
                ("role", "event_time"),
                f"event_time names {values['event_time']!r}, which is no timestamp",
                "Give it `logicalType: timestamp`, or name another property",
            )
        if (
            values.get("kind") == "entity"
            and identity
            and not set(map(str, identity)) - {str(values.get("event_time"))}
        ):
            self.note(
                ("role", "identity"),
                "identity holds nothing but the event time",
                "Add the property that tells two entities apart",
            )

    def _name(self, role: str, name: Any, known: dict[str, Any]) -> None:
        if name in (None, ""):
            return
        if str(name) not in known:
            near = get_close_matches(str(name), known, n=1)
            fix = f"Did you mean {near[0]}?" if near else f"Add the property, or name one of {', '.join(known)}"
            self.note(("role", role), f"{role} names {name!r}, which is not among the properties", fix.rstrip("?"))
        elif known[str(name)].get("required") is not True:
            self.note(
                ("role", role),
                f"{role} names {name!r}, which may be missing from an event",
                f"Give {name} `required: true`",
            )
