from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest

from headrace.contracts.explain import example
from headrace.contracts.model import Contract, Field, load_contracts
from headrace.contracts.schema import changes, json_schema, schema_text
from headrace.contracts.structs import EventCodec
from headrace.settings import REPO

CONTRACTS = load_contracts(REPO / "include" / "contracts")
TRANSACTIONS = CONTRACTS["transactions"]


def changed(name: str, **values: object) -> Contract:
    fields = tuple(replace(f, **values) if f.name == name else f for f in TRANSACTIONS.fields)  # type: ignore[arg-type]
    return replace(TRANSACTIONS, fields=fields)


def reasons(new: Contract) -> list[str]:
    return changes(json_schema(TRANSACTIONS), json_schema(new))


@pytest.mark.parametrize("name", CONTRACTS)
def test_an_event_that_the_decoder_accepts_fits_the_schema(name: str) -> None:
    codec = EventCodec(CONTRACTS[name], future=timedelta(minutes=1))
    event = example(codec, datetime(2026, 3, 1, tzinfo=UTC))
    jsonschema.validate(event, json_schema(CONTRACTS[name]))


def test_the_text_is_stable() -> None:
    assert schema_text(TRANSACTIONS) == schema_text(TRANSACTIONS)
    assert json.loads(schema_text(TRANSACTIONS)) == json_schema(TRANSACTIONS)


def test_what_readers_survive_is_no_change() -> None:
    wider = replace(TRANSACTIONS, fields=(*TRANSACTIONS.fields, Field("note", "string", max_length=10)))
    assert reasons(wider) == []
    assert reasons(changed("currency", values=(*TRANSACTIONS.field("currency").values, "CHF"))) == []
    assert reasons(changed("amount", maximum=2_000_000)) == []
    assert reasons(changed("region", required=False)) == []
    assert reasons(changed("amount", type="decimal(20,4)")) == []


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (replace(TRANSACTIONS, fields=TRANSACTIONS.fields[:-1]), "region was removed"),
        (changed("order_id", required=True), "order_id became required"),
        (changed("amount", type="string", minimum=None, maximum=None), "amount changed from decimal(18,2) to string"),
        (changed("amount", type="decimal(18,4)"), "amount changed from decimal(18,2) to decimal(18,4)"),
        (changed("event_time", type="date"), "event_time changed from timestamp to date"),
        (changed("currency", values=("USD",)), "currency no longer accepts EUR"),
        (changed("amount", maximum=10), "amount: maximum tightened from 1000000 to 10"),
        (changed("event_id", min_length=9), "event_id: minLength tightened from 8 to 9"),
        (
            replace(TRANSACTIONS, fields=(*TRANSACTIONS.fields, Field("x", "string", required=True))),
            "x is new and required",
        ),
    ],
)
def test_what_breaks_readers_is_named(new: Contract, words: str) -> None:
    assert any(words in reason for reason in reasons(new)), reasons(new)
