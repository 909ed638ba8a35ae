from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
import typer
from hypothesis import given
from hypothesis import strategies as st

from headrace.contracts.model import Contract, load_contracts
from headrace.contracts.structs import EventCodec
from headrace.settings import Settings
from headrace.sources.pace import Pace, due
from headrace.sources.sender import NotAcknowledged, Refused, Sender
from headrace.sources.simulate import Options, Simulation, run
from headrace.sources.simulate_cli import shares
from headrace.sources.spoilt import AMOUNT_SPOILERS, SPOILERS

CODECS = {
    name: EventCodec(contract, future=timedelta(minutes=1))
    for name, contract in load_contracts(Settings().contracts).items()
}


class Service:
    """Takes what the real one would take, after some failures."""

    def __init__(self, failures: list[int | Exception] | None = None) -> None:
        self.failures = failures or []
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return httpx.Response(failure, text="told to fail")
        stream = request.url.path.rsplit("/", 1)[1]
        body = json.loads(request.content)
        for event in body.get("events", [body]):
            CODECS[stream].decode(json.dumps(event).encode(), datetime.now(UTC))
            self.events.append((stream, event))
        return httpx.Response(202)


class Direct:
    def __init__(self, _: Settings) -> None:
        self.records: list[bytes] = []

    def send(self, contract: Contract, key: str, value: bytes) -> None:
        with pytest.raises(ValueError):
            CODECS[contract.name].decode(value, datetime.now(UTC))

    def close(self) -> None: ...


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "ingest_api_key").write_text("key")
    return Settings(home=tmp_path)


@pytest.fixture(autouse=True)
def fast_retries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5):
        yield


def sender(settings: Settings, service: Service) -> Sender:
    return Sender(settings, transport=httpx.MockTransport(service))


def simulate(settings: Settings, service: Service, **options: Any) -> dict[str, Any]:
    made = Options(Pace(400), 0.3, **{"entities": "never", "seed": 1, **options})
    return Simulation(settings, made, sender(settings, service), Direct).run()  # type: ignore[arg-type]


def test_events_are_sent_at_the_rate_and_counted(settings: Settings) -> None:
    service = Service()
    report = simulate(settings, service)
    assert report["acknowledged"] == len(service.events) == sum(report["by_stream"].values())
    assert 100 <= report["acknowledged"] <= 145
    assert (settings.run / "simulator.alive").exists()


def test_duplicates_are_the_same_event_again(settings: Settings) -> None:
    service = Service()
    report = simulate(settings, service, duplicate_share=0.3)
    copies = Counter(json.dumps(event, sort_keys=True) for _, event in service.events)
    ids = Counter(event["event_id"] for _, event in service.events)
    assert sum(copies.values()) - len(copies) == sum(ids.values()) - len(ids) == report["duplicates"] > 10


def test_late_events_are_older_than_the_platform_waits_for(settings: Settings) -> None:
    service = Service()
    report = simulate(settings, service, late_share=1.0, streams={"transactions": 1}, mix={"payout": 1})
    limit = datetime.now(UTC) - timedelta(minutes=settings.lateness_minutes)
    assert all(datetime.fromisoformat(event["event_time"]) < limit for _, event in service.events)
    assert report["late"] == len(service.events) > 0


def test_bad_events_go_around_the_service_and_break_their_contract(settings: Settings) -> None:
    service = Service()
    report = simulate(settings, service, bad_share=1.0)
    assert service.events == []
    assert report["bad"] > 0


@pytest.mark.parametrize("kind", SPOILERS | AMOUNT_SPOILERS)
def test_each_kind_of_bad_event_is_bad(kind: str) -> None:
    contract = CODECS["transactions"].contract
    event = {"event_id": "event-0001", "user_id": "u1", "region": "asia", "amount": 1, "event_time": datetime.now(UTC)}
    event |= {"merchant_id": "m1", "transaction_type": "fee", "currency": "USD"}
    with pytest.raises(ValueError):
        CODECS["transactions"].decode((SPOILERS | AMOUNT_SPOILERS)[kind](event, contract), datetime.now(UTC))


def test_entities_come_first_and_once(settings: Settings) -> None:
    service = Service()
    simulate(settings, service, entities="once")
    order = [stream for stream, _ in service.events]
    first = order.index("exchange_rates")
    assert set(order[:first]) == {"merchants", "customers", "products", "accounts"}
    again = Service()
    simulate(settings, again, entities="once")
    assert "customers" not in {stream for stream, _ in again.events}


def test_the_ledger_names_every_acknowledged_event(settings: Settings, tmp_path: Path) -> None:
    service = Service([503])
    simulate(settings, service, ledger=tmp_path / "ledger.jsonl")
    noted = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert [(line["stream"], line["event_id"]) for line in noted] == [(s, e["event_id"]) for s, e in service.events]


def test_a_sender_repeats_until_it_is_acknowledged(settings: Settings) -> None:
    service = Service([httpx.ConnectError("away"), 503, 500])
    with sender(settings, service) as found:
        found.send("exchange_rates", [_rate()])
        assert found.retries == 3
    assert len(service.events) == 1


def test_a_sender_gives_up_in_the_end_and_at_once_where_it_is_refused(settings: Settings) -> None:
    with sender(settings, Service([503] * 9)) as found, pytest.raises(NotAcknowledged, match="503"):
        found.send("exchange_rates", [_rate()])
    with sender(settings, Service([422])) as found, pytest.raises(Refused, match="422"):
        found.send("exchange_rates", [_rate()])


def _rate() -> dict[str, Any]:
    return {"currency": "EUR", "rate_date": "2026-03-01", "updated_at": "2026-03-01T00:00:00Z", "usd_rate": 1.09}


@given(st.floats(0.5, 5_000), st.floats(1, 30))
def test_a_steady_pace_sends_what_was_asked_for(rate: float, seconds: float) -> None:
    now = [0.0]

    def sleep(duration: float) -> None:
        now[0] += duration

    total = sum(due(Pace(rate), seconds, clock=lambda: now[0], sleep=sleep))
    assert abs(total - rate * seconds) <= 1.01


def test_after_a_stall_the_past_is_not_made_up_for() -> None:
    now = [0.0]
    steps = iter([0.1, 100.0, 0.1])
    numbers = due(Pace(10), None, clock=lambda: now[0], sleep=lambda _: now.__setitem__(0, now[0] + next(steps)))
    assert [next(numbers), next(numbers), next(numbers)] == [1, 10, 1]


def test_bursts_are_bursts() -> None:
    pace = Pace(10, "bursts", burst_factor=4)
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    assert (pace.rate_at(2, moment), pace.rate_at(30, moment), pace.rate_at(61, moment)) == (40, 10, 40)


def test_senseless_options_are_refused(settings: Settings) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        run(settings, bad_share=2)
    with pytest.raises(ValueError, match="No stream 'nope'; there are: transactions"):
        run(settings, streams={"nope": 1})
    assert shares("purchase=80, refund=20") == {"purchase": 80, "refund": 20}
    with pytest.raises(typer.BadParameter):
        shares("purchase")


@pytest.mark.parametrize("stream", ["payouts", "application_logs"])
def test_a_trickle_keeps_its_contract_and_can_be_spoilt(settings: Settings, stream: str) -> None:
    service = Service()
    simulate(settings, service, streams={stream: 1})
    assert {name for name, _ in service.events} == {stream}
    for _, event in service.events:
        CODECS[stream].decode(json.dumps(event).encode(), datetime.now(UTC))
    if stream == "payouts":
        assert {event["payout_status"] for _, event in service.events} >= {"requested", "sent", "settled"}
    service = Service()
    report = simulate(settings, service, streams={stream: 1}, bad_share=1.0)
    assert report["bad"] > 0 == len(service.events)
