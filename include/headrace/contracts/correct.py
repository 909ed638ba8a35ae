"""Reads the fields of an event as the gate will read them: with the corrections of the contract applied.

A corrected field is sent on as it came, so that raw keeps what the sender wrote and the gate corrects and marks it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from headrace.contracts.corrections import (
    BLANKS,
    BOOLEAN,
    EPOCH,
    EPOCH_MILLIS,
    EPOCH_SECONDS,
    FLOATING,
    NO_ZONE,
    NUMBER,
    PLAIN_NUMBER,
    SPACES,
    UNZONED,
    WHOLE_NUMBER,
    fold,
    respelt,
)
from headrace.contracts.model import Contract, Field

Tokens = dict[str, msgspec.Raw]
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises: text that is not UTF-8, and what is nested too deeply, are no msgspec errors."""
_START = datetime(1970, 1, 1, tzinfo=UTC)
_encode = msgspec.json.encode


def corrected(contract: Contract, given: Mapping[str, msgspec.Raw]) -> Tokens:
    """The JSON of each field, in the spelling that the contract asks for; what cannot be corrected stays as it is."""
    fields = {field.name: field for field in contract.fields}
    return {
        name: msgspec.Raw(_corrected(fields[name], bytes(token))) if name in fields else token
        for name, token in given.items()
    }


def _corrected(field: Field, token: bytes) -> bytes:
    if not token.startswith(b'"'):
        return _moment(field, token.decode()) or token
    try:
        text = msgspec.json.decode(token, type=str)
    except UNREADABLE:
        return token
    if SPACES in field.corrections:
        text = text.strip(BLANKS)
    text = respelt(field).get(fold(text), text)
    return _number(field, text) or _boolean(field, text) or _moment(field, text) or _encode(text)


def _number(field: Field, text: str) -> bytes | None:
    pattern = {"bigint": WHOLE_NUMBER, "double": FLOATING}.get(field.type, PLAIN_NUMBER)
    if NUMBER not in field.corrections or not re.fullmatch(pattern, text):
        return None
    if field.type == "bigint":
        return str(int(Decimal(text))).encode()
    return (str(float(text)) if field.type == "double" else f"{Decimal(text):f}").encode()


def _boolean(field: Field, text: str) -> bytes | None:
    return text.encode() if BOOLEAN in field.corrections and text in ("true", "false") else None


def _moment(field: Field, text: str) -> bytes | None:
    if EPOCH in field.corrections:
        for pattern, unit in ((EPOCH_SECONDS, 1_000_000), (EPOCH_MILLIS, 1_000)):
            if re.fullmatch(pattern, text):
                return _encode(_START + timedelta(microseconds=int(Decimal(text) * unit)))
    if NO_ZONE in field.corrections and re.fullmatch(UNZONED, text):
        return _encode(f"{text}Z")
    return None
