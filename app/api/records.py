"""One event, or one customer, merchant, product …, by its id: as far as this person may see it, and never unrecorded."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.api.parts import Parts
from app.api.problems import Refused
from app.api.security import require
from headrace.contracts.model import Contract
from headrace.keys.records import Found
from headrace.keys.showing import named_openly, readable, shown, table_of
from headrace.live.records import named_by_one_field
from headrace.policy import Identity, Resource
from headrace.policy.audit import Entry


class OneRecord(BaseModel):
    stream: str
    id: str
    source: str = Field(description="Where it was read now: live, processed or raw.")
    kept_from: str = Field(description="Where it came from when it was kept: topic, processed or raw.")
    at: datetime
    arrived_at: datetime | None
    document: dict[str, Any] = Field(description="The contract's fields; numbers with a fraction are text, as exact.")


def event(parts: Parts, person: Identity, event_id: str, stream: str | None) -> OneRecord:
    contracts = [c for c in parts.contracts().values() if c.kind == "events" and named_by_one_field(c)]
    asked = [c for c in contracts if stream in (None, c.name)]
    if not asked:
        known = ", ".join(c.name for c in contracts)
        raise Refused(404, f"No stream of events is called {stream!r}.", f"There are: {known}.")
    mine = [c for c in asked if readable(person, c)]
    if not mine:
        _refuse(parts, person, asked[0])
    found = parts.records.event(mine, event_id)
    next_step = "An event is in the lake within a minute of its call; `./headrace dlq list` shows what was refused."
    return _answer(parts, person, found, f"event {event_id}", next_step)


def entity(parts: Parts, person: Identity, name: str, key: str) -> OneRecord:
    contract = parts.contracts().get(name)
    field = named_by_one_field(contract) if contract and contract.kind == "entity" else None
    if contract is None or field is None:
        known = (c.name for c in parts.contracts().values() if c.kind == "entity" and named_by_one_field(c))
        raise Refused(404, f"No reference data is called {name!r}.", f"There are: {', '.join(known)}.")
    if not readable(person, contract) or not named_openly(person, contract, field):
        _refuse(parts, person, contract)
    return _answer(parts, person, parts.records.entity(contract, key), f"{name} {key}", "See the id once more.")


def _refuse(parts: Parts, person: Identity, contract: Contract) -> None:
    require(parts, person, "ask", Resource("table", table_of(contract)))
    parts.audit.write(Entry(person.user, "read", table_of(contract), False, {"reason": "masks or row limits"}))
    raise Refused(
        403, f"{person.user} may not read single rows of {contract.name}: they are masked or limited.",
        "Ask an administrator.",
    )  # fmt: skip


def _answer(parts: Parts, person: Identity, found: Found | None, subject: str, next_step: str) -> OneRecord:
    """Handed over only after the read was recorded. Of another's row one learns as much as of none."""
    record = found.record if found else None
    contract = parts.contracts()[record.stream] if record else None
    document = shown(person, contract, record.document, parts.pseudonym_key()) if record and contract else None
    detail = {"stream": record.stream, "source": found.source} if record and found else {"found": False}
    parts.audit.write(Entry(person.user, "read", subject, document is not None, detail))
    if found is None or record is None or document is None:
        raise Refused(404, f"There is no {subject}.", next_step)
    return OneRecord(
        stream=record.stream, id=record.id, source=found.source, kept_from=record.found_in, at=record.at,
        arrived_at=record.arrived_at, document=document,
    )  # fmt: skip
