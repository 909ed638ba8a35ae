"""A small marketplace for unit tests: a vocabulary, a live store and a history that are lists in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from headrace.assistant.chart import warm
from headrace.assistant.evidence import HistoryRequest, HistoryResult
from headrace.assistant.livepart import LiveRequest, total
from headrace.assistant.rates import RateTable
from headrace.assistant.vocabulary import Dimension, LiveMeasure, Metric, Vocabulary
from headrace.policy import Identity
from headrace.policy.audit import AuditUnavailable, Entry

warm()  # seconds that no single test should seem to take
NOW = datetime(2026, 11, 21, 10, 37, 21, tzinfo=UTC)
SPEC = "transactions_1m"
ADMIN = Identity("admin", ("admin",))
VIEWER = Identity("vera", ("viewer",))
RATES = RateTable([("EUR", date(2026, 11, 1), Decimal("1.10")), ("EUR", date(2026, 11, 21), Decimal("1.125"))], "USD")


def _live(accumulator: str, agg: str, *types: str, factor: str | None = None) -> LiveMeasure:
    only = (("transaction_type", types),) if types else ()
    return LiveMeasure(SPEC, accumulator, agg, factor, only)  # type: ignore[arg-type]


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
    Metric("active_customers", "Active customers", "", ("customers", "buyers"), unit="count"),
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
    Dimension("user_id", "Customer id", "customer", ("user",)),
)  # fmt: skip
VOCABULARY = Vocabulary({m.name: m for m in METRICS}, {d.name: d for d in DIMENSIONS})


@dataclass(frozen=True)
class Event:
    at: datetime
    amount: Decimal
    type: str = "purchase"
    currency: str = "USD"
    region: str = "europe"
    merchant: str = "M-1"
    late: bool = False


@dataclass(frozen=True)
class FakeWindow:
    window_start: datetime
    keys: dict[str, str]
    n: int
    values: dict[str, Decimal | int]


def windows_of(events: Iterable[Event]) -> list[FakeWindow]:
    """What the live job would make of the events."""
    groups: dict[tuple[datetime, str, str, str, str], list[Decimal]] = {}
    for e in events:
        start = e.at.replace(second=0, microsecond=0)
        groups.setdefault((start, e.merchant, e.type, e.currency, e.region), []).append(e.amount)
    names = ("merchant_id", "transaction_type", "currency", "region")
    return [
        FakeWindow(
            start, dict(zip(names, keys, strict=True)), len(a),
            {"sum_amount": sum(a, Decimal(0)), "min_amount": min(a), "max_amount": max(a)},
        )
        for (start, *keys), a in groups.items()
    ]  # fmt: skip


@dataclass
class FakeStore:
    events: list[Event] = field(default_factory=list)
    reads: int = 0

    def windows(self, spec: str, start: datetime, end: datetime, *, late: bool = False) -> list[FakeWindow]:
        assert spec == SPEC
        self.reads += 1
        return [w for w in windows_of(e for e in self.events if e.late is late) if start <= w.window_start < end]

    def newest(self, spec: str) -> datetime | None:
        return max((w.window_start for w in windows_of(self.events)), default=None)


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
        windows = [w for w in windows_of(self.events) if stretch.start <= w.window_start < stretch.end]
        filters = tuple(f.model_copy(update={"dimension": d.live_key or d.name}) for d, f in request.filters)
        keys = tuple(d.live_key or d.name for d in request.group_by)
        live = tuple(m for m in request.metrics if m.live)
        return HistoryResult(total(windows, LiveRequest(live, keys, filters, request.grain), RATES), "select 1")


@dataclass
class FakeAudit:
    entries: list[Entry] = field(default_factory=list)
    broken: bool = False

    def write(self, entry: Entry) -> None:
        if self.broken:
            raise AuditUnavailable("audit_logs cannot be written")
        self.entries.append(entry)
