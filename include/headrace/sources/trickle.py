"""A little of what goes on beside the trade: payouts on their way to merchants, and lines that services log."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from headrace.sources.traffic import Happening, Traffic
from headrace.sources.world import money

_NEXT = {"requested": "sent", "sent": "settled"}
_FAILED_SHARE = 0.04
_FAILURES = ("account closed", "name does not match", "limit of the bank")
_LINES = (
    ("checkout", "info", "Payment accepted"),
    ("checkout", "warning", "Payment provider answered slowly"),
    ("checkout", "error", "Payment provider did not answer"),
    ("search", "info", "Index refreshed"),
    ("search", "debug", "Query took 12 ms"),
    ("catalogue", "info", "Product updated"),
    ("catalogue", "critical", "Disk is nearly full"),
)
_WEIGHTS = (40, 8, 3, 20, 15, 13, 1)


@dataclass
class Trickle:
    traffic: Traffic
    _payouts: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=500))

    def payout(self, at: datetime) -> Iterator[Happening]:
        """A new payout, or the next step of one that is on its way."""
        rng = self.traffic.rng
        if self._payouts and rng.random() < 0.6:
            yield self._step(self._payouts.popleft(), at)
            return
        merchant = self.traffic.world.merchant(rng)
        amount = money(
            float(self.traffic.world.products[merchant.id][0].price) * rng.uniform(8, 60), merchant.country.currency
        )
        begun = {
            "event_id": self.traffic.new_id("po"), "event_time": at, "payout_id": self.traffic.new_id("p"),
            "merchant_id": merchant.id, "payout_status": "requested", "amount": amount,
            "currency": merchant.country.currency, "region": merchant.country.region,
        }  # fmt: skip
        self._payouts.append(begun)
        yield Happening("payouts", begun)

    def _step(self, payout: dict[str, Any], at: datetime) -> Happening:
        rng, status = self.traffic.rng, _NEXT[payout["payout_status"]]
        step = {**payout, "event_id": self.traffic.new_id("po"), "event_time": at, "payout_status": status}
        if rng.random() < _FAILED_SHARE:
            step |= {"payout_status": "failed", "failure": rng.choice(_FAILURES)}
        if step["payout_status"] in _NEXT:
            self._payouts.append(step)
        return Happening("payouts", step)

    def log_line(self, at: datetime) -> Iterator[Happening]:
        service, level, message = self.traffic.rng.choices(_LINES, weights=_WEIGHTS)[0]
        line = {
            "event_id": self.traffic.new_id("lg"),
            "event_time": at,
            "service": service,
            "level": level,
            "message": message,
        }
        yield Happening("application_logs", line | {"request_id": self.traffic.new_id("rq")})
