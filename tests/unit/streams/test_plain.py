"""What is plainly right is told as the gate tells it, and whatever is not is left to the gate."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from headrace.contracts.model import Contract, Field, load_contracts
from headrace.settings import REPO
from headrace.streams.refining.arrow import _plain
from headrace.streams.refining.plain import Plain
from tests.parts.gate_cases import ARRIVED, GOOD

SENT = GOOD | {"event_time": "2026-05-04T09:59:30.500000Z"}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contracts(REPO / "include" / "contracts")["transactions"]


@pytest.fixture(scope="module")
def plain(contract: Contract) -> Plain:
    return Plain(contract, future=timedelta(minutes=1), lateness=timedelta(minutes=5))


def _written(**changes: Any) -> bytes:
    return json.dumps(SENT | changes, separators=(",", ":"), ensure_ascii=False).encode()


def test_what_ingest_writes_is_told_with_every_field_and_in_sparks_spelling(contract: Contract, plain: Plain) -> None:
    told = plain.told(_written(), ARRIVED)
    assert told is not None
    assert (told.stream, told.identity, told.late) == ("transactions", "evt-00000001", False)
    assert told.says == "event_time 2026-05-04 09:59:30.5, amount 12.50"
    assert told.named == ["u1", "m1", None]
    event = json.loads(told.event)
    assert list(event) == [field.name for field in contract.fields]
    assert event["event_time"] == "2026-05-04T09:59:30.500000Z"
    assert event["order_id"] is None
    assert '"amount":12.50' in told.event


def test_zero_has_no_sign(plain: Plain) -> None:
    told = plain.told(_written(amount=-0.0), ARRIVED)
    assert told is not None
    assert told.says.endswith("amount 0.00")


def test_an_event_is_late_from_the_first_microsecond_after_five_minutes(plain: Plain) -> None:
    on_time, late = (
        plain.told(_written(event_time=at), ARRIVED) for at in ("2026-05-04T09:55:00Z", "2026-05-04T09:54:59.999999Z")
    )
    assert on_time is not None and not on_time.late
    assert late is not None and late.late


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"not json",
        b"\xff\xfe",
        json.dumps(SENT).encode(),
        _written(amount="12.50"),
        _written(currency="eur"),
        _written(user_id=" u1"),
        _written(user_id='a"b'),
        _written(order_id=None),
        _written(amount=-1),
        _written(amount=600_000),
        _written(event_time="2026-05-04T10:01:00.000001Z"),
        _written(event_time="2026-05-04T09:59:30"),
        _written(more="than the contract knows"),
        _written().replace(b"12.5", b"1.25e1"),
        _written().replace(b'"user_id":"u1"', b'"user_id":"u0","user_id":"u1"'),
        _written(order_id="x" * 64 + "y"),
        _written(user_id="ä" * 64, merchant_id="ä" * 64, product_id="ä" * 64, order_id="ä" * 64, refund_of="€" * 150),
    ],
)  # fmt: skip
def test_all_else_is_left_to_the_gate(plain: Plain, value: bytes | None) -> None:
    assert plain.told(value, ARRIVED) is None


def test_a_contract_that_makes_no_codec_is_left_to_the_gate(contract: Contract) -> None:
    odd = replace(contract, fields=tuple(replace(field, max_length=1.5) for field in contract.fields))  # type: ignore[arg-type]
    unhashable = replace(contract, description=["One", "transfer"])  # type: ignore[arg-type]
    plain = (_plain(one, timedelta(minutes=1), timedelta(minutes=5)) for one in (odd, unhashable, contract))
    assert [judge is None for judge in plain] == [True, True, False]


def test_a_number_that_java_spells_otherwise_is_left_to_the_gate(contract: Contract) -> None:
    fields = (*contract.fields, Field("weight", "double"))
    plain = Plain(replace(contract, fields=fields), future=timedelta(minutes=1), lateness=timedelta(minutes=5))
    assert plain.told(_written(), ARRIVED) is None
