"""From a request's body to checked events, or to the refusal that tells the sender what to change.

A batch is accepted or refused as a whole: a sender never has to find out which part of it went through. Sending again
what was refused or not acknowledged is safe, as a repeat of an event_id is the same event.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec

from app.ingest.limits import BATCH_EVENTS, EVENT_BYTES, FAULTS_SHOWN
from headrace.contracts.correct import UNREADABLE
from headrace.contracts.explain import Fault, explain
from headrace.contracts.structs import EventCodec, RefusedEvent


class Refusal(Exception):
    """An answer that is not 202, with what the sender needs to correct the request."""

    def __init__(self, status: HTTPStatus, message: str, **detail: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail


class _Envelope(msgspec.Struct):
    events: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


_envelope = msgspec.json.Decoder(_Envelope)


def stream_codec(codecs: Mapping[str, EventCodec], stream: str) -> EventCodec:
    codec = codecs.get(stream)
    if codec is None:
        raise Refusal(HTTPStatus.NOT_FOUND, f"No stream {stream[:60]!r}; there are: {', '.join(sorted(codecs))}.")
    return codec


def read(codec: EventCodec, body: bytes, now: datetime) -> list[tuple[str, bytes]]:
    """Key and value of each record, from a body that holds one event or {"events": [...]}."""
    try:
        # A guess by the first bytes; where it is wrong, the slow path finds out.
        events = codec.decode_batch(body, now) if b'"events"' in body[:64] else [codec.decode(body, now)]
        accepted = [(event, codec.encode(event)) for event in events]
        if codec.untidy(body, (value for _, value in accepted)):
            accepted = _read_slowly(codec, body, now)
    except (*UNREADABLE, RefusedEvent):
        accepted = _read_slowly(codec, body, now)
    _limit_count(len(accepted))
    for index, (_, value) in enumerate(accepted):
        if len(value) > EVENT_BYTES:
            raise _too_large(index, len(value))
    key = codec.contract.key
    return [(str(getattr(event, key)), value) for event, value in accepted]


def _read_slowly(codec: EventCodec, body: bytes, now: datetime) -> list[tuple[Any, bytes]]:
    """Event by event: leaves to the gate what it corrects, and words every fault of every event."""
    try:
        envelope = _envelope.decode(body)
    except UNREADABLE as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, f'Send one JSON object, or {{"events": [...]}}: {error}.') from None
    raws = [body] if isinstance(envelope.events, msgspec.UnsetType) else [bytes(raw) for raw in envelope.events]
    _limit_count(len(raws))
    if errors := [_error(index, fault) for index, raw in enumerate(raws) for fault in explain(codec, raw, now)]:
        raise Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"Nothing was accepted: {len({e['index'] for e in errors})} of {len(raws)} events break the contract "
            f"{codec.contract.name} {codec.contract.version}.",
            errors=errors[:FAULTS_SHOWN],
            errors_total=len(errors),
        )
    return [codec.accept(raw, now) for raw in raws]


def _error(index: int, fault: Fault) -> dict[str, Any]:
    return {"index": index, "field": fault.field, "reason": fault.reason}


def _limit_count(count: int) -> None:
    if count == 0:
        raise Refusal(HTTPStatus.BAD_REQUEST, "The batch is empty: send at least one event.")
    if count > BATCH_EVENTS:
        raise Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{count} events in one batch; send at most {BATCH_EVENTS} at a time."
        )


def _too_large(index: int, size: int) -> Refusal:
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Event {index} has {size} bytes; an event may have at most {EVENT_BYTES}."
    )
