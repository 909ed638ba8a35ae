"""What is watched: figures of a merchant, of all merchants together, and how often a person appears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["count", "mean"]
Scope = Literal["merchant", "platform", "user", "topic", "table", "live"]
WATCHED: frozenset[Scope] = frozenset(["merchant", "platform", "user"])
"""What the part `anomalies` follows; the others are those of `headrace.quality`."""


@dataclass(frozen=True)
class Measure:
    name: str
    kind: Kind
    transaction_type: str
    noun: str


PURCHASES = Measure("purchases", "count", "purchase", "purchases")
REFUNDS = Measure("refunds", "count", "refund", "refunds")
AVERAGE = Measure("average_purchase", "mean", "purchase", "purchases")
MEASURES = (PURCHASES, REFUNDS, AVERAGE)
USER_TRANSACTIONS = "user_transactions"
EVERYTHING = "*"
"""The subject that stands for all merchants together."""


@dataclass(frozen=True)
class Tuning:
    """Chosen by `./headrace bench anomalies --tune` on traffic that it is not judged by."""

    false_discovery: float = 1e-4
    """Expected share of wrong ones among what one look at all series finds unusual; a day has thousands of looks."""
    least_score: float = 4.5
    calm_score: float = 3.0
    calm_minutes: int = 5
    season_doubt: float = 0.08
    """How far a good seasonal baseline may be off, as a share of it."""
    recent_doubt: float = 0.2
    """The same for the last hour standing in for the season."""
    user_doubt: float = 0.5
    least_user_count: int = 8
