"""A small marketplace for unit tests: a vocabulary, a live store and a history that are lists in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from math import ceil, log

from headrace.assistant.chart import warm
from headrace.assistant.evidence import HistoryRequest, HistoryResult
from headrace.assistant.figures import finished
from headrace.assistant.livepart import LiveRequest, total
from headrace.assistant.rates import RateTable
from headrace.assistant.vocabulary import Dimension, Metric, Vocabulary
from headrace.policy import Identity
from headrace.policy.audit import AuditUnavailable, Entry
from headrace.semantics.percentile import Percentile
from headrace.streams.spec import LiveMeasure, LiveSpec

warm()  # seconds that no single test should seem to take
NOW = datetime(2026, 11, 21, 10, 37, 21, tzinfo=UTC)
SPEC, BY_USER, AMOUNTS = (
    LiveSpec(name, "transactions", 60, (key, "transaction_type", "currency", "region"), (), exprs=exprs)
    for name, key, exprs in [
        ("transactions_1m", "merchant_id", ()),
        ("transactions_by_user", "user_id", ()),
        ("transaction_amounts", "amount_bucket", (("amount_bucket", "CAST(amount AS INT)"),)),
    ]
)  # fmt: skip
BASE = 1.02
ADMIN = Identity("admin", ("admin",))
VIEWER = Identity("vera", ("viewer",))
RATES = RateTable([("EUR", date(2026, 11, 1), Decimal("1.10")), ("EUR", date(2026, 11, 21), Decimal("1.125"))], "USD")


def _live(accumulator: str, agg: str, *types: str, factor: str | None = None) -> LiveMeasure:
    only = (("transaction_type", types),) if types else ()
    return LiveMeasure("transactions", accumulator, agg, factor, only)  # type: ignore[arg-type]


def _percentile(name: str, label: str, share: float) -> Metric:
    only = (("transaction_type", ("purchase",)),)
    live = LiveMeasure("transactions", "n", "percentile", "usd_rate", only, "amount_bucket", share, BASE)
    lake = Percentile("purchases", "transaction__value_bucket", BASE, share)
    return Metric(name, label, unit="USD", money=True, live=live, percentile=lake)


def _money(name: str, label: str, *synonyms: str, kind: str) -> Metric:
    live = _live("sum_amount", "sum", kind, factor="usd_rate")
    return Metric(name, label, f"{label} in US dollars.", synonyms, unit="USD", money=True, agg="sum", live=live)


METRICS = (
    _money("sales", "Sales", "revenue", "turnover", "gmv", kind="purchase"),
    _money("refunds", "Refunds", "refunded amount", kind="refund"),
    Metric(
        "net_sales", "Net sales", "Sales less refunds.", ("net revenue", "revenue"), "derived", "USD", True,
        inputs=(("sales", "sales"), ("refunds", "refunds")), expr="sales - refunds",
    ),
    Metric("transactions", "Transactions", "", ("transaction count",), unit="count", agg="count", live=_live("n", "count")),
    Metric("purchases", "Purchases", "", (), unit="count", agg="count", live=_live("n", "count", "purchase")),
    Metric(
        "average_purchase", "Average purchase", "", ("average order value", "aov"), "ratio", "USD", True,
        inputs=(("numerator", "sales"), ("denominator", "purchases")), expr="numerator / denominator",
    ),
    Metric(
        "largest_purchase", "Largest purchase", "", ("biggest purchase",), unit="USD", money=True, agg="max",
        live=_live("max_amount", "max", "purchase", factor="usd_rate"),
    ),
    Metric(
        "active_customers", "Active customers", "", ("customers", "buyers"), unit="count",
        live=LiveMeasure("transactions", "n", "distinct", over="user_id"),
    ),
    _percentile("median_purchase", "Median purchase", 0.5),
    _percentile("p95_purchase", "95th percentile of purchases", 0.95),
)  # fmt: skip
DIMENSIONS = (
    Dimension(
        "region", "Region", "transaction__region", ("area", "market"),
        ("north_america", "south_america", "europe", "asia"), live_key="region",
    ),
    Dimension("merchant_id", "Merchant", "merchant", ("seller", "shop"), live_key="merchant_id"),
    Dimension(
        "transaction_type", "Transaction type", "transaction__transaction_type", ("type",),
        ("purchase", "refund", "fee", "payout"), live_key="transaction_type",
    ),
    Dimension("currency", "Currency", "transaction__currency", (), ("USD", "EUR", "GBP"), live_key="currency"),
    Dimension("country", "Merchant country", "merchant__country", ("country",), ("Germany", "Brazil", "Georgia")),
    Dimension("state", "Customer state", "customer__state", (), ("Georgia", "Texas")),
    Dimension("user_id", "Customer id", "customer", ("user",), live_key="user_id"),
)  # fmt: skip
VOCABULARY = Vocabulary({m.name: m for m in METRICS}, {d.name: d for d in DIMENSIONS}, (SPEC, BY_USER, AMOUNTS))


@dataclass(frozen=True)
class Event:
    at: datetime
    amount: Decimal
    type: str = "purchase"
    currency: str = "USD"
    region: str = "europe"
    merchant: str = "M-1"
    late: bool = False
    user: str = "u-1"
    country: str = "Germany"

    def key(self, name: str) -> str | None:
        if name == "amount_bucket":
            return bucket(self.amount)
        if name == "transaction__value_bucket":
            return bucket(self.amount * RATES.rate(self.currency, self.at.date()))
        attribute = {"merchant_id": "merchant", "transaction_type": "type", "user_id": "user"}.get(name, name)
        return str(getattr(self, attribute))


def bucket(value: Decimal) -> str | None:
    return str(ceil(log(value) / log(BASE))) if value > 0 else None


@dataclass(frozen=True)
class FakeWindow:
    window_start: datetime
    keys: dict[str, str | None]
    n: int
    values: dict[str, Decimal | int]


def windows_of(events: Iterable[Event], keys: tuple[str, ...] = SPEC.keys) -> list[FakeWindow]:
    """What the live job would make of the events."""
    groups: dict[tuple[datetime, tuple[str | None, ...]], list[Decimal]] = {}
    for e in events:
        start = e.at.replace(second=0, microsecond=0)
        groups.setdefault((start, tuple(e.key(name) for name in keys)), []).append(e.amount)
    return [
        FakeWindow(
            start, dict(zip(keys, found, strict=True)), len(a),
            {"sum_amount": sum(a, Decimal(0)), "min_amount": min(a), "max_amount": max(a)},
        )
        for (start, found), a in groups.items()
    ]  # fmt: skip


@dataclass
class FakeStore:
    events: list[Event] = field(default_factory=list)
    reads: int = 0
    kept_since: datetime | None = None

    def windows(self, spec: str, start: datetime, end: datetime, *, late: bool = False) -> list[FakeWindow]:
        keys = next(s.keys for s in VOCABULARY.windows if s.name == spec)
        self.reads += 1
        return [
            w for w in windows_of((e for e in self.events if e.late is late), keys) if start <= w.window_start < end
        ]

    def newest(self, spec: str) -> datetime | None:
        return max((w.window_start for w in windows_of(self.events)), default=None)

    def since(self, spec: str) -> datetime | None:
        return self.kept_since


@dataclass
class FakeHistory:
    """Trino's part, computed from the same events."""

    events: list[Event] = field(default_factory=list)
    requests: list[HistoryRequest] = field(default_factory=list)
    error: Exception | None = None

    def read(self, identity: Identity, request: HistoryRequest) -> HistoryResult:
        self.requests.append(request)
        if self.error:
            raise self.error
        stretch = request.stretch
        keys = tuple(d.live_key or d.name for d in request.group_by)
        whole = tuple(dict.fromkeys((*SPEC.keys, "user_id", *keys)))
        windows = [w for w in windows_of(self.events, whole) if stretch.start <= w.window_start < stretch.end]
        filters = tuple(f.model_copy(update={"dimension": d.live_key or d.name}) for d, f in request.filters)
        live = tuple(m for m in request.metrics if m.live)
        part = total(windows, LiveRequest("", live, keys, filters, request.grain), RATES)
        return HistoryResult({k: {n: finished(c) for n, c in cells.items()} for k, cells in part.items()}, "select 1")


@dataclass
class FakeAudit:
    entries: list[Entry] = field(default_factory=list)
    broken: bool = False

    def write(self, entry: Entry) -> None:
        if self.broken:
            raise AuditUnavailable("audit_logs cannot be written")
        self.entries.append(entry)
