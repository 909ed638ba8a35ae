from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.contracts.corrections import PLAIN_NUMBER, TIMESTAMP
from headrace.contracts.explain import example, explain
from headrace.contracts.model import load_contracts
from headrace.contracts.structs import EventCodec, RefusedEvent
from headrace.settings import REPO

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONTRACTS = load_contracts(REPO / "include" / "contracts")
CODECS = {name: EventCodec(contract, future=timedelta(minutes=1)) for name, contract in CONTRACTS.items()}
TRANSACTIONS = CODECS["transactions"]


def body(codec: EventCodec = TRANSACTIONS, **changed: Any) -> bytes:
    made = {**example(codec, NOW), **changed}
    return json.dumps({name: value for name, value in made.items() if value != "ABSENT"}).encode()


def accepts(codec: EventCodec, raw: bytes) -> bool:
    try:
        codec.accept(raw, NOW)
    except (msgspec.DecodeError, RefusedEvent):
        return False
    return True


def with_amount(text: str) -> bytes:
    return body(amount="@", currency="INR").replace(b'"@"', text.encode())


@pytest.mark.parametrize("name", CONTRACTS)
def test_example_keeps_its_contract_and_survives_encoding(name: str) -> None:
    codec = CODECS[name]
    event = codec.decode(body(codec), NOW)
    assert json.loads(codec.encode(event)) == example(codec, NOW)


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"currency": "CHF"}, "currency", '"CHF" is not one of USD, EUR'),
        ({"currency": None}, "currency", "is null"),
        ({"user_id": ""}, "user_id", "1 to 64 characters"),
        ({"event_id": "x" * 65}, "event_id", "8 to 64 characters"),
        ({"event_id": 12345678}, "event_id", "12345678 is not text"),
        ({"amount": -0.01}, "amount", "-0.01 is below 0"),
        ({"amount": 1000000.01}, "amount", "above 1000000"),
        (
            {"amount": 600000, "currency": "EUR"},
            "amount",
            "is 600000 with currency EUR; more than 500000 is not plausible",
        ),
        ({"amount": 12.345}, "amount", "more than 2 decimal places"),
        ({"amount": "NaN"}, "amount", "not a number"),
        ({"amount": True}, "amount", "at most 2 decimal places"),
        ({"region": "ABSENT"}, "region", "is missing; it must be one of north_america"),
        ({"amout": 3}, "amout", "did you mean amount?"),
        ({"event_time": "2026-03-01T12:02:00Z"}, "event_time", "1 min ahead"),
        ({"event_time": "2026-03-01"}, "event_time", "a time with its zone"),
        ({"event_time": "0900-03-01T12:00:00Z"}, "event_time", "900 is not a year"),
    ],
)
def test_each_fault_is_refused_and_named(changed: dict[str, Any], field: str, words: str) -> None:
    raw = body(**changed)
    assert not accepts(TRANSACTIONS, raw)
    assert [fault.field for fault in explain(TRANSACTIONS, raw, NOW)] == [field]
    assert words in explain(TRANSACTIONS, raw, NOW)[0].reason


def test_all_faults_of_an_event_are_told_at_once() -> None:
    raw = body(currency="CHF", amount=-1, region="ABSENT")
    assert {fault.field for fault in explain(TRANSACTIONS, raw, NOW)} == {"currency", "amount", "region"}


@pytest.mark.parametrize("raw", [b"", b"[]", b"7", b"{", b'"x"', b'{"a": "\xff"}'])
def test_what_is_no_object_is_explained(raw: bytes) -> None:
    assert not accepts(TRANSACTIONS, raw)
    assert explain(TRANSACTIONS, raw, NOW)


def test_a_minute_ahead_is_still_accepted() -> None:
    assert accepts(TRANSACTIONS, body(event_time="2026-03-01T12:01:00Z"))


def test_moments_are_sent_on_in_utc() -> None:
    event = TRANSACTIONS.decode(body(event_time="2026-03-01T10:00:00.5+05:30"), NOW)
    assert json.loads(TRANSACTIONS.encode(event))["event_time"] == "2026-03-01T04:30:00.500000Z"


@pytest.mark.parametrize("text", ["1e2", "100", "100.00", "100.0000000000000000000000000000", "1.00E+2"])
def test_an_amount_is_sent_on_in_plain_digits(text: str) -> None:
    sent = TRANSACTIONS.encode(TRANSACTIONS.decode(with_amount(text), NOW)).decode()
    (found,) = re.findall(r'"amount":([^,}]*)', sent)
    assert Decimal(found) == 100
    assert re.fullmatch(PLAIN_NUMBER, found)


def test_a_small_rate_is_sent_on_without_exponent() -> None:
    codec = CODECS["exchange_rates"]
    raw = body(codec, usd_rate="@").replace(b'"@"', b"0.00000001")
    assert b'"usd_rate":0.00000001' in codec.encode(codec.decode(raw, NOW))


JSON_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=70),
    st.decimals(-(10**7), 10**7, places=3, allow_nan=False).map(str),
    st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat()),
    st.lists(st.integers(), max_size=2),
)


@given(st.sampled_from(sorted(CONTRACTS)), st.data())
def test_decoder_and_explanation_agree(name: str, data: st.DataObject) -> None:
    codec = CODECS[name]
    field = data.draw(st.sampled_from([f.name for f in codec.contract.fields]))
    raw = body(codec, **{field: data.draw(JSON_VALUES)})
    assert accepts(codec, raw) == (not explain(codec, raw, NOW))


@given(st.decimals(0, 10**6, allow_nan=False))
def test_accepted_amounts_keep_their_value_to_the_cent(amount: Decimal) -> None:
    raw = with_amount(f"{amount:f}")
    fits = amount == amount.quantize(Decimal("0.01"))
    assert accepts(TRANSACTIONS, raw) == fits
    if fits:
        sent = TRANSACTIONS.encode(TRANSACTIONS.decode(raw, NOW))
        assert Decimal(re.findall(rb'"amount":([^,}]*)', sent)[0].decode()) == amount


@given(st.datetimes(max_value=datetime(2026, 3, 1), timezones=st.timezones()))
def test_accepted_moments_are_spelt_as_the_gate_wants(moment: datetime) -> None:
    raw = body(event_time=moment.astimezone(UTC).isoformat()) if moment.year > 1000 else body()
    sent = json.loads(TRANSACTIONS.encode(TRANSACTIONS.decode(raw, NOW)))["event_time"]
    assert re.fullmatch(TIMESTAMP, sent)
