from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from headrace.contracts.model import load_contracts
from headrace.contracts.structs import EventCodec
from headrace.settings import Settings
from headrace.sources.history import history_end, write_history

NOW = datetime(2026, 3, 1, 9, 30, 41, tzinfo=UTC)
END = NOW.replace(second=0)
BEGIN_LIVE = {"application_logs", "payouts"}
"""Streams without a past."""


def settings_in(folder: Path) -> Settings:
    return Settings(home=folder, history_days=6, history_per_day=150)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    write_history(settings_in(folder), NOW)
    return folder


@pytest.fixture(scope="module")
def events(home: Path) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in sorted((home / "landing").glob("*/*.jsonl")):
        lines = path.read_text().splitlines()
        found[path.parent.name] += [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines]
    return found


def test_every_line_keeps_its_contract_and_lies_before_the_end(home: Path) -> None:
    contracts = load_contracts(settings_in(home).contracts)
    for path in (home / "landing").glob("*/*.jsonl"):
        codec = EventCodec(contracts[path.parent.name], future=timedelta())
        for line in path.read_bytes().splitlines():
            event = codec.decode(line, END)
            assert getattr(event, codec.contract.event_time) < END


def test_every_stream_has_a_history(events: dict[str, Any]) -> None:
    sent = {c.name for c in load_contracts(Settings().contracts).values() if not c.own}
    assert set(events) == sent - BEGIN_LIVE
    assert 700 < len(events["transactions"]) < 1_000


def test_ids_are_unique_and_kinds_mixed(events: dict[str, Any]) -> None:
    for stream in ("transactions", "orders", "app_events"):
        ids = [event["event_id"] for event in events[stream]]
        assert len(ids) == len(set(ids))
    assert {e["transaction_type"] for e in events["transactions"]} == {"purchase", "refund", "fee", "payout"}


def test_a_refund_takes_back_one_earlier_purchase_and_no_more_than_was_paid(events: dict[str, Any]) -> None:
    purchases = {e["event_id"]: e for e in events["transactions"] if e["transaction_type"] == "purchase"}
    refunds = [e for e in events["transactions"] if e["transaction_type"] == "refund"]
    assert len({refund["refund_of"] for refund in refunds}) == len(refunds) > 10
    for refund in refunds:
        purchase = purchases[refund["refund_of"]]
        assert purchase["event_time"] < refund["event_time"]
        assert refund["amount"] <= purchase["amount"]
        assert all(refund[name] == purchase[name] for name in ("user_id", "merchant_id", "currency", "product_id"))


def test_an_order_is_placed_before_it_is_shipped_and_delivered(events: dict[str, Any]) -> None:
    steps: dict[str, list[str]] = defaultdict(list)
    for event in sorted(events["orders"], key=lambda event: event["event_time"]):
        steps[event["order_id"]].append(event["order_status"])
    allowed = (["placed", "shipped", "delivered"], ["placed", "cancelled"])
    assert all(any(found == way[: len(found)] for way in allowed) for found in steps.values())
    assert {tuple(found) for found in steps.values()} >= {("placed",), ("placed", "shipped", "delivered")}


def test_amounts_have_a_heavy_tail(events: dict[str, Any]) -> None:
    paid = sorted(
        e["amount"] for e in events["transactions"] if e["currency"] == "USD" and e["transaction_type"] == "purchase"
    )
    assert paid[-1] > 8 * paid[len(paid) // 2]


def test_writing_again_changes_nothing_and_keeps_the_first_end(home: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (home / "landing").glob("*/*")}
    report = write_history(settings_in(home), NOW + timedelta(days=3))
    assert report.through == history_end(settings_in(home)) == END
    assert {path: path.stat().st_mtime_ns for path in (home / "landing").glob("*/*")} == before


def test_an_interrupted_run_is_completed_with_the_same_lines(home: Path, tmp_path: Path) -> None:
    class Interrupted(Exception): ...

    def stop(done: int, _: int) -> None:
        if done == 3:
            raise Interrupted

    with pytest.raises(Interrupted):
        write_history(settings_in(tmp_path), NOW, stop)
    write_history(settings_in(tmp_path), NOW + timedelta(hours=1))
    first = {p.relative_to(home): p.read_bytes() for p in (home / "landing").glob("*/*")}
    assert {p.relative_to(tmp_path): p.read_bytes() for p in (tmp_path / "landing").glob("*/*")} == first
