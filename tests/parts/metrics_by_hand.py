"""What each metric must say of three weeks, in SQL that a person wrote over facts, beside what MetricFlow makes of it."""

from __future__ import annotations

from datetime import timedelta

from tests.parts.marketplace import FIRST

BEGIN, END = FIRST, FIRST + timedelta(days=21)
_LAST = END - timedelta(days=1)


def _within(moment: str) -> str:
    return (
        f"{moment} >= timestamp '{BEGIN:%Y-%m-%d} 00:00:00 UTC' and {moment} < timestamp '{END:%Y-%m-%d} 00:00:00 UTC'"
    )


def _of(table: str, moment: str = "event_time") -> dict[str, str]:
    return {"from": f"from curated.{table}", "in": _within(moment)}


def _figures(table: str, figures: dict[str, tuple[str, str]], moment: str = "event_time") -> dict[str, str]:
    given = _of(table, moment)
    return {
        n: f"select {figure} {given['from']} where {given['in']} and {where}" for n, (figure, where) in figures.items()
    }


_USD = "sum(amount * usd_rate)"
_BOUGHT, _BACK = "transaction_type = 'purchase'", "transaction_type = 'refund'"


def _type(figure: str, kind: str) -> str:
    return f"{figure} filter (where transaction_type = '{kind}')"


def _status(figure: str, kind: str) -> str:
    return f"{figure} filter (where order_status = '{kind}')"


def _percentile(share: str) -> tuple[str, str]:
    """The least and the most that a sketch may say: of few values, neighbours lie further apart than its bound."""
    values, rank = "array_sort(array_agg(amount * usd_rate))", f"ceil({share} * count(*))"
    least, most = f"greatest(1, {rank} - 1 - count(*) / 100)", f"least(count(*), {rank} + 1 + count(*) / 100)"
    return (
        f"array[element_at({values}, cast({least} as integer)), element_at({values}, cast({most} as integer))]",
        _BOUGHT,
    )


_TRANSACTIONS = _figures("fct_transactions", {
    "sales": (_USD, _BOUGHT),
    "refunds": (_USD, _BACK),
    "net_sales": (f"{_type(_USD, 'purchase')} - {_type(_USD, 'refund')}", "true"),
    "transactions": ("count(*)", "true"),
    "purchases": ("count(*)", _BOUGHT),
    "average_purchase": ("cast(sum(amount * usd_rate) as double) / count(*)", _BOUGHT),
    "refund_rate": (f"cast({_type(_USD, 'refund')} as double) / {_type(_USD, 'purchase')}", "true"),
    "largest_purchase": ("max(amount * usd_rate)", _BOUGHT),
    "smallest_purchase": ("min(amount * usd_rate)", _BOUGHT),
    "median_purchase": _percentile("0.5"),
    "p95_purchase": _percentile("0.95"),
    "p99_purchase": _percentile("0.99"),
    "active_customers": ("count(distinct user_id)", "true"),
    "fees": (_USD, "transaction_type = 'fee'"),
    "payouts": (_USD, "transaction_type = 'payout'"),
})  # fmt: skip
_APP = _figures("fct_app_events", {
    "app_actions": ("count(*)", "true"),
    "page_views": ("count(*)", "event_type = 'page_view'"),
    "searches": ("count(*)", "event_type = 'search'"),
    "active_visitors": ("count(distinct user_id)", "true"),
    "product_views": ("count(*)", "event_type = 'page_view' and product_id is not null"),
    "cart_additions": ("count(*)", "event_type = 'add_to_cart' and product_id is not null"),
    "cart_additions_per_view": ("cast(count_if(event_type = 'add_to_cart') as double) / count_if(event_type = 'page_view')", "product_id is not null"),
    "minute_actions": ("count(*)", "true"),
    "visitor_days": ("count(distinct row(date(event_time), region, platform, user_id))", "true"),
    "looking_visitors": ("count(distinct row(date(event_time), region, platform, user_id))", "event_type in ('page_view', 'search')"),
})  # fmt: skip
_STEPS = _figures("fct_order_steps", {
    "orders_placed": ("count(*)", "order_status = 'placed'"),
    "orders_shipped": ("count(*)", "order_status = 'shipped'"),
    "orders_delivered": ("count(*)", "order_status = 'delivered'"),
    "orders_cancelled": ("count(*)", "order_status = 'cancelled'"),
    "order_value": (_USD, "order_status = 'placed'"),
    "average_order_value": ("cast(sum(amount * usd_rate) as double) / count(*)", "order_status = 'placed'"),
    "delivery_rate": (f"cast({_status('count(*)', 'delivered')} as double) / {_status('count(*)', 'placed')}", "true"),
    "cancellation_rate": (f"cast({_status('count(*)', 'cancelled')} as double) / {_status('count(*)', 'placed')}", "true"),
    "units_ordered": ("sum(quantity)", "order_status = 'placed'"),
})  # fmt: skip
_OTHERS = (
    _figures("fct_payouts", {
        "payouts_count": ("count(*)", "payout_status = 'requested'"),
        "failed_payouts": ("count(*)", "payout_status = 'failed'"),
        "payout_failure_rate": ("cast(count_if(payout_status = 'failed') as double) / count_if(payout_status = 'requested')", "true"),
    })
    | _figures("fct_application_logs", {
        "application_logs_count": ("count(*)", "true"),
        "logged_errors": ("count(*)", "level in ('error', 'critical')"),
        "logged_error_rate": ("cast(count_if(level in ('error', 'critical')) as double) / count(*)", "true"),
    })
    | _figures("fct_transactions", {
        "product_purchases": ("count(*)", f"{_BOUGHT} and product_id is not null"),
        "product_sales": (_USD, f"{_BOUGHT} and product_id is not null"),
    })
)  # fmt: skip

# An order is placed with its first step.
_ORDERS = {
    "orders": f"""select count(*) from (
        select min(event_time) as placed from processed.orders group by order_id) where {_within("placed")}"""
}

_SESSIONS_FOUND = """with marked as (
    select user_id, event_time, event_type,
        if(event_time < lag(event_time) over (partition by user_id order by event_time) + interval '30' second, 0, 1) as begins
    from processed.app_events
), placed as (
    select marked.*, sum(begins) over (partition by user_id order by event_time) as place from marked
), found as (
    select min(event_time) as started_at, date_diff('millisecond', min(event_time), max(event_time)) / 1e3 as seconds,
        count(*) as events, count_if(event_type = 'purchase') > 0 as bought
    from placed group by user_id, place
)"""
_SESSIONS = {
    name: f"{_SESSIONS_FOUND} select {figure} from found where {_within('started_at')}"
    for name, figure in {
        "sessions": "count(*)",
        "session_time": "sum(seconds)",
        "session_actions": "sum(events)",
        "sessions_with_purchase": "count_if(bought)",
        "average_session_length": "sum(seconds) / count(*)",
        "actions_per_session": "cast(sum(events) as double) / count(*)",
        "session_conversion": "cast(count_if(bought) as double) / count(*)",
    }.items()
}

_VISITS = f"""with visits as (
    select row(date(event_time), region, platform, user_id) as visitor, event_time as moment, event_type as kind
    from curated.fct_app_events where {_within("event_time")}
), looks as (select visitor, moment from visits where kind in ('page_view', 'search')
), adds as (
    select distinct adds.visitor, adds.moment from visits as adds inner join looks on looks.visitor = adds.visitor
    where adds.kind = 'add_to_cart' and looks.moment <= adds.moment
), buys as (
    select distinct buys.visitor from visits as buys inner join adds on adds.visitor = buys.visitor
    where buys.kind = 'purchase' and adds.moment <= buys.moment
), counted as (
    select (select count(distinct visitor) from looks) as looked, (select count(distinct visitor) from adds) as added,
        (select count(*) from buys) as bought
)"""
_FUNNEL = {
    name: f"{_VISITS} select {figure} from counted"
    for name, figure in {
        "adding_visitors": "added",
        "buying_visitors": "bought",
        "look_to_cart_rate": "cast(added as double) / looked",
        "cart_to_purchase_rate": "cast(bought as double) / added",
        "funnel_conversion": "cast(bought as double) / looked",
    }.items()
}

_COHORTS = f"""with buying as (
    select distinct user_id, date(date_trunc('week', event_time)) as week from curated.fct_transactions where {_BOUGHT}
), members as (select user_id, min(week) as cohort from buying group by user_id
), over as (
    select week from (select distinct week from buying) where week + interval '7' day <= greatest(
        (select max(date(event_time)) from curated.fct_transactions), (select max(date(event_time)) from curated.fct_app_events),
        (select max(date(event_time)) from curated.fct_order_steps where order_status = 'placed'))
), wanted as (select * from members where cohort >= date '{BEGIN:%Y-%m-%d}' and cohort < date '{END:%Y-%m-%d}'
), expected as (select user_id, cohort, week from wanted inner join over on over.week > wanted.cohort
), counted as (
    select count(*) as members, count(buying.user_id) as returned,
        count_if(expected.week = cohort + interval '7' day) as next_members,
        count_if(expected.week = cohort + interval '7' day and buying.user_id is not null) as next_buyers
    from expected left join buying on buying.user_id = expected.user_id and buying.week = expected.week
)"""
_RETENTION = {
    name: f"{_COHORTS} select {figure} from {'wanted' if name == 'new_buyers' else 'counted'}"
    for name, figure in {
        "new_buyers": "count(*)",
        "cohort_members": "members",
        "returning_buyers": "returned",
        "retention_rate": "cast(returned as double) / members",
        "second_week_members": "next_members",
        "second_week_buyers": "next_buyers",
        "second_week_retention": "cast(next_buyers as double) / next_members",
    }.items()
}

_LIFETIMES_FOUND = f"""with lifetimes as (
    select min(event_time) filter (where {_BOUGHT}) as first_purchase, count_if({_BOUGHT}) as purchases,
        coalesce({_type(_USD, "purchase")}, 0) - coalesce({_type(_USD, "refund")}, 0) as worth
    from curated.fct_transactions group by user_id
)"""
_LIFETIMES = {
    name: f"{_LIFETIMES_FOUND} select {figure} from lifetimes where {_within('first_purchase')}"
    for name, figure in {
        "acquired_customers": "count(*)",
        "lifetime_value": "sum(worth)",
        "lifetime_purchases": "sum(purchases)",
        "average_lifetime_value": "cast(sum(worth) as double) / count(*)",
        "purchases_per_customer": "cast(sum(purchases) as double) / count(*)",
    }.items()
}

_UP_TO = f"{_BOUGHT} and event_date <= date '{_LAST:%Y-%m-%d}'"
_RUNNING = {
    name: f"select {figure} from curated.fct_transactions where {_UP_TO} and {since}"
    for name, figure, since in [
        *(
            (f"running_sales_of_{unit}", _USD, f"event_date >= date(date_trunc('{unit}', date '{_LAST:%Y-%m-%d}'))")
            for unit in ("month", "quarter", "year")
        ),
        *(
            (f"rolling_sales_{days}_days", _USD, f"event_date > date '{_LAST - timedelta(days=days):%Y-%m-%d}'")
            for days in (7, 28)
        ),
        ("cumulative_sales", _USD, "true"),
        ("cumulative_purchases", "count(*)", "true"),
    ]
}

_ACTIVE = f"""select count(distinct row(user_id, minute)) from (
    select user_id, date_trunc('minute', event_time) as minute from curated.fct_app_events where {_within("event_time")}
    union all
    select user_id, date_trunc('minute', event_time) from curated.fct_transactions where {_within("event_time")})"""
_ACTIVITY = {
    "active_minutes": _ACTIVE,
    "actions_per_active_minute": f"select ({_APP['app_actions']}) / cast(({_ACTIVE}) as double)",
}

_SEARCHES = f"select user_id, date_trunc('minute', event_time) as moment from curated.fct_app_events where event_type = 'search' and {_within('event_time')}"
_CONVERSION = {
    "search_to_purchase_rate": f"""with searched as ({_SEARCHES}), bought as (
        select event_id, user_id, date_trunc('minute', event_time) as moment from curated.fct_app_events where event_type = 'purchase'
    )
    select count(distinct bought.event_id) / cast((select count(*) from searched) as double)
    from bought inner join searched on searched.user_id = bought.user_id and searched.moment <= bought.moment
        and searched.moment > bought.moment - interval '7' day"""
}


def _before(figure: str, grain: str, change: str) -> str:
    """In the second of the periods."""
    second = BEGIN + timedelta(days=7 if grain == "week" else 1)
    first = f"date_trunc('{grain}', event_time) = timestamp '{BEGIN:%Y-%m-%d} 00:00:00 UTC'"
    now = f"date_trunc('{grain}', event_time) = timestamp '{second:%Y-%m-%d} 00:00:00 UTC'"
    return f"""with counted as (
        select {figure} filter (where {now}) as now, {figure} filter (where {first}) as before
        from curated.fct_transactions where {_BOUGHT}) select {change} from counted"""


_CHANGES = {
    "sales_change_from_day_before": _before(_USD, "day", "now - before"),
    "sales_growth_from_week_before": _before(_USD, "week", "cast(now - before as double) / before"),
    "purchases_growth_from_week_before": _before("count(*)", "week", "cast(now - before as double) / before"),
}

BY_HAND: dict[str, str] = (
    _TRANSACTIONS | _APP | _STEPS | _OTHERS | _ORDERS | _SESSIONS | _FUNNEL | _RETENTION | _LIFETIMES | _RUNNING
    | _ACTIVITY | _CONVERSION | _CHANGES
)  # fmt: skip
