"""A contract as JSON Schema, so that the registry can refuse a change that would break readers.

The content is closed (no further properties): a closed schema may gain an optional field and stay backward compatible,
and a misspelt field is refused instead of vanishing.
"""

from __future__ import annotations

import json
import re
from typing import Any

from headrace.contracts.model import Contract, Field

_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_FORMATS = {"timestamp": "date-time", "date": "date"}
_JSON_TYPES = {"bigint": "integer", "double": "number", "boolean": "boolean"}


def json_type(field: Field) -> str:
    """The JSON type that carries a field's values."""
    if field.type.startswith("decimal"):
        return "number"
    return _JSON_TYPES.get(field.type, "string")


def _limits(field: Field) -> dict[str, Any]:
    found = {
        "minimum": field.minimum,
        "maximum": field.maximum,
        "minLength": field.min_length,
        "maxLength": field.max_length,
        "format": _FORMATS.get(field.type),
        "description": field.description or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def field_schema(field: Field) -> dict[str, Any]:
    """One property; an optional one may also be null."""
    schema = _limits(field)
    # Apicurio judges by form: an enumeration must have no type beside it, and a type must be a list from the start,
    # or it would refuse to let a required field become optional.
    if field.values:
        schema["enum"] = list(field.values) if field.required else [*field.values, None]
    else:
        schema["type"] = [json_type(field)] if field.required else [json_type(field), "null"]
    schema["x-type"] = field.type
    schema["x-classification"] = field.classification
    return schema


def json_schema(contract: Contract) -> dict[str, Any]:
    """The whole contract as a draft-07 schema of one event."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": contract.name,
        "description": contract.description,
        "type": "object",
        "additionalProperties": False,
        "required": [field.name for field in contract.fields if field.required],
        "properties": {field.name: field_schema(field) for field in contract.fields},
        "x-owner": contract.owner,
    }


def schema_text(contract: Contract) -> str:
    """The schema as the registry stores it: the same contract always gives the same text."""
    return json.dumps(json_schema(contract), separators=(",", ":"), ensure_ascii=False)


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a reader of the new schema would meet in data of the old one, in words; only what may break it."""
    before, after = old.get("properties", {}), new.get("properties", {})
    found = [f"{name} was removed" for name in before if name not in after]
    found += [f"{name} is new and required" for name in after if name not in before and name in new.get("required", ())]
    for name in (n for n in before if n in after):
        found += _field_changes(name, before[name], after[name])
        if name in new.get("required", ()) and name not in old.get("required", ()):
            found.append(f"{name} became required")
    return found


def _field_changes(name: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    found = []
    if "type" in new and (lost := set(_types(old)) - set(_types(new))):
        found.append(f"{name} no longer accepts {', '.join(sorted(lost))}")
    if not _holds(new.get("x-type"), old.get("x-type")):
        found.append(f"{name} changed from {old.get('x-type')} to {new.get('x-type')}")
    if gone := _lost_values(old, new):
        found.append(f"{name} no longer accepts {', '.join(gone)}")
    for limit, tighter in (("maximum", -1), ("maxLength", -1), ("minimum", 1), ("minLength", 1)):
        was, now = old.get(limit), new.get(limit)
        if now is not None and (was is None or (now - was) * tighter > 0):
            found.append(f"{name}: {limit} tightened from {'none' if was is None else was} to {now}")
    return found


def _holds(new: str | None, old: str | None) -> bool:
    """Whether the one type holds every value of the other; a schema that others registered has no type of ours."""
    if old is None or new is None or old == new:
        return True
    was, now = (_DECIMAL.fullmatch(kind) for kind in (old, new))
    if was is None or now is None:
        return False
    (was_digits, was_places), (digits, places) = ((int(m[1]), int(m[2])) for m in (was, now))
    return places >= was_places and digits - places >= was_digits - was_places


def _lost_values(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    if "enum" not in new:
        return []
    return [str(value) for value in old.get("enum", ["other values"]) if value not in new["enum"]]


def _types(schema: dict[str, Any]) -> list[str]:
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)
