"""Contracts in a real schema registry: what breaks readers is refused."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest

from headrace.contracts.model import Contract, Field, load_contracts
from headrace.contracts.schema import schema_text
from headrace.settings import Settings
from headrace.streams.registry import IncompatibleContract, ensure_subject, ensure_subjects, registry_client


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Settings:
    return start_parts("registry")


@pytest.fixture
def client(settings: Settings) -> Iterator[httpx.Client]:
    with registry_client(settings) as found:
        yield found


@pytest.fixture
def contract(settings: Settings) -> Contract:
    """A copy of the transactions under a name of its own, so that tests leave the real subject alone."""
    return replace(load_contracts(settings.contracts)["transactions"], name=f"probe_{uuid.uuid4().hex[:12]}")


def changed(contract: Contract, name: str, **values: object) -> Contract:
    fields = tuple(replace(f, **values) if f.name == name else f for f in contract.fields)  # type: ignore[arg-type]
    return replace(contract, fields=fields)


def test_every_contract_is_registered_once(settings: Settings) -> None:
    first = ensure_subjects(settings)
    assert {subject.name for subject in first} == {c.subject for c in load_contracts(settings.contracts).values()}
    assert ensure_subjects(settings) == first


def test_an_optional_field_may_come(client: httpx.Client, contract: Contract) -> None:
    first = ensure_subject(client, contract)
    wider = replace(contract, fields=(*contract.fields, Field("note", "string", max_length=100)))
    second = ensure_subject(client, wider)
    assert second.version == first.version + 1
    assert second.schema_id != first.schema_id


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("region", {"required": False}),
        ("amount", {"required": False}),
        ("user_id", {"required": False}),
        ("currency", {"values": ("USD", "EUR", "GBP", "JPY", "BRL", "INR", "CHF")}),
        ("amount", {"maximum": 2_000_000}),
        ("event_id", {"max_length": 128}),
        ("amount", {"type": "decimal(20,4)"}),
    ],
)
def test_a_field_may_become_wider(
    client: httpx.Client, contract: Contract, name: str, values: dict[str, object]
) -> None:
    first = ensure_subject(client, contract)
    assert ensure_subject(client, changed(contract, name, **values)).version == first.version + 1


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("amount", {"type": "string", "minimum": None, "maximum": None}, "amount changed from decimal(18,2) to string"),
        ("order_id", {"required": True}, "order_id became required"),
        ("currency", {"values": ("USD",)}, "currency no longer accepts EUR"),
    ],
)
def test_what_breaks_readers_is_refused_with_409(
    client: httpx.Client, contract: Contract, name: str, values: dict[str, object], words: str
) -> None:
    first = ensure_subject(client, contract)
    broken = changed(contract, name, **values)
    body = {"schemaType": "JSON", "schema": schema_text(broken)}
    assert client.post(f"/subjects/{contract.subject}/versions", json=body).status_code == httpx.codes.CONFLICT
    with pytest.raises(IncompatibleContract) as caught:
        ensure_subject(client, broken)
    assert words in str(caught.value)
    assert ensure_subject(client, contract) == first


def test_a_removed_field_is_refused(client: httpx.Client, contract: Contract) -> None:
    ensure_subject(client, contract)
    with pytest.raises(IncompatibleContract, match="region was removed"):
        ensure_subject(client, replace(contract, fields=contract.fields[:-1]))
