"""What happens in the sample marketplace: purchases, refunds of earlier purchases, fees, payouts, orders, app events.

One `Traffic` serves history and live alike; the caller says when things happen and how ids are made.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from headrace.sources.world import Customer, Merchant, World, money

MIX = {"purchase": 84, "refund": 6, "fee": 7, "payout": 3}
"""Shares of transaction types, in hundredths."""
ORDERED_SHARE = 0.35
"""Purchases that are shipped, and so have an order."""
_FEES = {"standard": 0.029, "plus": 0.024, "premier": 0.019}
_NEXT = {"placed": "shipped", "shipped": "delivered"}
_REMEMBERED = 5_000
_SEARCHES = ("gift", "under 50", "new", "summer", "sale", "best rated", "fast delivery", "blue")
_PLATFORMS = ("web", "ios", "android")


class Happening(NamedTuple):
    """One event of one stream."""

    stream: str
    event: dict[str, Any]


@dataclass
class Traffic:
    world: World
    rng: random.Random
    new_id: Callable[[str], str]
    """Makes an event's id from a prefix that says what it is."""
    mix: dict[str, int] = field(default_factory=lambda: dict(MIX))
    _purchases: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _orders: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _sessions: deque[tuple[Customer, str, str]] = field(default_factory=lambda: deque(maxlen=200))

    def transaction(self, at: datetime) -> Iterator[Happening]:
        """One transaction, and the order that comes with a shipped purchase."""
        kind = self.rng.choices(tuple(self.mix), weights=tuple(self.mix.values()))[0]
        match kind:
            case "refund" if self._purchases:
                yield self._refund(at)
            case "payout":
                yield self._payout(at)
            case "fee" if self._purchases:
                yield self._fee(at)
            case _:
                yield from self._purchase(at)

    def order(self, at: datetime) -> Iterator[Happening]:
        """The next step of an order that is on its way; nothing where there is none."""
        if not self._orders:
            return
        order = self._orders.popleft()
        cancelled = order["order_status"] == "placed" and self.rng.random() < 0.05
        status = "cancelled" if cancelled else _NEXT[order["order_status"]]
        step = {**order, "event_id": self.new_id("or"), "event_time": at, "order_status": status}
        if status in _NEXT:
            self._orders.append(step)
        yield Happening("orders", step)

    def app_event(self, at: datetime) -> Iterator[Happening]:
        """One action of a visit, a new visit now and then."""
        rng = self.rng
        started = not self._sessions or rng.random() < 0.15
        if started:
            self._sessions.append((self._customer(at), self.new_id("se"), rng.choice(_PLATFORMS)))
        customer, session, platform = self._sessions[-1] if started else rng.choice(self._sessions)
        kinds = ("page_view", "search", "add_to_cart", "purchase", "sign_out")
        kind = "sign_in" if started else rng.choices(kinds, weights=(55, 20, 14, 6, 5))[0]
        event = {
            "event_id": self.new_id("ap"),
            "event_time": at,
            "user_id": customer.id,
            "session_id": session,
            "event_type": kind,
            "platform": platform,
            "country": customer.country.code,
            "region": customer.country.region,
        }
        yield Happening("app_events", {**event, **self._target(kind)})

    def _target(self, kind: str) -> dict[str, Any]:
        """What the action was about."""
        if kind == "search":
            return {"page": "/search", "search_text": self.rng.choice(_SEARCHES)}
        if kind in ("sign_in", "sign_out"):
            return {"page": f"/{kind.replace('_', '-')}"}
        merchant = self.world.merchant(self.rng)
        product = self.rng.choice(self.world.products[merchant.id])
        return {"page": f"/products/{product.id}", "product_id": product.id, "merchant_id": merchant.id}

    def _customer(self, at: datetime) -> Customer:
        """Someone who had joined by then."""
        for _ in range(20):
            customer = self.world.customer(self.rng)
            if customer.signed_up_at <= at:
                return customer
        return next(c for c in self.world.customers if c.signed_up_at <= self.world.born)

    def _base(self, kind: str, at: datetime, user: str, merchant: Merchant, amount: Decimal) -> dict[str, Any]:
        return {
            "event_id": self.new_id("tx"),
            "event_time": at,
            "user_id": user,
            "merchant_id": merchant.id,
            "transaction_type": kind,
            "amount": amount,
            "currency": merchant.country.currency,
            "region": merchant.country.region,
        }

    def _purchase(self, at: datetime) -> Iterator[Happening]:
        rng, merchant = self.rng, self.world.merchant(self.rng)
        product = rng.choice(self.world.products[merchant.id])
        quantity = rng.choices((1, 2, 3, 10), weights=(78, 15, 6, 1))[0]
        # Most pay about the price; the tail is heavy, as a few orders are very large.
        paid = float(product.price) * quantity * rng.lognormvariate(0, 0.25) * min(rng.paretovariate(3.0), 40)
        event = self._base("purchase", at, self._customer(at).id, merchant, money(paid, merchant.country.currency))
        event["product_id"] = product.id
        if rng.random() < ORDERED_SHARE:
            event["order_id"] = self.new_id("o")
        self._purchases.append(event)
        yield Happening("transactions", event)
        if "order_id" in event:
            yield self._placed(event, quantity)

    def _placed(self, purchase: dict[str, Any], quantity: int) -> Happening:
        names = ("event_time", "order_id", "user_id", "merchant_id", "product_id", "amount", "currency", "region")
        order = {name: purchase[name] for name in names}
        order |= {"event_id": self.new_id("or"), "order_status": "placed", "quantity": quantity}
        self._orders.append(order)
        return Happening("orders", order)

    def _refund(self, at: datetime) -> Happening:
        """Each purchase is refunded at most once, in whole or in part."""
        place = self.rng.randrange(len(self._purchases))
        purchase = self._purchases[place]
        del self._purchases[place]
        share = 1.0 if self.rng.random() < 0.7 else self.rng.uniform(0.1, 0.9)
        amount = purchase["amount"] if share == 1.0 else money(float(purchase["amount"]) * share, purchase["currency"])
        kept = {name: purchase[name] for name in ("user_id", "merchant_id", "product_id", "currency", "region")}
        event = {**kept, "event_id": self.new_id("tx"), "event_time": at, "transaction_type": "refund"}
        event |= {"amount": min(amount, purchase["amount"]), "refund_of": purchase["event_id"]}
        if "order_id" in purchase:
            event["order_id"] = purchase["order_id"]
        return Happening("transactions", event)

    def _fee(self, at: datetime) -> Happening:
        """What the marketplace keeps of a purchase."""
        purchase = self.rng.choice(self._purchases)
        merchant = self._merchant(purchase["merchant_id"])
        amount = money(float(purchase["amount"]) * _FEES[merchant.tier], merchant.country.currency)
        return Happening("transactions", self._base("fee", at, merchant.owner, merchant, amount))

    def _payout(self, at: datetime) -> Happening:
        """What a merchant gets for many purchases."""
        merchant = self.world.merchant(self.rng)
        typical = float(self.world.products[merchant.id][0].price)
        amount = money(typical * self.rng.uniform(8, 60), merchant.country.currency)
        return Happening("transactions", self._base("payout", at, merchant.owner, merchant, amount))

    def _merchant(self, merchant_id: str) -> Merchant:
        return self.world.merchants[int(merchant_id[1:]) - 1]
