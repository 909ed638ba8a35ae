"""Events of every contract as ingest writes them, with all that a field may hold, and the gate's own cases beside them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

from headrace.contracts.correct import UNREADABLE
from headrace.contracts.model import Contract, Field
from headrace.contracts.structs import EventCodec, RefusedEvent
from tests.parts.gate_cases import ARRIVED, CASES

_EACH = 60
_TEXTS = (
    "plain",
    "two words",
    "größer",
    "日本",
    "a:b,c",
    "{brace}",
    "it's",
    "100%",
    'quo"ted',
    "back\\slash",
    " blank",
)
_ENDS = ("", ".5", ".25", ".123456", ".000001")
_NUMBERS = ("0", "-0.0", "0.00000001", "1", "7.5", "12.50", "999.99", "0.05", "1e3", '"4.5"')


def records(contracts: dict[str, Contract]) -> Iterator[tuple[Contract, bytes | None]]:
    transactions = contracts["transactions"]
    for case in CASES:
        yield from _both(transactions, case.value)
    rng = random.Random(5)
    for contract in contracts.values():
        yield contract, None
        for _ in range(_EACH):
            yield from _both(contract, _made(contract, rng))


def _both(contract: Contract, value: bytes | None) -> Iterator[tuple[Contract, bytes | None]]:
    """As it is, and as the codec writes it where it reads it."""
    yield contract, value
    codec = _codec(contract)
    try:
        yield contract, codec.encode(codec.decode(value or b"", ARRIVED))
    except (*UNREADABLE, RefusedEvent):
        return


@cache
def _codec(contract: Contract) -> EventCodec:
    return EventCodec(contract, future=timedelta(minutes=1))


def _made(contract: Contract, rng: random.Random) -> bytes:
    fields = [field for field in contract.fields if field.required or rng.random() < 0.6]
    return ("{" + ",".join(f'"{field.name}":{_token(field, rng)}' for field in fields) + "}").encode()


def _token(field: Field, rng: random.Random) -> str:
    if field.values:
        return json.dumps(rng.choice(field.values))
    if field.type == "timestamp":
        back = timedelta(seconds=rng.choice((0, 1, 40, 299, 300, 301, 4_000)))
        return json.dumps((ARRIVED - back).strftime("%Y-%m-%dT%H:%M:%S") + rng.choice(_ENDS) + "Z")
    made: dict[str, Any] = {
        "date": '"2026-05-04"',
        "boolean": rng.choice(("true", "false")),
        "bigint": str(rng.randint(0, 99)),
    }
    if field.type in made:
        return str(made[field.type])
    if field.type != "string":
        return rng.choice(_NUMBERS)
    text = rng.choice(_TEXTS)
    return json.dumps((text * (field.min_length or 1))[: field.max_length], ensure_ascii=rng.random() < 0.2)
