"""The world's entities as events: each one's first state, and for some a later change."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from headrace.sources.world import Customer, Merchant, Product, Version, World, money

_ACCOUNT_TYPES = ("wallet", "card", "bank")


def versions(world: World, through: datetime) -> list[Version]:
    """Every state of every entity that began before a moment, oldest first."""
    found = [v for v in _all(world, (through - world.born).total_seconds()) if v.updated_at < through]
    return sorted(found, key=lambda v: (v.updated_at, v.stream))


def current(world: World, at: datetime) -> list[Version]:
    """The newest state of every entity."""
    newest: dict[tuple[str, str], Version] = {}
    for version in versions(world, at):
        newest[version.stream, _key(version)] = version
    return list(newest.values())


def _key(version: Version) -> str:
    return str(next(iter(version.event.values())))


@dataclass(frozen=True)
class _Change:
    """What may happen to an entity of a stream during the history, and how likely."""

    share: float
    apply: Callable[[dict[str, Any]], dict[str, Any]]


def _all(world: World, seconds: float) -> Iterator[Version]:
    rng = random.Random(f"{world.seed}:entities")
    for stream, event in _first_states(rng, world):
        change, began = _CHANGES[stream], event["updated_at"]
        yield Version(stream, began, event)
        drawn, when = rng.random(), rng.random()
        moment = max(began, world.born) + timedelta(seconds=int(when * seconds))
        if drawn < change.share and moment > began:
            yield Version(stream, moment, {**event, **change.apply(event), "updated_at": moment})


def _first_states(rng: random.Random, world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    for merchant in world.merchants:
        yield "merchants", merchant_event(merchant)
        for product in world.products[merchant.id]:
            yield "products", product_event(product)
    for customer in world.customers:
        yield "customers", customer_event(customer)
        yield "accounts", account_event(rng, customer)


def _promote(event: dict[str, Any]) -> dict[str, Any]:
    return {"tier": "premier" if event["tier"] == "plus" else "plus"}


def _reprice(event: dict[str, Any]) -> dict[str, Any]:
    price: Decimal = event["price"]
    return {"price": money(float(price) * 1.08, event["currency"])}


def _resegment(event: dict[str, Any]) -> dict[str, Any]:
    return {"segment": "loyal" if event["segment"] == "regular" else "regular"}


def _freeze(_: dict[str, Any]) -> dict[str, Any]:
    return {"status": "frozen"}


_CHANGES = {
    "merchants": _Change(0.06, _promote),
    "products": _Change(0.2, _reprice),
    "customers": _Change(0.08, _resegment),
    "accounts": _Change(0.03, _freeze),
}


def merchant_event(merchant: Merchant) -> dict[str, Any]:
    return {
        "merchant_id": merchant.id,
        "updated_at": merchant.signed_up_at,
        "name": merchant.name,
        "category": merchant.category,
        "country": merchant.country.code,
        "region": merchant.country.region,
        "currency": merchant.country.currency,
        "tier": merchant.tier,
        "status": "active",
        "signed_up_at": merchant.signed_up_at,
    }


def product_event(product: Product) -> dict[str, Any]:
    return {
        "product_id": product.id,
        "updated_at": product.merchant.signed_up_at,
        "merchant_id": product.merchant.id,
        "name": product.name,
        "category": product.merchant.category,
        "price": product.price,
        "currency": product.merchant.country.currency,
        "status": "listed",
    }


def customer_event(customer: Customer) -> dict[str, Any]:
    mailbox = customer.name.lower().replace(" ", ".")
    return {
        "customer_id": customer.id,
        "updated_at": customer.signed_up_at,
        "name": customer.name,
        "email": f"{mailbox}.{customer.id}@example.com",
        "country": customer.country.code,
        "region": customer.country.region,
        "segment": customer.segment,
        "signed_up_at": customer.signed_up_at,
    }


def account_event(rng: random.Random, customer: Customer) -> dict[str, Any]:
    return {
        "account_id": f"a{customer.id[1:]}",
        "updated_at": customer.signed_up_at,
        "customer_id": customer.id,
        "account_type": rng.choices(_ACCOUNT_TYPES, weights=(30, 55, 15))[0],
        "account_number": f"**** {rng.randrange(10_000):04d}",
        "currency": customer.country.currency,
        "status": "open",
        "opened_at": customer.signed_up_at,
    }
