{% set days = changed_days([
    (ref("transactions_by_minute"), "cast(window_start as date)"),
    (ref("daily_exchange_rates"), "rate_date"),
]) %}

with
days as (
    select
        cast(window_start as date) as date_day,
        region,
        currency,
        transaction_type,
        sum("count") as transactions,
        sum(sum_amount) as amount
    from {{ ref("transactions_by_minute") }}
    where {{ in_days("window_start", days) }}
    group by 1, 2, 3, 4
),

final as (
    select
        days.date_day,
        days.region,
        days.currency,
        days.transaction_type,
        cast(days.transactions as bigint) as transactions,
        cast(days.amount as decimal(38, 2)) as amount,
        cast(days.amount * {{ usd_rate("rates.usd_rate", "days.currency") }} as decimal(38, 10)) as amount_usd,
        {{ all_landed([ref("transactions_by_minute")]) }} as landed_at
    from days
    {{ rate_of_day("days", "days.date_day") }}
)

select * from final
