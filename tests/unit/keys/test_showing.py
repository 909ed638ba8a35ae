"""A single record under the policy: masks, pseudonyms as Trino makes them, rows of others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from headrace.contracts.model import load_contracts
from headrace.keys import showing
from headrace.keys.lake import LakeRecords
from headrace.live.records import Record, named_by_one_field, record_of, text_of, version_of
from headrace.policy import Identity
from headrace.settings import get_settings

CONTRACTS = load_contracts(get_settings().contracts)
ADMIN, ANALYST, VIEWER = (Identity(role, (role,)) for role in ("admin", "analyst", "viewer"))
CUSTOMER = {"customer_id": "c1", "name": "Ann", "email": "a@example.com", "region": "asia"}


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(showing, "row_limits", lambda _: {"region": ("europe",)})
    yield


def test_who_may_read_rows_at_all() -> None:
    assert showing.readable(ADMIN, CONTRACTS["transactions"])
    assert showing.readable(ANALYST, CONTRACTS["transactions"])
    assert not showing.readable(VIEWER, CONTRACTS["transactions"])
    assert showing.readable(VIEWER, CONTRACTS["merchants"])
    assert not showing.readable(VIEWER, CONTRACTS["customers"])


def test_masks_are_those_of_trino() -> None:
    assert showing.shown(ADMIN, CONTRACTS["customers"], CUSTOMER, "k") == CUSTOMER
    found = showing.shown(ANALYST, CONTRACTS["customers"], CUSTOMER, "k")
    assert found is not None and (found["name"], found["email"], found["region"]) == (None, None, "asia")
    assert len(found["customer_id"]) == 64 and found["customer_id"] != "c1"
    assert not showing.named_openly(ANALYST, CONTRACTS["customers"], "customer_id")
    assert showing.named_openly(ANALYST, CONTRACTS["merchants"], "merchant_id")


def test_rows_of_others_are_not_there(limited: None) -> None:
    assert showing.shown(ADMIN, CONTRACTS["customers"], CUSTOMER, "k") is None
    assert showing.readable(ADMIN, CONTRACTS["customers"])
    assert not showing.readable(ADMIN, CONTRACTS["products"])


def test_a_record_survives_being_kept() -> None:
    at = datetime(2026, 11, 21, 10, 0, 0, 123456, UTC)
    record = Record("customers", "c1", version_of(at), at, None, CUSTOMER, "topic")
    assert record_of(text_of(record)) == record
    assert version_of(at) % 1_000_000 == 123_456


def test_one_id_names_an_event_or_an_entity_but_not_a_rate() -> None:
    assert named_by_one_field(CONTRACTS["orders"]) == "event_id"
    assert named_by_one_field(CONTRACTS["customers"]) == "customer_id"
    assert named_by_one_field(CONTRACTS["exchange_rates"]) is None


def test_the_lake_is_asked_for_little_and_never_in_the_words_of_the_caller() -> None:
    lake = LakeRecords(lambda: None, lambda _: datetime(2026, 11, 21, 10, tzinfo=UTC), 1)  # type: ignore[arg-type, return-value]
    sql = lake._raw(CONTRACTS["transactions"], "event_id", "abc-1")
    assert "arrived_at >= timestamp '2026-11-21 09:00:00 UTC' AND strpos(from_utf8(value), 'abc-1') > 0" in sql
    assert "value is null" not in sql, "an event is never deleted"
    deleted = "select max(arrived_at) from lake.raw.merchants where value is null and key = 'm-1'"
    assert f"and coalesce(updated_at > ({deleted}), true)" in lake._raw(CONTRACTS["merchants"], "merchant_id", "m-1")
    odd = lake._raw(CONTRACTS["transactions"], "event_id", "a' or true --")
    assert "event_id = 'a'' or true --'" in odd and "strpos(from_utf8(value), 'a" not in odd
