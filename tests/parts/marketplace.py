"""Four weeks of a small marketplace, all by file: what the aggregates and metrics of the lake are worked out over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tests.parts.lake_home import START, Lake, customer, merchant
from tests.parts.raw_rows import Landed, event

FIRST = (START - timedelta(days=START.weekday() + 28)).replace(hour=0, minute=0)
"""A Monday."""
_HOURS = 24 * 28
_BUYERS = 23
_ACTIONS = ("page_view", "search", "add_to_cart", "page_view", "purchase", "sign_in", "search")
_REGIONS = ("north_america", "europe", "asia")


def fill_marketplace(lake: Lake) -> None:
    lake.land("customers", [_landed(customer(f"buyer-{n}"), START) for n in range(_BUYERS)])
    lake.land("products", [_landed(product(n), START) for n in range(6)])
    lake.land("merchants", [_landed(merchant("merchant-4", 4), START)])
    for stream, made in (
        ("transactions", _transactions()), ("app_events", _actions()), ("orders", _orders()),
        ("payouts", _payouts()), ("application_logs", _lines()),
    ):  # fmt: skip
        lake.land(stream, [_landed(one, START) for one in made])


def product(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "product_id": f"product-{number}", "merchant_id": "merchant-1", "name": f"Thing {number}", "category": "books",
        "price": 9.5, "currency": "EUR", "status": "listed", "updated_at": FIRST.isoformat(),
    } | changes  # fmt: skip


def _landed(made: dict[str, Any], at: Any) -> Landed:
    return Landed(made, at, at, "file")


def _buyer(number: int) -> str:
    """Some come often, some once, some only late in the four weeks."""
    return f"buyer-{number * number % _BUYERS if number % 3 else min(number // 40, _BUYERS - 1)}"


def _transactions() -> Iterator[dict[str, Any]]:
    for n in range(0, _HOURS, 2):
        at = FIRST + timedelta(hours=n, minutes=n % 60)
        yield event(
            n,
            at,
            amount=(n * 137 % 9_999 + 1) / 100,
            event_id=f"paid-{n:05}",
            user_id=_buyer(n),
            product_id=f"product-{n % 6}",
        )


def _actions() -> Iterator[dict[str, Any]]:
    for n in range(_HOURS):
        at = FIRST + timedelta(hours=n, seconds=n % 3000)
        for step, kind in enumerate((_ACTIONS[n % 7], "add_to_cart", "purchase")[: 3 if n % 5 == 0 else 1]):
            yield {
                "event_id": f"done-{n}-{step}", "event_time": (at + timedelta(seconds=10 * step)).isoformat(),
                "user_id": _buyer(n), "session_id": f"s{n}", "event_type": kind, "platform": ("web", "ios")[n % 2],
                "product_id": f"product-{n % 6}", "country": "DE", "region": _REGIONS[n % 3],
            }  # fmt: skip


def _orders() -> Iterator[dict[str, Any]]:
    for n in range(0, _HOURS - 72, 8):
        steps = ("placed", "cancelled") if n % 5 == 0 else ("placed", "shipped", "delivered")[: 1 + n % 3]
        for number, status in enumerate(steps):
            yield order_step(n, number, status)


def order_step(n: int, number: int, status: str) -> dict[str, Any]:
    return {
        "event_id": f"step-{n}-{number}", "event_time": (FIRST + timedelta(hours=n + 20 * number)).isoformat(),
        "order_id": f"order-{n}", "user_id": _buyer(n), "merchant_id": f"merchant-{n % 5}",
        "product_id": f"product-{n % 6}", "order_status": status, "quantity": 1 + n % 4,
        "amount": (n * 137 % 9_999) / 100, "currency": "EUR", "region": _REGIONS[n % 3],
    }  # fmt: skip


def _payouts() -> Iterator[dict[str, Any]]:
    for n in range(40):
        for number, status in enumerate(("requested", "failed" if n % 4 == 0 else "settled")):
            yield {
                "event_id": f"payout-{n}-{number}", "payout_id": f"payout-{n:02}", "merchant_id": "merchant-1", "payout_status": status,
                "event_time": (FIRST + timedelta(hours=16 * n + number)).isoformat(), "amount": 5.5, "currency": "EUR",
                "region": "europe", "account_ending": "1234", **({"failure": "closed"} if status == "failed" else {}),
            }  # fmt: skip


def _lines() -> Iterator[dict[str, Any]]:
    for n in range(60):
        yield {
            "event_id": f"line-{n:05}", "event_time": (FIRST + timedelta(hours=11 * n)).isoformat(), "service": "shop",
            "level": ("info", "info", "warning", "error", "critical")[n % 5], "message": "said", "logger": "shop.cart",
            "host": "one",
        }  # fmt: skip
