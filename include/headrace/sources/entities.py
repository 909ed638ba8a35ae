"""The world's entities as events: each one's first state, and for some a later change."""

from __future__ import annotations

import random
from collections.abc import Iterator
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


def _all(world: World, seconds: float) -> Iterator[Version]:
    rng = random.Random(f"{world.seed}:entities")
    for merchant in world.merchants:
        yield from _changing(rng, world, "merchants", merchant_event(merchant), merchant.signed_up_at, seconds, 0.06, _promote)
        for product in world.products[merchant.id]:
            yield from _changing(rng, world, "products", product_event(product), merchant.signed_up_at, seconds, 0.2, _reprice)
    for customer in world.customers:
        yield from _changing(rng, world, "customers", customer_event(customer), customer.signed_up_at, seconds, 0.08, _resegment)
        yield from _changing(rng, world, "accounts", account_event(rng, customer), customer.signed_up_at, seconds, 0.03, _freeze)


def _changing(
    rng: random.Random,
    world: World,
    stream: str,
    event: dict[str, Any],
    began: datetime,
    seconds: float,
    share: float,
    change: Any,
) -> Iterator[Version]:
    """The first state, and with a chance of `share` a second one during the history."""
    yield Version(stream, began, {**event, "updated_at": began})
    drawn, when = rng.random(), rng.random()
    moment = max(began, world.born) + timedelta(seconds=int(when * seconds))
    if drawn < share and moment > began:
        yield Version(stream, moment, {**event, **change(event), "updated_at": moment})


def _promote(event: dict[str, Any]) -> dict[str, Any]:
    return {"tier": "premier" if event["tier"] == "plus" else "plus"}


def _reprice(event: dict[str, Any]) -> dict[str, Any]:
    price: Decimal = event["price"]
    return {"price": money(float(price) * 1.08, event["currency"])}


def _resegment(event: dict[str, Any]) -> dict[str, Any]:
    return {"segment": "loyal" if event["segment"] == "regular" else "regular"}


def _freeze(_: dict[str, Any]) -> dict[str, Any]:
    return {"status": "frozen"}


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
