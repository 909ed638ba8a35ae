"""The sample marketplace itself: who sells, who buys and what, the same for the same seed and day of birth.

Each entity has versions (its state from `updated_at` on), so that history and slowly changing dimensions are real.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any, NamedTuple

from headrace.sources.places import (
    ADJECTIVES,
    BASE_RATES,
    CATEGORIES,
    COUNTRIES,
    FAMILY,
    GIVEN,
    SHOP_FIRST,
    SHOP_LAST,
    WHOLE_CURRENCIES,
    Country,
)

MERCHANTS = 120
CUSTOMERS = 2_000
PRODUCTS_EACH = 6


class Version(NamedTuple):
    """One state of one entity, as an event of its stream."""

    stream: str
    updated_at: datetime
    event: dict[str, Any]


@dataclass(frozen=True)
class Merchant:
    id: str
    name: str
    category: str
    country: Country
    tier: str
    owner: str
    signed_up_at: datetime
    weight: float


@dataclass(frozen=True)
class Customer:
    id: str
    name: str
    country: Country
    segment: str
    signed_up_at: datetime
    weight: float


@dataclass(frozen=True)
class Product:
    id: str
    merchant: Merchant
    name: str
    price: Decimal


@dataclass(frozen=True)
class World:
    """Merchants, customers and products with weights to draw them by: few are large, most are small."""

    seed: int
    born: datetime
    merchants: tuple[Merchant, ...]
    customers: tuple[Customer, ...]
    products: dict[str, tuple[Product, ...]]
    merchant_weights: tuple[float, ...] = field(default=())
    customer_weights: tuple[float, ...] = field(default=())

    def merchant(self, rng: random.Random) -> Merchant:
        return rng.choices(self.merchants, cum_weights=self.merchant_weights)[0]

    def customer(self, rng: random.Random) -> Customer:
        return rng.choices(self.customers, cum_weights=self.customer_weights)[0]


def build(seed: int, anchor: datetime, history_days: int) -> World:
    """The world whose history ends at the anchor: a part of its people joined during that history."""
    rng = random.Random(f"{seed}:world")
    born = (anchor - timedelta(days=history_days)).replace(hour=0, minute=0, second=0, microsecond=0)
    customers = tuple(_customer(rng, number, born, history_days) for number in range(1, CUSTOMERS + 1))
    merchants = tuple(_merchant(rng, number, born, customers) for number in range(1, MERCHANTS + 1))
    products = {merchant.id: tuple(_products(rng, merchant)) for merchant in merchants}
    world = World(seed, born, merchants, customers, products)
    return replace(
        world,
        merchant_weights=tuple(accumulate(m.weight for m in merchants)),
        customer_weights=tuple(accumulate(c.weight for c in customers)),
    )


def _country(rng: random.Random) -> Country:
    return rng.choices(COUNTRIES, weights=[c.weight for c in COUNTRIES])[0]


def _before(rng: random.Random, moment: datetime, days: float) -> datetime:
    return moment - timedelta(seconds=rng.randrange(1, int(days * 86_400)))


def _customer(rng: random.Random, number: int, born: datetime, history_days: int) -> Customer:
    joined = _before(rng, born, 700)
    if number % 8 == 0:
        joined = born + timedelta(seconds=rng.randrange(max(1, history_days) * 80_000))
    return Customer(
        id=f"u{number:05d}",
        name=f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}",
        country=_country(rng),
        segment=rng.choices(("new", "regular", "loyal", "business"), weights=(20, 50, 22, 8))[0],
        signed_up_at=joined,
        weight=rng.paretovariate(1.6),
    )


def _merchant(rng: random.Random, number: int, born: datetime, customers: tuple[Customer, ...]) -> Merchant:
    # Every country has merchants, whatever the draw: the first ones go round.
    country = COUNTRIES[number - 1] if number <= len(COUNTRIES) else _country(rng)
    return Merchant(
        id=f"m{number:04d}",
        name=f"{SHOP_FIRST[(number - 1) % len(SHOP_FIRST)]} {SHOP_LAST[(number - 1) // len(SHOP_FIRST) % len(SHOP_LAST)]}",
        category=rng.choice(list(CATEGORIES)),
        country=country,
        tier=rng.choices(("standard", "plus", "premier"), weights=(70, 22, 8))[0],
        owner=rng.choice(customers).id,
        signed_up_at=_before(rng, born, 900),
        weight=min(rng.paretovariate(1.3), 12.0) * country.weight,
    )


def _products(rng: random.Random, merchant: Merchant) -> Iterator[Product]:
    typical, things = CATEGORIES[merchant.category]
    for number in range(1, PRODUCTS_EACH + 1):
        usd = typical * rng.lognormvariate(0, 0.8)
        price = money(usd / BASE_RATES[merchant.country.currency], merchant.country.currency)
        yield Product(f"p{merchant.id[1:]}-{number}", merchant, f"{rng.choice(ADJECTIVES)} {things[number - 1]}", price)


def money(value: float, currency: str) -> Decimal:
    """An amount as it can be paid: whole where the currency has no cents, never nothing, never above the contract's maximum."""
    if currency in WHOLE_CURRENCIES:
        return Decimal(min(max(round(value), 1), 1_000_000))
    return Decimal(min(max(round(value * 100), 1), 100_000_000)).scaleb(-2)


def utc_now() -> datetime:
    return datetime.now(UTC)
