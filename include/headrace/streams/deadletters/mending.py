"""A person corrects a refused document; what keeps its contract now is sent in place of the original.

The check is the one at the REST door, whose yes means that the gate of the Spark jobs accepts it too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from headrace.contracts.explain import Fault, explain
from headrace.contracts.model import Contract, load_contracts
from headrace.contracts.structs import EventCodec
from headrace.policy import Identity
from headrace.policy.audit import Audit, Entry
from headrace.policy.permit import permit
from headrace.settings import Settings
from headrace.streams.deadletters.letter import DeadLetter
from headrace.streams.deadletters.permit import SETTLE
from headrace.streams.deadletters.reading import one
from headrace.streams.deadletters.sending import Again, Sender
from headrace.streams.deadletters.settling import Outcome, send_again, words
from headrace.streams.deadletters.states import states

_HIDDEN = "(names a person)"


class CannotMend(ValueError):
    """The correction cannot be applied; the message says how else to give it."""


@dataclass(frozen=True)
class Correction:
    """A whole document, or single fields on top of the original."""

    document: bytes | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    without: Sequence[str] = ()


@dataclass(frozen=True)
class Mended:
    letter: DeadLetter
    document: bytes
    faults: Sequence[Fault]
    outcome: Outcome | None = None


def codec_of(settings: Settings, letter: DeadLetter) -> EventCodec:
    for contract in load_contracts(settings.contracts).values():
        if contract.topic == letter.home:
            return EventCodec(contract, future=timedelta(minutes=settings.future_minutes))
    raise CannotMend(f"{letter.home} is the topic of no contract, so nothing can be sent to it.")


def faults(codec: EventCodec, body: bytes | None) -> list[Fault]:
    """What the contract now says about these bytes; nothing means that they would pass."""
    return explain(codec, body or b"", datetime.now(UTC))


def corrected(letter: DeadLetter, contract: Contract, correction: Correction) -> bytes:
    """The document as the person wants it, each other character as it was."""
    document = letter.value if correction.document is None else correction.document
    if not correction.fields and not correction.without:
        return document or b""
    found = _fields(document)
    if found is None:
        raise CannotMend(
            "These bytes are not one JSON object, so no field can be set: give the whole document (--file)."
        )
    for name, text in correction.fields.items():
        found[name] = _value(contract, name, text)
    return msgspec.json.encode({name: raw for name, raw in found.items() if name not in correction.without})


def _fields(document: bytes | None) -> dict[str, msgspec.Raw] | None:
    try:
        return msgspec.json.decode(document or b"", type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return None


def _value(contract: Contract, name: str, text: str) -> msgspec.Raw:
    """As the contract's type spells it: text in quotes, everything else as typed."""
    kinds = {known.name: known.type for known in contract.fields}
    if kinds.get(name) not in ("string", "timestamp", "date"):
        try:
            json.loads(text)
            return msgspec.Raw(text.encode())
        except ValueError:
            pass
    return msgspec.Raw(json.dumps(text).encode())


def changes(contract: Contract, old: bytes | None, new: bytes) -> dict[str, Any]:
    """Field -> old and new value, for the record; what names a person stays out of it."""
    before, after = _fields(old) or {}, _fields(new) or {}
    found = {}
    for name in sorted(before.keys() | after.keys()):
        pair = {"old": _text(before.get(name)), "new": _text(after.get(name))}
        if pair["old"] != pair["new"]:
            found[name] = _HIDDEN if name in contract.person_fields else pair
    return found


def _side(changed: Mapping[str, Any], side: str) -> dict[str, Any]:
    return {name: pair if pair == _HIDDEN else pair[side] for name, pair in changed.items()}


def _text(raw: msgspec.Raw | None) -> str | None:
    return None if raw is None else bytes(raw).decode("utf-8", "replace")[:200]


def fix(
    settings: Settings, person: Identity, name: str, correction: Correction, audit: Audit, *, correlation_id: str
) -> Mended:
    """Checks the corrected document; one without faults is sent in place of the original, once."""
    permit(person, SETTLE, "fix_letter", name, audit)
    letter = one(settings, name)
    codec = codec_of(settings, letter)
    document = corrected(letter, codec.contract, correction)
    if found := faults(codec, document):
        return Mended(letter, document, found)
    event, value = codec.accept(document, datetime.now(UTC))
    again = Again(letter, str(getattr(event, codec.contract.key)).encode(), value)
    outcome = Outcome(correlation_id)
    with states(settings) as known, known.alone():
        if (state := known.of([letter]).get(name)) and state.settled:
            raise CannotMend(f"{name} was {words(state)}.")
        changed = changes(codec.contract, letter.value, again.value or b"")
        detail = {"correlation_id": correlation_id, "changed": changed}
        audit.write(Entry(person.user, "fix_letter", name, True, detail, _side(changed, "old"), _side(changed, "new")))
        send_again(settings, known, Sender(settings), [again], person, outcome, f"fixed: {', '.join(changed)}")
    return Mended(letter, document, (), outcome)
