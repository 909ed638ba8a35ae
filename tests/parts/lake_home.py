"""One lake for the parts tests that need one: tables made, sample rows landed, built once by dbt."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from headrace.contracts.model import Contract, load_contracts
from headrace.lake import dbt
from headrace.lake.found import bring_found
from headrace.lake.trino import connect, fetch
from headrace.settings import Settings
from tests.parts.raw_rows import Landed, create, event, land, landed

_TWO_DAYS_AGO = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(days=2)
START = _TWO_DAYS_AGO.replace(hour=min(_TWO_DAYS_AGO.hour, 18))
"""Early enough that its events are of one day: a rate of the next is of the future when it is told."""
EVENTS = 240


@dataclass
class Lake:
    settings: Settings
    contracts: dict[str, Contract]
    landed: dict[str, list[Landed]] = field(default_factory=dict)
    """Everything that tests put into raw, for figures worked out beside the lake."""

    def query(self, sql: str, **how: Any) -> list[list[Any]]:
        with connect(self.settings, **(how or {"service": "dbt"})) as connection:
            return fetch(connection.cursor(), sql)

    def land(self, stream: str, records: list[Landed]) -> None:
        with connect(self.settings, service="dbt") as connection:
            land(connection.cursor(), self.contracts[stream], records)
        self.landed.setdefault(stream, []).extend(records)

    def build(self, *arguments: str) -> str:
        return dbt.run(self.settings, ["build", *arguments], timeout=600)


def open_lake(settings: Settings) -> Lake:
    lake = Lake(settings, load_contracts(settings.contracts))
    with connect(settings, service="dbt") as connection:
        create(connection.cursor(), lake.contracts)
    bring_found(settings)
    return lake


def fill(lake: Lake) -> None:
    """Two days of rates, a few merchants and customers, and events every minute, some of them late or repeated."""
    lake.land("exchange_rates", [_entity(rate(day, currency)) for day in (0, 1) for currency in ("USD", "EUR", "JPY")])
    lake.land("merchants", [_entity(merchant(f"merchant-{n}", n)) for n in range(4)])
    lake.land("customers", [_entity(customer(f"user-{n}")) for n in range(7)])
    events = [event(n, START + timedelta(minutes=n)) for n in range(EVENTS)]
    records = [
        landed(made, timedelta(minutes=7) if n % 50 == 0 else timedelta(seconds=1)) for n, made in enumerate(events)
    ]
    repeated = [landed(events[n], timedelta(minutes=3), partition=1) for n in (3, 10, 11)]
    broken = [
        Landed(b"{not json", START, START),
        landed(event(9000, START, amount=-1)),
        landed(event(9001, START, currency="XXX")),
    ]
    lake.land("transactions", [*records, *repeated, *broken])


def rate(day: int, currency: str, value: str | None = None) -> dict[str, Any]:
    moment = START + timedelta(days=day)
    known = {"USD": "1", "EUR": f"1.0876543{day}", "JPY": "0.00654321"}[currency]
    usd_rate = float(Decimal(value or known))
    return {
        "currency": currency,
        "rate_date": f"{moment:%Y-%m-%d}",
        "updated_at": moment.isoformat(),
        "usd_rate": usd_rate,
    }


def _entity(made: dict[str, Any]) -> Landed:
    return Landed(made, START, START, "file")


def merchant(merchant_id: str, number: int = 0) -> dict[str, Any]:
    return {
        "merchant_id": merchant_id, "name": f"Shop {number}", "category": ("books", "home")[number % 2],
        "country": "DE", "region": "europe", "currency": "EUR", "tier": "plus", "status": "active",
        "updated_at": START.isoformat(), "signed_up_at": START.isoformat(),
    }  # fmt: skip


def customer(customer_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "customer_id": customer_id, "name": f"Ann {customer_id}", "email": f"{customer_id}@example.com", "country": "DE",
        "region": "europe", "segment": "loyal", "updated_at": START.isoformat(), "signed_up_at": START.isoformat(),
    } | changes  # fmt: skip


# What the figures must be, written by hand over raw: parse, judge, take the first arrival, value at the day's newest rate.
BY_HAND = """
with parsed as (
    select
        json_extract_scalar(doc, '$.event_id') as event_id,
        from_iso8601_timestamp(json_extract_scalar(doc, '$.event_time')) as event_time,
        json_extract_scalar(doc, '$.transaction_type') as transaction_type,
        json_extract_scalar(doc, '$.currency') as currency,
        json_extract_scalar(doc, '$.user_id') as user_id,
        cast(json_extract_scalar(doc, '$.amount') as decimal(18, 2)) as amount,
        arrived_at, origin,
        row_number() over (
            partition by json_extract_scalar(doc, '$.event_id') order by arrived_at, topic, partition, "offset"
        ) as place
    from (select *, try(json_parse(from_utf8(value))) as doc from lake.raw.transactions)
    where doc is not null
),
rates as (
    select
        json_extract_scalar(doc, '$.currency') as currency,
        cast(json_extract_scalar(doc, '$.rate_date') as date) as rate_date,
        max_by(cast(json_extract_scalar(doc, '$.usd_rate') as decimal(18, 8)),
            row(from_iso8601_timestamp(json_extract_scalar(doc, '$.updated_at')), arrived_at, "offset")) as usd_rate
    from (select *, json_parse(from_utf8(value)) as doc from lake.raw.exchange_rates)
    group by 1, 2
),
valued as (
    select
        parsed.*,
        origin = 'stream' and arrived_at > event_time + interval '5' minute as is_late,
        amount * (
            select max_by(usd_rate, rate_date) from rates
            where rates.currency = parsed.currency and rates.rate_date <= cast(parsed.event_time as date)
        ) as usd
    from parsed
    where place = 1 and amount >= 0 and currency in ('USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR')
)
"""
