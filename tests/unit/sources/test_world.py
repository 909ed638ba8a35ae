from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.contracts.model import load_contracts
from headrace.contracts.structs import EventCodec
from headrace.settings import REPO, Settings
from headrace.sources.entities import current, versions
from headrace.sources.places import BASE_RATES
from headrace.sources.rates import rate, rates, write_csv
from headrace.sources.season import HOURS, intensity, moments
from headrace.sources.sender import _encode
from headrace.sources.world import build, money

ANCHOR = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
WORLD = build(7, ANCHOR, 90)
CODECS = {
    name: EventCodec(contract, future=timedelta(minutes=1))
    for name, contract in load_contracts(REPO / "include" / "contracts").items()
}


def test_the_same_seed_makes_the_same_world() -> None:
    assert build(7, ANCHOR, 90) == WORLD
    assert versions(build(7, ANCHOR, 90), ANCHOR) == versions(WORLD, ANCHOR)
    assert build(8, ANCHOR, 90) != WORLD


def test_the_world_is_as_large_and_varied_as_promised() -> None:
    assert len(WORLD.merchants) == 120
    assert len(WORLD.customers) == 2_000
    assert {m.country.region for m in WORLD.merchants} == {"north_america", "south_america", "europe", "asia"}
    assert {m.country.currency for m in WORLD.merchants} == set(BASE_RATES)
    assert len({m.name for m in WORLD.merchants}) == 120


def test_every_state_of_every_entity_keeps_its_contract() -> None:
    for version in versions(WORLD, ANCHOR):
        CODECS[version.stream].decode(_encode(version.event), ANCHOR)


def test_entities_change_and_only_the_newest_state_is_current() -> None:
    states = versions(WORLD, ANCHOR)
    now = current(WORLD, ANCHOR)
    assert all(state.updated_at < ANCHOR for state in states)
    keys = Counter((v.stream, next(iter(v.event.values()))) for v in states)
    assert len(now) == len(keys) < len(states)
    assert max(keys.values()) == 2


@given(st.sampled_from(sorted(BASE_RATES)), st.dates(date(2020, 1, 1), date(2035, 1, 1)))
def test_a_rate_depends_on_nothing_but_currency_and_day(currency: str, day: date) -> None:
    found = rate(7, currency, day)
    assert found == rate(7, currency, day)
    assert abs(float(found.usd_rate) / BASE_RATES[currency] - 1) < 0.08
    CODECS["exchange_rates"].decode(_encode(found.event()), datetime(2036, 1, 1, tzinfo=UTC))


def test_rates_cover_every_day_and_go_to_a_file(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    start, end = date(2026, 1, 1), date(2026, 1, 31)
    assert len(list(rates(settings, start, end))) == 31 * len(BASE_RATES)
    assert write_csv(settings, tmp_path / "rates.csv", start, end) == 31 * len(BASE_RATES)
    header, first, *_ = (tmp_path / "rates.csv").read_text().splitlines()
    assert header == "currency,rate_date,usd_rate,updated_at"
    assert first.startswith("USD,2026-01-01,1,")


@given(st.floats(0, 10**9), st.sampled_from(sorted(BASE_RATES)))
def test_money_can_be_paid(value: float, currency: str) -> None:
    amount = money(value, currency)
    assert 0 < amount <= 1_000_000
    assert amount == amount.quantize(Decimal(1) if currency == "JPY" else Decimal("0.01"))


@given(st.datetimes(timezones=st.just(UTC)))
def test_there_is_always_some_traffic_and_never_too_much(moment: datetime) -> None:
    assert 0.1 < intensity(moment) < 3


def test_moments_of_a_day_are_in_order_and_follow_the_hours() -> None:
    found = moments(random.Random(1), date(2026, 3, 1), 20_000)
    assert found == sorted(found)
    assert {moment.date() for moment in found} == {date(2026, 3, 1)}
    counts = Counter(moment.hour for moment in found)
    assert all(counts[hour] / 20_000 * 24 == pytest.approx(share, abs=0.2) for hour, share in enumerate(HOURS))
