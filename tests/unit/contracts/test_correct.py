"""What ingest takes over from the gate: the same corrections, and the sender's own spelling sent on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from app.ingest.requests import Refusal, read
from headrace.contracts.correct import UNREADABLE, corrected
from headrace.contracts.explain import example, explain
from headrace.contracts.model import ContractError, Field, load_contract, load_contracts
from headrace.contracts.structs import EventCodec, RefusedEvent
from headrace.settings import REPO
from tests.parts.gate_cases import ARRIVED, CASES, GOOD, Case

FOLDER = REPO / "include" / "contracts"
TRANSACTIONS = load_contracts(FOLDER)["transactions"]
CODEC = EventCodec(TRANSACTIONS, future=timedelta(minutes=1))


def token(name: str, given: str) -> str:
    return bytes(corrected(TRANSACTIONS, {name: msgspec.Raw(given.encode())})[name]).decode()


def accepts(value: bytes) -> bool:
    try:
        CODEC.accept(value, ARRIVED)
    except (*UNREADABLE, RefusedEvent):
        return False
    return True


def test_no_two_cases_have_one_name() -> None:
    """Engines answer by name."""
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [case for case in CASES if case.corrected], ids=lambda case: case.name)
def test_ingest_takes_what_the_gate_corrects_and_sends_it_on_as_it_came(case: Case) -> None:
    assert case.value
    assert explain(CODEC, case.value, ARRIVED) == []
    ((_, sent),) = read(CODEC, case.value, ARRIVED)
    given, kept = json.loads(case.value), json.loads(sent)
    for mark in case.corrected:
        name = mark.split(":")[0]
        assert kept[name] == given[name]


@pytest.mark.parametrize("case", [case for case in CASES if case.refusal and case.value], ids=lambda case: case.name)
def test_ingest_sends_nothing_that_the_gate_refuses(case: Case) -> None:
    """It may respell what it understands, as `1e3`; what it sends must then be plain."""
    assert case.value
    try:
        ((_, sent),) = read(CODEC, case.value, ARRIVED)
    except Refusal:
        assert not accepts(case.value)
        return
    assert case.refusal in ("type:amount", "type:event_time", "json")
    assert sent != case.value


def test_a_batch_keeps_tidy_events_compact_and_untidy_ones_as_they_came() -> None:
    tidy, untidy = dict(GOOD), {**GOOD, "event_id": "evt-00000002 ", "amount": "7.10", "user_id": " u2"}
    records = read(CODEC, json.dumps({"events": [tidy, untidy]}).encode(), ARRIVED)
    assert [key for key, _ in records] == ["u1", "u2"], "the key is what the gate will read"
    assert json.loads(records[0][1]) == {**GOOD, "event_time": "2026-05-04T09:59:30Z"}
    assert json.loads(records[1][1]) == untidy


@pytest.mark.parametrize(
    ("name", "given", "read_as"),
    [
        ("amount", '"0012.50"', "12.50"),
        ("amount", '"-0.0"', "-0.0"),
        ("amount", '"1,2"', '"1,2"'),
        ("currency", '"€"', '"EUR"'),
        ("currency", "5", "5"),
        ("event_time", "1777888770", '"2026-05-04T09:59:30Z"'),
        ("event_time", "1777888770.1234569", '"2026-05-04T09:59:30.123456Z"'),
        ("event_time", '"2026-05-04 09:59:30"', '"2026-05-04 09:59:30Z"'),
        ("user_id", "null", "null"),
    ],
)
def test_how_a_field_is_read(name: str, given: str, read_as: str) -> None:
    assert token(name, given) == read_as


def test_a_contract_switches_corrections_off_and_names_its_own() -> None:
    fields = tuple(replace(field, corrected_by=()) for field in TRANSACTIONS.fields)
    strict = EventCodec(replace(TRANSACTIONS, fields=fields), future=timedelta(minutes=1))
    for changes in ({"amount": "12.50"}, {"currency": "eur"}, {"event_time": 1777888770}):
        value = json.dumps({**GOOD, **changes}).encode()
        assert accepts(value)
        assert [fault.field for fault in explain(strict, value, ARRIVED)] == list(changes)


def test_other_types_are_corrected_too() -> None:
    fields = (
        *TRANSACTIONS.fields,
        Field("a", "bigint"),
        Field("b", "double"),
        Field("c", "boolean"),
        Field("d", "date"),
    )
    codec = EventCodec(replace(TRANSACTIONS, fields=fields), future=timedelta(minutes=1))
    sent: dict[str, Any] = {"a": " 12.0", "b": "1.5e3", "c": "TRUE", "d": "2026-01-31 "}
    event, value = codec.accept(json.dumps(GOOD | sent).encode(), ARRIVED)
    assert (event.a, event.b, event.c, str(event.d)) == (12, 1500.0, True, "2026-01-31")
    assert {name: json.loads(value)[name] for name in sent} == sent


def test_an_unknown_correction_is_refused_with_those_there_are(tmp_path: Any) -> None:
    text = (FOLDER / "transactions.yaml").read_text()
    wrong = text.replace(
        "          - property: person\n",
        "          - {property: corrections, value: [spelling]}\n          - property: person\n",
    )
    path = tmp_path / "transactions.yaml"
    path.write_text(wrong)
    with pytest.raises(
        ContractError, match=r"transactions\.yaml: user_id has no correction 'spelling'; there are: spaces"
    ):
        load_contract(path)
    path.write_text(wrong.replace("[spelling]", "[]"))
    assert load_contract(path).field("user_id").corrections == ()


def test_the_example_needs_no_correction() -> None:
    now = datetime(2026, 5, 4, tzinfo=UTC)
    body = json.dumps(example(CODEC, now)).encode()
    assert not CODEC.untidy(body, [CODEC.encode(CODEC.decode(body, now))])
