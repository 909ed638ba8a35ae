"""The events that fill the lake, made by Trino itself: the n-th event is the same on every machine.

Money moves at an even pace; merchants differ in size, and refunds, fees and payouts are among the purchases. One event
in 200 arrives 10 minutes to 6 hours late, and one in 500 is sent again three minutes later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from headrace.contracts.model import Contract
from headrace.lake import literals

MERCHANTS = 300
_PIECE = 200_000
"""Events of one statement: what Trino's memory carries."""


def _drawn(number: str) -> str:
    """60 bits that look drawn by lot."""
    return f"bitwise_and(from_big_endian_64(xxhash64(to_big_endian_64({number}))), 1152921504606846975)"


@dataclass(frozen=True)
class Stretch:
    """Events `first` to `first + count - 1`, spread over [start, end); nothing of them lands after the end."""

    first: int
    count: int
    start: datetime
    end: datetime


def days_before(now: datetime, days: int, count: int) -> Stretch:
    """So many days that end with a midnight a day ago, and so leave hours for increments."""
    end = (now.astimezone(UTC) - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return Stretch(0, count, end - timedelta(days=days), end)


def pieces(stretch: Stretch) -> Iterator[tuple[int, int]]:
    """Bounds within a stretch, one statement each."""
    for first in range(0, stretch.count, _PIECE):
        yield first, min(first + _PIECE, stretch.count)


def customers(rows: int) -> int:
    """One customer for 500 transactions, as many as a lake of that size would have."""
    return min(100_000, max(100, rows // 500))


def insert_events(contract: Contract, stretch: Stretch, first: int, last: int, people: int) -> str:
    """A statement for events [first, last) of a stretch."""
    step = (stretch.end - stretch.start) // timedelta(milliseconds=1)
    start, until = int(stretch.start.timestamp() * 1000), literals.moment(stretch.end)
    return f"""
insert into lake.{contract.raw_table} (topic, partition, "offset", key, value, headers, arrived_at, landed_at,
    correlation_id, contract_version, origin, user_id)
with
counted as (
    select {first} + 1000 * thousand + one as i
    from unnest(sequence(0, {(last - first - 1) // 1000})) as a (thousand) cross join unnest(sequence(0, 999)) as b (one)
),
drawn as (
    select {stretch.first} + i as n, from_unixtime(({start} + i * {step} / {stretch.count}) / 1000e0, 'UTC') as event_time,
        {_drawn(f"{stretch.first} + i")} as h
    from counted where i < {last}
),
chosen as (
    select *, cast(floor({MERCHANTS} * pow((h / 1000) % 1000 / 1000e0, 2)) as bigint) as merchant,
        'customer-' || cast((h / 1000000) % {people} as varchar) as user_id,
        cast(cast(100 + (h / 100000000000) % 50000 as decimal(18, 2)) / 100 as decimal(18, 2)) as amount,
        case when h % 1000 < 870 then 'purchase' when h % 1000 < 960 then 'refund' when h % 1000 < 985 then 'fee' else 'payout' end as kind,
        if((h / 7) % 200 = 0, date_add('minute', 10 + (h / 1400) % 350, event_time), date_add('second', 1 + h % 3, event_time)) as seen
    from drawn
),
told as (
    select *, to_utf8('{{"event_id":"bench-' || lpad(cast(n as varchar), 12, '0') || '","event_time":"' || to_iso8601(event_time)
        || '","user_id":"' || user_id || '","merchant_id":"merchant-' || cast(merchant as varchar)
        || '","transaction_type":"' || kind || '","amount":' || cast(amount as varchar)
        || if(kind = 'refund', ',"refund_of":"bench-' || lpad(cast(greatest(n - 40, 0) as varchar), 12, '0') || '"', '')
        || ',"currency":"' || element_at(array['USD', 'EUR', 'GBP', 'JPY', 'BRL', 'INR'], cast(merchant % 6 + 1 as integer))
        || '","region":"' || element_at(array['north_america', 'europe', 'europe', 'asia', 'south_america', 'asia'], cast(merchant % 6 + 1 as integer))
        || '"}}') as value
    from chosen
),
sent as (
    select told.*, again, least(date_add('minute', 3 * again, seen), {until}) as arrived
    from told cross join unnest(sequence(0, if(n % 500 = 0, 1, 0))) as t (again)
)
select '{contract.topic}', cast(h % 2 as integer), 2 * n + again, user_id, value, map(), arrived, arrived,
    'bench', '{contract.version}', 'stream', user_id
from sent"""


def insert_entities(contract: Contract, value: str, rows: str, at: datetime, persons: str = "") -> str:
    """A statement for what events refer to: `value` is an expression for its JSON text over `rows`."""
    moment = literals.moment(at)
    names = "".join(f", {name}" for name in contract.person_fields)
    return f"""
insert into lake.{contract.raw_table} (topic, partition, "offset", key, value, headers, arrived_at, landed_at,
    correlation_id, contract_version, origin{names})
select 'file:{contract.name}/bench.jsonl', 0, n, key, to_utf8({value}), map(), {moment}, {moment},
    'bench', '{contract.version}', 'file'{persons}
from ({rows})"""


def merchants(contract: Contract, at: datetime) -> str:
    value = f"""'{{"merchant_id":"' || key || '","name":"Shop ' || cast(n as varchar) || '","category":"'
        || element_at(array['electronics', 'fashion', 'groceries', 'home', 'books', 'sports', 'beauty', 'travel'], cast(n % 8 + 1 as integer))
        || '","country":"DE","region":"europe","currency":"EUR","tier":"plus","status":"active","updated_at":"{at.isoformat()}",'
        || '"signed_up_at":"{at.isoformat()}"}}'"""
    rows = f"select n, 'merchant-' || cast(n as varchar) as key from unnest(sequence(0, {MERCHANTS - 1})) as t (n)"
    return insert_entities(contract, value, rows, at)


def people(contract: Contract, count: int, at: datetime) -> str:
    value = f"""'{{"customer_id":"' || key || '","name":"Ann ' || cast(n as varchar) || '","email":"' || key || '@example.com",'
        || '"country":"DE","region":"europe","segment":"loyal","updated_at":"{at.isoformat()}","signed_up_at":"{at.isoformat()}"}}'"""
    rows = f"""select n, 'customer-' || cast(n as varchar) as key from (
        select 1000 * thousand + one as n from unnest(sequence(0, {(count - 1) // 1000})) as a (thousand)
        cross join unnest(sequence(0, 999)) as b (one)) where n < {count}"""
    known = {"customer_id": "key", "name": "'Ann ' || cast(n as varchar)", "email": "key || '@example.com'"}
    return insert_entities(contract, value, rows, at, "".join(f", {known[name]}" for name in contract.person_fields))


def rates(contract: Contract, first: datetime, days: int) -> str:
    """A rate for each currency and day, a little different each day."""
    value = """'{"currency":"' || key || '","rate_date":"' || cast(day as varchar) || '","updated_at":"' || cast(day as varchar)
        || 'T00:00:00Z","usd_rate":' || cast(cast(base * (1 + cast(n % 7 as decimal(8, 4)) / 1000) as decimal(18, 8)) as varchar) || '}'"""
    rows = f"""select n, key, date_add('day', n, date '{first:%Y-%m-%d}') as day, base from unnest(sequence(0, {days - 1})) as t (n)
        cross join (values ('USD', decimal '1.00000000'), ('EUR', decimal '1.08765432'), ('GBP', decimal '1.26543210'),
            ('JPY', decimal '0.00654321'), ('BRL', decimal '0.17654321'), ('INR', decimal '0.01187654')) as c (key, base)"""
    return insert_entities(contract, value, rows, first)
