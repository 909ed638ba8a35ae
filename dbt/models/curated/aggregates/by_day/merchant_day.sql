{% set days = changed_days([
    (ref("transactions_by_minute"), "cast(window_start as date)"),
    (ref("daily_exchange_rates"), "rate_date"),
]) %}

with
days as (
    select
        cast(minutes.window_start as date) as date_day,
        minutes.merchant_id,
        minutes.transaction_type,
        minutes.currency,
        sum(minutes."count") as transactions,
        sum(minutes.sum_amount) as amount
    from {{ ref("transactions_by_minute") }} as minutes
    where {{ in_days("minutes.window_start", days) }}
    group by 1, 2, 3, 4
),

valued as (
    select days.*, cast(days.amount * {{ usd_rate("rates.usd_rate", "days.currency") }} as decimal(38, 10)) as usd
    from days
    {{ rate_of_day("days", "days.date_day") }}
),

final as (
    select
        date_day,
        merchant_id,
        cast(sum(transactions) as bigint) as transactions,
        cast(coalesce(sum(transactions) filter (where transaction_type = 'purchase'), 0) as bigint) as purchases,
        {%- for column, type in [("sales", "purchase"), ("refunds", "refund"), ("fees", "fee"), ("payouts", "payout")] %}
        cast(coalesce(sum(usd) filter (where transaction_type = '{{ type }}'), 0) as decimal(38, 10)) as {{ column }}_usd
        {{- "," }}
        {%- endfor %}
        {{ all_landed([ref("transactions_by_minute")]) }} as landed_at
    from valued
    group by date_day, merchant_id
)

select * from final
