"""All that is wrong with an event, field by field, in words that tell the sender what to send instead."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

import msgspec

from headrace.contracts.correct import UNREADABLE, Tokens, corrected
from headrace.contracts.model import Field
from headrace.contracts.outliers import Outlier
from headrace.contracts.structs import EventCodec, decimal_rule, nul_fault, python_type, quoted, too_early, year_fault

_SHOWN = 60
_WORDS = {
    "bigint": "a whole number",
    "double": "a number",
    "boolean": "true or false",
    "date": "a date such as 2026-01-31",
    "timestamp": "a time with its zone, such as 2026-01-31T12:00:00Z",
}


@dataclass(frozen=True)
class Fault:
    field: str
    reason: str


def allowed(field: Field) -> str:
    """What a field accepts, in words."""
    if field.values:
        return "one of " + ", ".join(field.values)
    if rule := decimal_rule(field):
        return f"a number with at most {rule.scale} decimal places" + _range(field)
    if field.type == "string":
        return "text" + _length(field)
    return _WORDS[field.type] + _range(field)


def _length(field: Field) -> str:
    low, high = field.min_length or 0, field.max_length
    if high is not None:
        return f" of {low} to {high} characters"
    return f" of at least {low} characters" if low else ""


def _range(field: Field) -> str:
    low, high = field.minimum, field.maximum
    if low is not None and high is not None:
        return f" from {low:g} to {high:.15g}"
    return f", at least {low:g}" if low is not None else f", at most {high:.15g}" if high is not None else ""


def _shown(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace")
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _field_fault(field: Field, raw: bytes) -> str | None:
    if raw == b"null":
        return f"is null; it must be {allowed(field)}" if field.required else None
    try:
        value: Any = msgspec.json.decode(raw, type=python_type(field))
    except UNREADABLE:
        return f"{_shown(raw)} is not {allowed(field)}"
    rule = decimal_rule(field)
    if rule and quoted(msgspec.Raw(raw)):
        return f"{_shown(raw)} is not {allowed(field)}"
    if rule and isinstance(value, Decimal) and (fault := rule.fault(value)):
        return f"{fault}; it must be {allowed(field)}"
    return year_fault(value) if isinstance(value, date) else None


def _ahead(raw: bytes, now: datetime, future: timedelta) -> bool:
    return msgspec.json.decode(raw, type=datetime) > now + future


def _implausible(field: Field, outlier: Outlier, fields: Tokens) -> str | None:
    kind = fields.get(outlier.by or "", msgspec.Raw(b"null"))
    return outlier.fault(Decimal(bytes(fields[field.name]).decode()), bytes(kind).decode().strip('"'))


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.75)
    return "is not in the contract" + (f"; did you mean {near[0]}?" if near else f", which has {', '.join(known)}")


def explain(codec: EventCodec, body: bytes, now: datetime) -> list[Fault]:
    """Every fault of one event that the gate cannot correct; an empty list means that it is accepted."""
    try:
        fields = corrected(codec.contract, msgspec.json.decode(body, type=Tokens))
    except UNREADABLE as error:
        return [Fault("", f"an event must be one JSON object with text in UTF-8: {error}")]
    contract = codec.contract
    known = [field.name for field in contract.fields]
    found = [Fault("", f"a text {reason}") for reason in [nul_fault(body)] if reason]
    found += [Fault(name[:_SHOWN], _unknown(name, known)) for name in fields if name not in known]
    for field in contract.fields:
        if field.name not in fields:
            if field.required:
                found.append(Fault(field.name, f"is missing; it must be {allowed(field)}"))
            continue
        raw = bytes(fields[field.name])
        if reason := _field_fault(field, raw):
            found.append(Fault(field.name, reason))
        elif field.name == contract.event_time and _ahead(raw, now, codec.future):
            found.append(Fault(field.name, f"{_shown(raw)} {too_early(codec.future)}"))
        elif field.outlier and raw != b"null" and (reason := _implausible(field, field.outlier, fields)):
            found.append(Fault(field.name, reason))
    return found


def example(codec: EventCodec, now: datetime) -> dict[str, Any]:
    """An event that keeps the contract, for documentation and for a first try."""
    made = {field.name: _example_value(field, now) for field in codec.contract.fields if field.required}
    codec.decode(json.dumps(made).encode(), now)
    return made


def _example_value(field: Field, now: datetime) -> Any:
    if field.values:
        return field.values[0]
    if field.type == "string":
        return (field.name.removesuffix("_id") + "-0001")[: field.max_length].ljust(field.min_length or 0, "0")
    if field.type == "timestamp":
        return now.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    if field.type == "date":
        return now.date().isoformat()
    if field.type == "boolean":
        return True
    number = min(max(19.99, field.minimum or 0), field.maximum or 19.99)
    return int(number) if field.type == "bigint" else round(number, 2)
